import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { InstanceClient } from './test/instance-client.ts'
import { startInstances, type StartedInstances } from './test/start-instances.ts'

let instances: StartedInstances
let instance: InstanceClient
beforeAll(async () => {
  instances = await startInstances()
  instance = new InstanceClient(instances, 'copies')
  await addPerson(1n)
  await addPerson(9007199254740993n)
})
afterAll(() => instances.dispose())

async function addPerson(id: bigint): Promise<void> {
  await (await instance.ask('/people', { method: 'POST', body: String(id) })).text()
}

const idsOf = (table: string): Promise<unknown> => instance.query(`SELECT group_concat(CAST(id AS TEXT)) AS ids FROM (SELECT id FROM ${table} ORDER BY id)`)
const post = (path: string, body?: unknown): ReturnType<InstanceClient['ask']> => instance.ask(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body ?? {}) })

describe('/data-replication', () => {
  it('copies what is asked for, and tells how it stands', async () => {
    const configured = await post('/data-replication/configure', { name: 'people', sourceConfig: { dialect: 'memory' }, sourceTable: 'people', targetTable: 'people', isActive: false })
    expect([configured.status, await configured.json()]).toMatchObject([200, { success: true }])
    const synced = await instance.ask('/data-replication/sync/people', { method: 'POST' })
    expect([synced.status, await synced.json()]).toMatchObject([200, { success: true }])
    expect(await idsOf('people')).toEqual([{ ids: '1,9007199254740993' }])
    expect(await instance.json('/data-replication/status')).toMatchObject({ configs: expect.arrayContaining([expect.objectContaining({ name: 'people' })]) as unknown })
    expect(await instance.query(`SELECT count(*) AS count FROM sqlite_schema WHERE name LIKE 'tidemark%'`)).toEqual([{ count: 0 }])
  })

  it('goes on by the alarm', async () => {
    await expect.poll(() => idsOf('planned_people').catch(() => 'none yet'), { timeout: 15_000 }).toEqual([{ ids: '1,9007199254740993' }])
    await addPerson(2n ** 60n)
    await expect.poll(() => idsOf('planned_people'), { timeout: 15_000 }).toEqual([{ ids: '1,9007199254740993,1152921504606846976' }])
  })

  it('is loaded by an object that is evicted after each slice, from where it stopped', async () => {
    const slicing = new InstanceClient(instances, 'evicted')
    await (await slicing.ask('/crowd', { method: 'POST', body: '500' })).text()
    // The first request makes the object, and with it the first alarm.
    await expect.poll(() => slicing.query('SELECT count(*) AS count FROM crowd').catch(() => 'none yet'), { timeout: 15_000, interval: 200 }).toEqual([{ count: 500 }])
    const { evicted, readsBetweenAlarms } = await slicing.json('/evicted') as { readonly evicted: number; readonly readsBetweenAlarms: number }
    expect(evicted).toBeGreaterThan(3)
    expect(readsBetweenAlarms).toBe(0)
  }, 30_000)

  it.each([
    ['a name that is unknown', '/data-replication/sync/unknown', 'admin', 404, 'NAME_UNKNOWN'],
    ['a client', '/data-replication/sync/people', 'client', 401, 'REQUEST_UNAUTHORIZED'],
  ])('refuses %s', async (_, path, token, status, code) => {
    const answer = await instance.ask(path, { method: 'POST', token })
    expect([answer.status, (await answer.json() as { readonly code: string }).code]).toEqual([status, code])
  })
})

it('is not there at all with options that are wrong', async () => {
  const answer = await new InstanceClient(instances, 'wrong').ask('/query', { method: 'POST', body: JSON.stringify({ sql: 'SELECT 1' }) })
  expect([answer.status, await answer.text()]).toEqual([500, expect.stringMatching(/The options have 1 fault\. storage: /)])
})

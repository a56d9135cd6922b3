import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { InstanceClient } from './test/instance-client.ts'
import { startInstances, type StartedInstances } from './test/start-instances.ts'

let instances: StartedInstances
let north: InstanceClient
let south: InstanceClient
beforeAll(async () => {
  instances = await startInstances()
  north = new InstanceClient(instances, 'north')
  south = new InstanceClient(instances, 'south')
  // First, as a peer that lacks a table is asked about it again later.
  await south.query('CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT UNIQUE)')
  for (const table of ['users', 'secrets']) await north.query(`CREATE TABLE ${table} (id INTEGER PRIMARY KEY, name TEXT UNIQUE)`)
})
afterAll(() => instances.dispose())

const usersOf = (instance: InstanceClient): Promise<unknown> => instance.query('SELECT id, name FROM users ORDER BY id')

describe('propagation', () => {
  it('applies writes with their values on a peer, and only those of the tables named', async () => {
    await north.query('INSERT INTO users (name) VALUES (?), (?)', ['one', 'two'])
    await north.query('INSERT INTO secrets VALUES (1, ?)', ['stays'])
    await north.query('INSERT OR REPLACE INTO users VALUES (3, ?)', ['one'])
    await north.query('UPDATE users SET name = name || id')
    await expect.poll(() => usersOf(south), { timeout: 15_000 }).toEqual([{ id: 2, name: 'two2' }, { id: 3, name: 'one3' }])
    expect(await south.query(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name = 'secrets'`)).toEqual([])
  })

  it('has the alarm send what nobody nudged for', async () => {
    // Not through the instance's own route, so that no plugin hears of it.
    await north.ask('/unheard', { method: 'POST', body: 'DELETE FROM users' })
    await expect.poll(() => usersOf(south), { timeout: 15_000 }).toEqual([])
    expect(await north.json('/peers')).toMatchObject({ origin: 'north', peers: [{ name: 'south', phase: 'streaming', failures: 0 }] })
  })

  it.each([
    ['without a token', {}, 401],
    ['with the instance\'s own', { authorization: 'Bearer admin' }, 401],
  ])('takes nothing %s', async (_, headers, status) => {
    const answer = await south.ask('/propagate', { method: 'POST', token: '', headers: { 'x-tidemark-origin': 'north', ...headers }, body: '{}' })
    expect(answer.status).toBe(status)
    await answer.text()
  })
})

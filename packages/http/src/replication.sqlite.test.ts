import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { nodeSqliteSource } from '@tidemark/node'
import { describe, expect, it } from 'vitest'
import { makeWorld, type World } from './test/world.ts'

const sourceConfig = { dialect: 'app' }

function makeConfigurable(): Promise<World> {
  return makeWorld({
    sources: {
      file: ({ database = '' }) => nodeSqliteSource({ path: database }),
    },
  })
}

describe('replication over HTTP', () => {
  it('syncs, and says what it did in the words of the prior designs', async () => {
    await using world = await makeWorld()
    const synced = await world.ask('/data-replication/sync/users', { as: 'operate', method: 'POST' })
    expect(synced.status).toBe(200)
    expect(await synced.json()).toMatchObject({ success: true, message: 'Replication "users" is synced.', result: { name: 'users', rows: 100 } })
    const copy = new DatabaseSync(join(world.folder, 'replica.db'), { readOnly: true })
    expect(copy.prepare('SELECT count(*) AS n FROM users').get()).toEqual({ n: 100 })
    copy.close()
    const status = await (await world.ask('/data-replication/status', { as: 'read' })).json() as { readonly configs: readonly Record<string, unknown>[] }
    expect(status.configs).toEqual([
      expect.objectContaining({
        name: 'users', source_table: 'users', target_table: 'users', sync_interval_minutes: 60, tracking_column: 'id', last_sync_value: 'i:100', is_active: true, is_running: false,
        activity: 'stopped', phase: 'live', progress: null, last_sync_timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
      }),
      expect.objectContaining({ name: 'broken', last_sync_value: null, last_sync_timestamp: null, phase: 'new' }),
    ])
    const { logs } = await (await world.ask('/data-replication/logs?limit=1', { as: 'read' })).json() as { readonly logs: readonly unknown[] }
    expect(logs).toEqual([expect.objectContaining({ config_name: 'users', status: 'success', records_processed: 100, error_message: null, errorCode: null })])
  })

  it('never answers a failed sync with 200', async () => {
    await using world = await makeWorld()
    const failed = await world.ask('/data-replication/sync/broken', { as: 'operate', method: 'POST' })
    expect(failed.status).toBe(404)
    expect(failed.headers.get('content-type')).toBe('application/problem+json')
    expect(await failed.json()).toMatchObject({ code: 'TABLE_UNKNOWN', status: 404, retryable: false, remedy: expect.any(String) })
    const { logs } = await (await world.ask('/data-replication/logs?name=broken', { as: 'read' })).json() as { readonly logs: readonly unknown[] }
    expect(logs).toEqual([expect.objectContaining({ config_name: 'broken', status: 'error', errorCode: 'TABLE_UNKNOWN', remedy: 'Check the name, its schema and its letter case.' })])
  })

  it('knows no other names', async () => {
    await using world = await makeWorld()
    for (const [method, path] of [['POST', 'start'], ['POST', 'stop'], ['POST', 'sync'], ['DELETE', 'configure']] as const) {
      const answer = await world.ask(`/data-replication/${path}/nobody`, { as: 'admin', method })
      expect([path, answer.status, (await answer.json() as { code: string }).code]).toEqual([path, 404, 'NAME_UNKNOWN'])
    }
  })

  it('stops for good what is stopped, and starts it again', async () => {
    await using world = await makeWorld()
    await world.replicator.syncNow('users')
    await world.replicator.start()
    const activityOf = async (): Promise<unknown> => {
      const { configs } = await (await world.ask('/data-replication/status', { as: 'read' })).json() as { readonly configs: readonly { is_active: boolean, is_running: boolean, activity: string }[] }
      return configs.map(({ is_active, is_running, activity }) => [is_active, is_running, activity])[0]
    }
    expect(await activityOf()).toEqual([true, true, 'waiting'])
    expect((await world.ask('/data-replication/stop/users', { as: 'operate', method: 'POST' })).status).toBe(200)
    expect(await activityOf()).toEqual([false, false, 'paused'])
    await world.replicator.stop()
    await world.replicator.start()
    expect(await activityOf()).toEqual([false, false, 'paused'])
    expect(await (await world.ask('/data-replication/start/users', { as: 'operate', method: 'POST' })).json()).toEqual({ success: true, message: 'Replication "users" is started.' })
    expect(await activityOf()).toEqual([true, true, 'waiting'])
  })

  it('configures a replication, syncs it and removes it', async () => {
    await using world = await makeConfigurable()
    const database = join(world.folder, 'app.db')
    const json = { name: 'copy of users', sourceConfig: { dialect: 'file', database, password: 'canary-source' }, sourceTable: 'users', targetTable: 'people', trackingColumn: 'id', syncIntervalMinutes: 5 }
    const configured = await world.ask('/data-replication/configure', { as: 'admin', json })
    expect([configured.status, await configured.text()]).toEqual([200, '{"success":true,"message":"Replication \\"copy of users\\" is configured."}'])
    expect((await world.ask('/data-replication/sync/copy%20of%20users', { as: 'operate', method: 'POST' })).status).toBe(200)
    const status = await (await world.ask('/data-replication/status', { as: 'read' })).text()
    expect(status).toContain('"target_table":"people"')
    expect(status).not.toContain('canary')
    expect((await world.ask('/data-replication/configure/copy%20of%20users', { as: 'admin', method: 'DELETE' })).status).toBe(200)
    expect(await (await world.ask('/data-replication/status', { as: 'read' })).text()).not.toContain('people')
  })

  it('keeps its checkpoint when it is configured again', async () => {
    await using world = await makeConfigurable()
    const json = { name: 'users', sourceConfig: { dialect: 'file', database: join(world.folder, 'app.db') }, sourceTable: 'users', targetTable: 'users', syncIntervalMinutes: 1 }
    await world.replicator.syncNow('users')
    expect((await world.ask('/data-replication/configure', { as: 'admin', json })).status).toBe(200)
    const { configs } = await (await world.ask('/data-replication/status', { as: 'read' })).json() as { readonly configs: readonly unknown[] }
    expect(configs).toContainEqual(expect.objectContaining({ name: 'users', last_sync_value: 'i:100', sync_interval_minutes: 1 }))
  })

  it('says all that is wrong with a configuration, and quotes none of it', async () => {
    await using world = await makeConfigurable()
    const wrong: readonly (readonly [json: unknown, paths: readonly string[]])[] = [
      [{}, ['body.name', 'body.sourceConfig', 'body.sourceTable', 'body.targetTable']],
      [{ name: 1, sourceConfig: 'canary', sourceTable: '', targetTable: 'x', syncIntervalMinutes: -1, colour: 'canary' }, ['body.name', 'body.sourceConfig', 'body.sourceTable', 'body.syncIntervalMinutes', 'body.colour']],
      [{ name: 'x', sourceConfig: { dialect: 'oracle', password: 'canary' }, sourceTable: 'x', targetTable: 'x' }, ['body.sourceConfig.dialect']],
      [{ name: 'x', sourceConfig: { dialect: '__proto__' }, sourceTable: 'x', targetTable: 'x' }, ['body.sourceConfig.dialect']],
      [{ name: 'x', sourceConfig: { dialect: 'file', database: 'x', port: 70_000 }, sourceTable: 'x', targetTable: 'x' }, ['body.sourceConfig.port']],
    ]
    for (const [json, paths] of wrong) {
      const answer = await world.ask('/data-replication/configure', { as: 'admin', json })
      const text = await answer.text()
      const { code, issues } = JSON.parse(text) as { code: string, issues?: readonly { path: string }[] }
      expect([answer.status, code, issues?.map(({ path }) => path)]).toEqual([400, 'CONFIG_INVALID', paths])
      expect(text).not.toContain('canary')
    }
  })

  it('takes no body that is not an object', async () => {
    await using world = await makeConfigurable()
    for (const json of [[], 'text', null, 1, true]) {
      const answer = await world.ask('/data-replication/configure', { as: 'admin', json })
      expect([json, answer.status, (await answer.json() as { code: string }).code]).toEqual([json, 400, 'REQUEST_INVALID'])
    }
  })

  it('takes no details for a source that is made in code', async () => {
    await using world = await makeWorld({ sources: { app: nodeSqliteSource({ path: '/nowhere.db' }) } })
    const json = { name: 'x', sourceConfig: { ...sourceConfig, host: '10.0.0.1' }, sourceTable: 'x', targetTable: 'x' }
    expect(await (await world.ask('/data-replication/configure', { as: 'admin', json })).json()).toMatchObject({ code: 'CONFIG_INVALID', issues: [{ path: 'body.sourceConfig.host' }] })
    expect((await world.ask('/data-replication/configure', { as: 'admin', json: { ...json, sourceConfig } })).status).toBe(200)
  })

  it('checks limits', async () => {
    await using world = await makeWorld()
    for (const limit of ['0', '-1', '501', '1.5', 'many', '', '1e2', '99999999999999999999', '%00']) {
      const answer = await world.ask(`/data-replication/logs?limit=${limit}`, { as: 'read' })
      expect([limit, answer.status]).toEqual([limit, 400])
    }
    expect((await world.ask('/data-replication/logs?limit=1&limit=2', { as: 'read' })).status).toBe(400)
    expect((await world.ask('/data-replication/logs?colour=red', { as: 'read' })).status).toBe(400)
    expect((await world.ask('/data-replication/logs?__proto__=1', { as: 'read' })).status).toBe(400)
    expect((await world.ask('/data-replication/logs?limit=500', { as: 'read' })).status).toBe(200)
  })
})

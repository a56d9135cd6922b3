import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { nodeSqliteSource } from '@tidemark/node'
import { expect, it } from 'vitest'
import { makeWorld } from './test/world.ts'

it('takes what another instance sends, and shows how far a peer is', async () => {
  await using world = await makeWorld({ basePath: '/data' })
  world.app.exec(`INSERT INTO notes (body) VALUES ('for the peer')`)
  expect(await world.propagator.flush()).toMatchObject({ reached: ['there'], behind: [] })
  const peer = new DatabaseSync(join(world.folder, 'peer.db'), { readOnly: true })
  expect(peer.prepare('SELECT body FROM notes').all().map((row) => ({ ...row }))).toEqual([{ body: 'for the peer' }])
  expect(peer.prepare('SELECT count(*) AS n FROM users').get()).toEqual({ n: 100 })
  peer.close()
  expect(await (await world.ask('/peers', { as: 'read' })).json()).toMatchObject({ origin: 'here', peers: [{ name: 'there', phase: 'streaming', behindMs: 0, failures: 0 }] })
})

it('leaves the receiver to say who may send', async () => {
  await using world = await makeWorld()
  for (const as of [undefined, 'read', 'operate', 'admin'] as const) {
    const answer = await world.ask('/propagate', { as, json: {}, headers: { 'x-tidemark-origin': 'here' } })
    expect([as, answer.status]).toEqual([as, 401])
  }
})

it('measures', async () => {
  await using world = await makeWorld()
  await world.replicator.syncNow('users')
  await world.replicator.syncNow('broken').catch(() => undefined)
  await world.propagator.flush()
  await world.exporter.finish((await world.exporter.start()).id)
  const answer = await world.ask('/metrics', { as: 'read' })
  expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  const text = await answer.text()
  for (const line of [
    '# TYPE tidemark_syncs_total counter', 'tidemark_syncs_total{replication="users",outcome="success"} 1', 'tidemark_syncs_total{replication="broken",outcome="error"} 1',
    'tidemark_sync_rows_total{replication="users"} 100', 'tidemark_replication_active{replication="users"} 1', 'tidemark_peer_lag_seconds{peer="there"} 0', 'tidemark_exports{status="completed"} 1',
  ]) expect(text.split('\n')).toContain(line)
  // Every line is a comment, or a name with labels and a number.
  for (const line of text.trim().split('\n')) expect(line).toMatch(/^(# (HELP|TYPE) tidemark_\w+ .+|tidemark_\w+\{([a-z]+="[^"\n]*"(,[a-z]+="[^"\n]*")*)?\} -?[\d.e+-]+)$/)
})

it('says in one answer whether all is well', async () => {
  await using world = await makeWorld()
  expect(await (await world.ask('/health', { as: 'read' })).json()).toEqual({ status: 'ok', checks: [] })
  await world.replicator.syncNow('broken').catch(() => undefined)
  expect(await (await world.ask('/health', { as: 'read' })).json()).toEqual({ status: 'error', checks: [{ kind: 'replication', name: 'broken', status: 'error', code: 'TABLE_UNKNOWN' }] })
})

it('has no routes for what it was not given', async () => {
  await using world = await makeWorld({ replicator: undefined, exporter: undefined, importer: undefined, streams: undefined, propagator: undefined, receiver: undefined })
  for (const path of ['/data-replication/status', '/export', '/import', '/changes', '/changes/status', '/peers']) {
    const answer = await world.ask(path, { as: 'admin' })
    expect([path, answer.status, (await answer.json() as { code: string }).code]).toEqual([path, 404, 'ROUTE_UNKNOWN'])
  }
  expect(await (await world.ask('/metrics', { as: 'read' })).text()).toBe('')
  expect(await (await world.ask('/session', { as: 'operate' })).json()).toEqual({ scopes: ['read', 'operate'], capabilities: [], streams: [], sources: [] })
})

it('tells what can be configured to who may configure it', async () => {
  const source = nodeSqliteSource({ path: 'never-opened.db' })
  await using world = await makeWorld({ sources: { app: source, any: () => source } })
  const sourcesFor = async (as: 'operate' | 'admin'): Promise<unknown> => (await (await world.ask('/session', { as })).json() as { sources: unknown }).sources
  expect(await sourcesFor('admin')).toEqual([{ name: 'app', isFixed: true }, { name: 'any', isFixed: false }])
  expect(await sourcesFor('operate')).toEqual([])
})

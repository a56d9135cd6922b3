import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CdcClient } from './test/cdc-client.ts'
import { InstanceClient } from './test/instance-client.ts'
import { startInstances, type StartedInstances } from './test/start-instances.ts'

let instances: StartedInstances
beforeAll(async () => { instances = await startInstances() })
afterAll(() => instances.dispose())

async function instance(name: string): Promise<InstanceClient> {
  const client = new InstanceClient(instances, name)
  for (const table of ['users', 'secrets']) await client.query(`CREATE TABLE ${table} (id INTEGER PRIMARY KEY, name TEXT)`)
  return client
}

const change = (action: string, data: unknown): unknown => ({ action, schema: 'main', table: 'users', data })

describe('/cdc', () => {
  it('tells of rows, whatever the statement was, and of no others than those asked for', async () => {
    const { query } = await bound('rows')
    await using socket = await CdcClient.open(instances, 'rows')
    await query('INSERT INTO users (name) VALUES (?), (?)', ['one', 'two'])
    await query('INSERT INTO secrets VALUES (1, ?)', ['hidden'])
    await query('WITH old AS (SELECT id FROM users WHERE id = 1) UPDATE users SET name = upper(name) WHERE id IN (SELECT id FROM old)')
    await query('INSERT OR REPLACE INTO users VALUES (2, ?)', ['other'])
    await query('DELETE FROM users')
    expect(await socket.take(6)).toEqual([
      change('INSERT', { id: 1, name: 'one' }), change('INSERT', { id: 2, name: 'two' }),
      change('UPDATE', { id: 1, name: 'ONE' }), change('UPDATE', { id: 2, name: 'other' }),
      change('DELETE', { id: 1, name: 'ONE' }), change('DELETE', { id: 2, name: 'other' }),
    ])
  })

  it('goes on where a client was', async () => {
    const { query } = await bound('resumed')
    const first = await CdcClient.open(instances, 'resumed')
    await query('INSERT INTO users VALUES (1, ?)', ['seen'])
    await first.take(1)
    await first[Symbol.asyncDispose]()
    await query('INSERT INTO users VALUES (2, ?)', ['missed'])
    await using second = await CdcClient.open(instances, 'resumed', { lastEventId: first.lastEventId })
    expect(await second.take(1)).toEqual([change('INSERT', { id: 2, name: 'missed' })])
  })

  it.each([
    ['no upgrade', {}, 400, 'REQUEST_INVALID'],
    ['a client', { token: 'client', headers: { upgrade: 'websocket' } }, 403, 'REQUEST_FORBIDDEN'],
    ['an id that is none', { path: '/cdc?lastEventId=nothing', headers: { upgrade: 'websocket' } }, 400, 'REQUEST_INVALID'],
  ])('refuses %s', async (_, { path = '/cdc', ...options }: { readonly path?: string; readonly token?: string; readonly headers?: Readonly<Record<string, string>> }, status, code) => {
    const answer = await (await instance(`refused-${code}-${status}-${path.length}`)).ask(path, options)
    expect([answer.status, (await answer.json() as { readonly code: string }).code]).toEqual([status, code])
  })

  it('lets nobody in without a ticket of the plugin', async () => {
    const answer = await instances.dispatchFetch('https://tidemark.invalid/a-guess', { headers: { upgrade: 'websocket', authorization: 'Bearer client' } })
    expect([answer.status, answer.webSocket]).toEqual([404, null])
  })
})

describe('/changes', () => {
  it('gives all that is captured, as server-sent events', async () => {
    const { client, query } = await bound('sse')
    const answer = await client.ask('/changes')
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/event-stream'])
    await query('INSERT INTO secrets VALUES (9007199254740993, ?)', ['for operators'])
    const text = answer.body?.pipeThrough(new TextDecoderStream())
    let seen = ''
    for await (const part of text ?? []) {
      seen += part
      if (seen.includes('for operators')) break
    }
    expect(seen).toContain('"after":{"id":9007199254740993,"name":"for operators"}')
  })

  it('shows a client how things stand, and no row', async () => {
    const { client } = await bound('standing')
    const [status, feed] = [await client.ask('/changes/status', { token: 'client' }), await client.ask('/changes', { token: 'client' })]
    expect([status.status, feed.status]).toEqual([200, 403])
    await Promise.all([status.text(), feed.text()])
  })
})

describe('the log', () => {
  it('is kept short where nobody follows', async () => {
    const { client, query } = await bound('unfollowed')
    const socket = await CdcClient.open(instances, 'unfollowed')
    await socket[Symbol.asyncDispose]()
    await query('WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50) INSERT INTO users SELECT i, NULL FROM n')
    expect(await query('SELECT count(*) >= 50 AS holds FROM tmp_tidemark_log')).toEqual([{ holds: 1 }])
    await client.ask('/wake', { method: 'POST' })
    expect(await query('SELECT count(*) AS count FROM tmp_tidemark_log')).toEqual([{ count: 10 }])
  })
})

async function bound(name: string): Promise<{ readonly client: InstanceClient; readonly query: InstanceClient['query'] }> {
  const client = await instance(name)
  return { client, query: (sql, params) => client.query(sql, params) }
}

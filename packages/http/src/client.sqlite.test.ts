import { readFileSync } from 'node:fs'
import { nodeSqliteSource } from '@tidemark/node'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { createClient, type ClientProblem, type TidemarkClient } from './client.ts'
import { routes } from './routes.ts'
import { readSse, take } from './test/read-sse.ts'
import { makeWorld, SECRETS, type World } from './test/world.ts'

function clientOf({ url }: Pick<World, 'url'>, token: string | undefined, asked?: Set<string>): TidemarkClient {
  return createClient({
    baseUrl: `${url}/`,
    token,
    fetch: (request) => {
      asked?.add(`${request.method} ${new URL(request.url).pathname.replace('/data', '')}`)
      return fetch(request)
    },
  })
}

/** Which routes the paths that were asked for are. */
function routesOf(asked: ReadonlySet<string>): readonly string[] {
  return routes.filter(({ method, path }) => [...asked].some((one) => new RegExp(`^${method} ${path.replaceAll(/:\w+/g, '[^/]+')}$`).test(one))).map(({ id }) => id)
}

const respondAsync = { prefer: 'respond-async' }

describe('the client', () => {
  it('has every route, with what it answers', async () => {
    await using world = await makeWorld({ basePath: '/data', sources: { app: nodeSqliteSource({ path: ':memory:' }) } })
    const asked = new Set<string>()
    const client = clientOf(world, SECRETS.admin, asked)

    expect((await client.GET('/', { parseAs: 'text' })).data).toContain('<title>Tidemark</title>')
    expect((await client.GET('/openapi.json')).response.status).toBe(200)
    const session = await client.GET('/session')
    expectTypeOf(session.data?.scopes).toEqualTypeOf<('read' | 'operate' | 'admin')[] | undefined>()
    expect(session.data?.scopes).toEqual(['read', 'operate', 'admin'])
    expect((await client.GET('/health')).data?.checks).toEqual([])
    expect((await client.GET('/metrics', { parseAs: 'text' })).data).toContain('tidemark_replication_active')

    const configured = await client.POST('/data-replication/configure', { body: { name: 'more', sourceConfig: { dialect: 'app' }, sourceTable: 'notes', targetTable: 'notes', schedule: 'manual' } })
    expect(configured.data?.success).toBe(true)
    for (const path of ['/data-replication/stop/{name}', '/data-replication/start/{name}'] as const) expect((await client.POST(path, { params: { path: { name: 'users' } } })).data?.success).toBe(true)
    const synced = await client.POST('/data-replication/sync/{name}', { params: { path: { name: 'users' } } })
    expectTypeOf(synced.data?.result.rows).toEqualTypeOf<number | undefined>()
    expect(synced.data?.result.rows).toBe(100)
    expect((await client.GET('/data-replication/status')).data?.configs.map(({ name, last_sync_value: value }) => [name, value])).toContainEqual(['users', 'i:100'])
    expect((await client.GET('/data-replication/logs', { params: { query: { limit: '5' } } })).data?.logs[0]?.config_name).toBe('users')
    expect((await client.DELETE('/data-replication/configure/{name}', { params: { path: { name: 'more' } } })).data?.success).toBe(true)

    const small = await client.POST('/export/dump', { body: { tables: ['users'] }, parseAs: 'text' })
    expect(small.data).toContain('CREATE TABLE users')
    expect((await client.GET('/export/dump', { parseAs: 'stream' })).response.ok).toBe(true)
    const begun = await client.POST('/export/dump', { headers: respondAsync, body: { format: 'csv' } })
    const exportId = begun.data !== undefined && typeof begun.data === 'object' && begun.data !== null && 'exportId' in begun.data ? String(begun.data.exportId) : ''
    const path = { path: { exportId } }
    await expect.poll(async () => (await client.GET('/export/status/{exportId}', { params: path })).data?.status, { timeout: 10_000 }).toBe('completed')
    expect((await client.GET('/export')).data?.exports.length).toBe(3)
    expect((await client.GET('/export/download/{exportId}', { params: path, parseAs: 'json' })).response.status).toBe(200)

    const loaded = await client.POST('/import', { body: { exportId } })
    expectTypeOf(loaded.data?.totalRowsImported).toEqualTypeOf<number | undefined>()
    expect(loaded.data).toMatchObject({ status: 'completed', totalRowsImported: 100 })
    expect((await client.GET('/import/status/{exportId}', { params: path })).data).toEqual(loaded.data)
    expect((await client.POST('/import/stop/{exportId}', { params: path })).data).toEqual(loaded.data)
    expect((await client.GET('/import')).data?.imports).toEqual([loaded.data])
    expect((await client.DELETE('/import/{exportId}', { params: path })).data?.success).toBe(true)

    expect((await client.POST('/export/cancel/{exportId}', { params: path })).data?.status).toBe('completed')
    expect((await client.DELETE('/export/{exportId}', { params: path })).data?.success).toBe(true)

    const feed = await client.GET('/changes', { params: { query: { tables: 'notes' } }, parseAs: 'stream' })
    const messages = readSse(new Response(feed.data as ReadableStream<Uint8Array>)) // as it was asked for
    await take(messages, 'checkpoint', 1)
    expect((await client.GET('/changes/status')).data?.sources[0]?.subscribers.length).toBe(1)
    await messages.return(undefined)
    expect((await client.GET('/peers')).data?.peers[0]?.name).toBe('there')

    // A WebSocket is no request of a fetch client, and a peer has another.
    expect(routesOf(asked)).toEqual(routes.map(({ id }) => id).filter((id) => id !== 'openChangeSocket' && id !== 'propagate'))
  })

  it('gives what is wrong as a problem, at every route', async () => {
    await using world = await makeWorld()
    const admin = clientOf(world, SECRETS.admin)
    const nobody = clientOf(world, undefined)
    const path = { path: { exportId: 'export_0000' } }
    const name = { path: { name: 'nobody' } }
    const answers: readonly { readonly error?: ClientProblem | undefined; readonly data?: unknown; readonly response: Response }[] = [
      await nobody.GET('/'), await nobody.GET('/openapi.json'), await nobody.GET('/health'), await nobody.GET('/session'), await nobody.GET('/metrics'),
      await nobody.GET('/data-replication/status'), await nobody.GET('/export'), await nobody.GET('/import'), await nobody.GET('/changes/status'), await nobody.GET('/peers'),
      await admin.POST('/data-replication/configure', { body: { name: 'x', sourceConfig: { dialect: 'x' }, sourceTable: 'x', targetTable: 'x' } }),
      await admin.DELETE('/data-replication/configure/{name}', { params: name }), await admin.POST('/data-replication/start/{name}', { params: name }),
      await admin.POST('/data-replication/stop/{name}', { params: name }), await admin.POST('/data-replication/sync/{name}', { params: name }),
      await admin.GET('/data-replication/logs', { params: { query: { limit: '0' } } }),
      await admin.POST('/export/dump', { body: { callbackUrl: 'https://hooks.example/' } }), await admin.GET('/export/dump', { params: { query: { callbackUrl: 'x' } } }),
      await admin.GET('/export/status/{exportId}', { params: path }), await admin.GET('/export/download/{exportId}', { params: path }),
      await admin.POST('/export/cancel/{exportId}', { params: path }), await admin.DELETE('/export/{exportId}', { params: path }),
      await admin.POST('/import', { body: { exportId: 'export_0000' } }), await admin.GET('/import/status/{exportId}', { params: path }),
      await admin.POST('/import/stop/{exportId}', { params: path }), await admin.DELETE('/import/{exportId}', { params: path }),
      await admin.GET('/changes', { params: { query: { tables: 'missing' } } }), await admin.GET('/changes/socket'),
    ]
    expect(answers.length).toBe(routes.filter(({ scope }) => scope !== 'peer').length)
    for (const { error, data, response } of answers) {
      expect([response.url, data, error?.status, error?.type]).toEqual([response.url, undefined, response.status, `urn:tidemark:error:${error?.code}`])
      expect(error?.remedy).not.toBe('')
    }
  })

  it('asks for the token each time, where it is a function', async () => {
    await using world = await makeWorld()
    const tokens = ['another', SECRETS.read]
    const client = createClient({ baseUrl: world.url, token: () => Promise.resolve(tokens.shift() ?? '') })
    expect((await client.GET('/health')).error?.code).toBe('REQUEST_UNAUTHORIZED')
    expect((await client.GET('/health')).data?.status).toBe('ok')
  })

  it('brings no code of the server', () => {
    const sources = ['client.ts', 'client/create-client.ts'].map((file) => readFileSync(new URL(file, import.meta.url), 'utf8'))
    for (const source of sources) expect([...source.matchAll(/from '([^']+)'/g)].map(([, from]) => from).filter((from) => !/^(openapi-fetch|\.\/(client\/)?(create-client|openapi-types)\.ts)$/.test(from ?? ''))).toEqual([])
  })
})

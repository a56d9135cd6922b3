import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Replicator } from '@tidemark/core'
import { nodeSqliteTarget } from '@tidemark/node'
import { postgresSource } from '@tidemark/postgres'
import { postgresForTests } from '@tidemark/test-servers/vitest'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createHandler, type SourceConfig } from './index.ts'

const server = await postgresForTests()
const database = await server.createDatabase(`tidemark_http_${process.pid}`)
const folder = mkdtempSync(join(tmpdir(), 'tidemark-http-pg-'))
const replicator = new Replicator({ target: nodeSqliteTarget({ path: join(folder, 'replica.db') }), retry: { attempts: 1 } })
const handler = createHandler({
  authorize: () => true,
  replicator,
  sources: {
    postgresql: ({ host = '', port, user = '', password, database: name = '', connectionString }: SourceConfig) =>
      postgresSource(connectionString === undefined ? { host, port, user, password, database: name, tls: 'disable' } : { url: connectionString }),
  },
})
const silent = createServer((socket) => socket.destroy())

beforeAll(() => new Promise<void>((resolve) => { silent.listen(0, '127.0.0.1', resolve) }))
afterAll(async () => {
  handler[Symbol.dispose]()
  await replicator.stop()
  silent.close()
  await database[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

const SECRET = 'canary p@ss/word:%'

async function post(path: string, json?: unknown): Promise<{ readonly status: number; readonly text: string }> {
  const answer = await handler(new Request(`http://localhost${path}`, { method: 'POST', ...(json === undefined ? {} : { body: JSON.stringify(json), headers: { 'content-type': 'application/json' } }) }))
  return { status: answer.status, text: await answer.text() }
}

it('tells of a source that fails what it may, by a status that is not 200', async () => {
  const { hostname, port, pathname, username, password } = new URL(database.superuserUrl)
  const good = { dialect: 'postgresql', host: hostname, port: Number(port), user: decodeURIComponent(username), password: decodeURIComponent(password), database: pathname.slice(1) }
  const closed = (silent.address() as AddressInfo).port // it listens on a port
  const url = `postgres://nobody:${encodeURIComponent(SECRET)}@${hostname}:${port}${pathname}`
  const cases: readonly (readonly [sourceConfig: object, table: string, status: number, code: string])[] = [
    [{ ...good, user: 'nobody', password: SECRET }, 'users', 502, 'SOURCE_AUTH_FAILED'],
    [{ dialect: 'postgresql', connectionString: url }, 'users', 502, 'SOURCE_AUTH_FAILED'],
    [{ ...good, port: closed, user: 'x', password: SECRET }, 'users', 503, 'SOURCE_UNREACHABLE'],
    [{ ...good, database: 'canary-missing' }, 'users', 502, 'SOURCE_AUTH_FAILED'],
    [good, 'missing', 404, 'TABLE_UNKNOWN'],
  ]
  const texts: string[] = []
  for (const [sourceConfig, sourceTable, status, code] of cases) {
    const configured = await post('/data-replication/configure', { name: 'one', sourceConfig, sourceTable, targetTable: 'copy', schedule: 'manual' })
    expect([code, configured.status]).toEqual([code, 200])
    const synced = await post('/data-replication/sync/one')
    expect([synced.status, (JSON.parse(synced.text) as { code: string }).code]).toEqual([status, code])
    texts.push(synced.text)
  }
  for (const path of ['/data-replication/status', '/data-replication/logs', '/health', '/metrics']) texts.push(await (await handler(new Request(`http://localhost${path}`))).text())
  const forms = [SECRET, encodeURIComponent(SECRET), btoa(SECRET), decodeURIComponent(password)].filter((form) => form !== '')
  for (const text of texts) for (const form of forms) expect(text).not.toContain(form)
})

it('refuses an address that can not be read, without quoting it', async () => {
  for (const connectionString of [`postgres://u:${SECRET}@[bad`, `canary`, `mysql://u:${SECRET}@h/d`]) {
    const { status, text } = await post('/data-replication/configure', { name: 'two', sourceConfig: { dialect: 'postgresql', connectionString }, sourceTable: 'x', targetTable: 'y', schedule: 'manual' })
    const later = status === 200 ? await post('/data-replication/sync/two') : { status, text }
    expect(later.status).toBeGreaterThanOrEqual(400)
    expect(later.text).not.toContain('canary')
  }
})

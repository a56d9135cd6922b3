import { inspect } from 'node:util'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TidemarkError } from '@tidemark/core/adapter'
import type { PostgresConfig } from './postgres-config.ts'
import { PostgresSession } from './postgres-session.ts'
import { postgresSource } from './postgres-source.ts'
import { errorResponse, passThrough, startProxy } from './test/proxy.ts'
import { useTestDatabase } from './test/test-database.ts'

const database = await useTestDatabase('session')

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'no error'
  } catch (error) {
    // Whatever else it is, a test that compares the code will show it.
    return (error as TidemarkError).code
  }
}

async function withSession<T>(config: PostgresConfig, use: (session: PostgresSession) => Promise<T>): Promise<T> {
  const session = new PostgresSession(config)
  try {
    return await use(session)
  } finally {
    await session[Symbol.asyncDispose]()
  }
}

async function backends(applicationName: string): Promise<number> {
  const rows = await database.execute(`SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = '${applicationName}'`)
  return (rows[0] as { n: number }).n
}

/** Asks until the server has noticed; the test's own time limit bounds it. */
async function untilNoBackends(applicationName: string): Promise<void> {
  while (await backends(applicationName) > 0) await database.execute('SELECT pg_sleep(0.02)')
}

describe('a session', () => {
  it('is read-only and pinned', async () => {
    const names = ['default_transaction_read_only', 'row_security', 'bytea_output', 'DateStyle', 'IntervalStyle', 'TimeZone', 'extra_float_digits', 'statement_timeout', 'application_name']
    const text = `SELECT ${names.map((name) => `current_setting('${name}')`).join(', ')}`
    const config = { url: database.url, queryTimeoutMs: 5000, applicationName: 'pinned' }
    expect(await withSession(config, (session) => session.query({ text }))).toEqual([['on', 'off', 'hex', 'ISO, YMD', 'iso_8601', 'UTC', '1', '5s', 'pinned']])
    expect(await withSession(config, (session) => codeOf(session.query({ text: 'CREATE TABLE forbidden ()' })))).toBe('SOURCE_FAILED')
  })

  it('gives every value as text', async () => {
    const text = 'SELECT 1::int2, 1::int4, 1::int8, 1::oid, 1.5::float4, 1.5::float8, true, \'{}\'::json, \'{}\'::jsonb, \'2024-01-02\'::date, \'2024-01-02\'::timestamptz, \'{1}\'::int4[], \'\\x00\'::bytea'
    expect(await withSession({ url: database.url }, (session) => session.query({ text })))
      .toEqual([['1', '1', '1', '1', '1.5', '1.5', 't', '{}', '{}', '2024-01-02', '2024-01-02 00:00:00+00', '{1}', '\\x00']])
  })

  it('maps what the server refuses', async () => {
    const codes = await withSession({ url: database.url }, async (session) => [
      await codeOf(session.query({ text: 'SELECT 1 FROM no_such_table' })),
      await codeOf(session.query({ text: 'SELECT no_such_column' })),
      await codeOf(session.query({ text: 'SELECT 1/0' })),
      await codeOf(session.query({ text: 'SET statement_timeout = 10; SELECT pg_sleep(5)' })),
    ])
    expect(codes).toEqual(['TABLE_UNKNOWN', 'COLUMN_UNKNOWN', 'SOURCE_FAILED', 'TIMEOUT'])
    const noDatabase = database.url.replace(database.name, 'no_such_database')
    expect(await codeOf(postgresSource({ url: noDatabase }).connect())).toBe('SOURCE_AUTH_FAILED')
    expect(await codeOf(postgresSource({ url: 'postgres://nobody@127.0.0.1:1/x' }).connect())).toBe('SOURCE_UNREACHABLE')
    expect(await codeOf(postgresSource({ url: 'postgres://nobody@host.invalid/x?sslmode=disable' }).connect())).toBe('SOURCE_UNREACHABLE')
  })

  it('keeps values out of its errors', async () => {
    await withSession({ url: database.url }, async (session) => {
      const error: unknown = await session.query({ text: 'SELECT $1::text::int4', parameters: ['canary-value'] }).catch((caught: unknown) => caught)
      expect(error).toMatchObject({ code: 'SOURCE_FAILED', detail: '22P02' })
      expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain('canary-value')
    })
  })

  it('goes on with a new connection after an error', async () => {
    await withSession({ url: database.url }, async (session) => {
      const [[first] = []] = await session.query({ text: 'SELECT pg_backend_pid()' })
      expect(await codeOf(session.query({ text: 'SELECT 1/0' }))).toBe('SOURCE_FAILED')
      const [[second] = []] = await session.query({ text: 'SELECT pg_backend_pid()' })
      expect(second).not.toBe(first)
    })
  })

  it('goes on after the server ended the idle connection', async () => {
    await withSession({ url: database.url }, async (session) => {
      const [[pid] = []] = await session.query({ text: 'SELECT pg_backend_pid()' })
      await database.execute(`SELECT pg_terminate_backend(${pid}, 5000)`)
      // The end may reach the client before or after the next query: both must leave it usable.
      const code = await codeOf(session.query({ text: 'SELECT 1' }))
      expect(['no error', 'SOURCE_BUSY', 'SOURCE_UNREACHABLE']).toContain(code)
      expect(await session.query({ text: 'SELECT 1' })).toEqual([['1']])
    })
  })

  it('ends a query at its time limit and closes the socket, also when the server is silent', async () => {
    await using proxy = await startProxy((client, toServer) => {
      const server = passThrough(client, toServer)
      client.on('data', (bytes: Buffer) => {
        if (!bytes.includes('pg_sleep')) return
        server.unpipe(client)
        // Deaf too: it does not even notice that the client says goodbye.
        client.unpipe(server)
        client.pause()
      })
    })
    const sockets = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length
    await withSession({ url: proxy.url(database.url), queryTimeoutMs: 300 }, async (session) => {
      expect(await session.query({ text: 'SELECT 1' })).toEqual([['1']])
      const before = sockets()
      expect(await codeOf(session.query({ text: 'SELECT pg_sleep(0)' }))).toBe('TIMEOUT')
      // A destroyed handle is listed until the loop has run its close callbacks.
      for (let i = 0; i < 5; i += 1) await new Promise((resolve) => void setImmediate(resolve))
      expect(sockets()).toBeLessThan(before)
      expect(await session.query({ text: 'SELECT 2' })).toEqual([['2']])
    })
  })

  it('settles an abort at once and leaves nothing running', async () => {
    await withSession({ url: database.url, applicationName: 'aborted' }, async (session) => {
      const controller = new AbortController()
      const query = codeOf(session.query({ text: 'SELECT pg_sleep(60)', signal: controller.signal }))
      while (await backends('aborted') === 0) await database.execute('SELECT pg_sleep(0.01)')
      controller.abort()
      expect(await query).toBe('ABORTED')
      expect(await codeOf(session.query({ text: 'SELECT 1', signal: controller.signal }))).toBe('ABORTED')
      expect(await session.query({ text: 'SELECT 1' })).toEqual([['1']])
    })
    await untilNoBackends('aborted')
  })

  it('closes its connection when disposed', async () => {
    const session = new PostgresSession({ url: database.url, applicationName: 'disposed' })
    await session.query({ text: 'SELECT 1' })
    expect(await backends('disposed')).toBe(1)
    await session[Symbol.asyncDispose]()
    await untilNoBackends('disposed')
    expect(await codeOf(session.query({ text: 'SELECT 1' }))).toBe('CLOSED')
  })

  it('gives up on a server that accepts and says nothing', async () => {
    await using proxy = await startProxy(() => undefined)
    const config = { url: proxy.url(database.url), connectTimeoutMs: 200, queryTimeoutMs: 5000 }
    expect(await codeOf(postgresSource(config).connect())).toBe('SOURCE_UNREACHABLE')
    expect(proxy.accepted).toBe(1)
  })

  it('connects once where a server closes at once', async () => {
    await using proxy = await startProxy((client) => void client.end())
    expect(await codeOf(postgresSource({ url: proxy.url(database.url) }).connect())).toBe('SOURCE_UNREACHABLE')
    expect(proxy.accepted).toBe(1)
  })
})

describe('behind a pooler that refuses start-up parameters', () => {
  it('pins each transaction instead', async () => {
    await using proxy = await startProxy((client, toServer) => {
      client.once('data', (startup: Buffer) => {
        if (startup.includes('bytea_output')) return void client.end(errorResponse('08P01'))
        passThrough(client, toServer).write(startup)
      })
    })
    // A database whose defaults are not ours, as after a pooler dropped what a session had set.
    await database.execute(`ALTER DATABASE ${database.name} SET TimeZone = 'Asia/Tokyo'; ALTER DATABASE ${database.name} SET bytea_output = 'escape'`)
    await withSession({ url: proxy.url(database.url) }, async (session) => {
      const text = 'SELECT \'2024-01-02 00:00:00Z\'::timestamptz, \'\\x00ff\'::bytea, current_setting(\'row_security\')'
      for (let i = 0; i < 3; i += 1) expect(await session.query({ text })).toEqual([['2024-01-02 00:00:00+00', '\\x00ff', 'off']])
      expect(proxy.accepted).toBe(2)
    })
    await database.execute(`ALTER DATABASE ${database.name} RESET ALL`)
  })
})

describe('configuration', () => {
  const url = (): URL => new URL(database.url)
  let sql: postgres.Sql
  let queries = 0

  beforeAll(() => {
    sql = postgres(database.url, { max: 1, onnotice: () => undefined, debug: () => void (queries += 1) })
  })
  afterAll(() => sql.end({ timeout: 1 }))

  it('takes a host, a Unix socket, an environment variable, a function and an instance', async () => {
    const { hostname, port, username, password, pathname } = url()
    const byHost = { host: hostname, port: Number(port || 5432), user: username, password, database: pathname.slice(1) }
    process.env['TIDEMARK_TEST_URL'] = database.url
    const [[folder] = []] = await withSession(byHost, (session) => session.query({ text: 'SELECT split_part(current_setting(\'unix_socket_directories\'), \',\', 1)' }))
    const configs: PostgresConfig[] = [
      byHost, { ...byHost, password: () => password }, { url: { env: 'TIDEMARK_TEST_URL' } }, { url: () => Promise.resolve(database.url) }, { sql },
      { url: `postgres:///${database.name}?host=${encodeURIComponent(folder ?? '')}&user=${username}&password=${password}&port=${port || 5432}` },
    ]
    for (const config of configs) {
      expect(await withSession(config, (session) => session.query({ text: 'SELECT current_database()' }))).toEqual([[database.name]])
    }
    expect(queries).toBe(0)
    expect(await sql`SELECT 1 AS one`).toEqual([{ one: 1 }])
  })
})

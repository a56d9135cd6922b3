import { createServer } from 'node:net'
import { inspect } from 'node:util'
import { createPool } from 'mysql2/promise'
import { afterAll, afterEach, beforeAll, describe as group, expect, it } from 'vitest'
import type { TableSchema } from '@tidemark/core/adapter'
import { MysqlSourceConnection } from './mysql-source-connection.ts'
import { mysqlSource } from './mysql-source.ts'
import { readConfig } from './connection-settings.ts'
import { parseDsn } from './parse-dsn.ts'
import { RowCollector } from './row-collector.ts'
import { describe, openTestDatabase, serverUrl, type TestDatabase } from './test/test-database.ts'

let database: TestDatabase
let source: MysqlSourceConnection
let table: TableSchema
const unhandled: unknown[] = []
const onUnhandled = (reason: unknown): void => void unhandled.push(reason)

beforeAll(async () => {
  process.on('unhandledRejection', onUnhandled)
  database = await openTestDatabase()
  source = await database.connectSource()
  await database.writer.query('CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(200)); INSERT INTO t VALUES (1, REPEAT(\'x\', 200))')
  for (let rows = 1; rows < 60_000; rows *= 2) await database.writer.query('INSERT INTO t SELECT id + (SELECT MAX(id) FROM t), v FROM t')
  await database.writer.query('CREATE VIEW slow AS SELECT id, SLEEP(30) AS v FROM t WHERE id < 3')
  table = await describe(database, source, 't')
})

afterEach(() => {
  expect(unhandled).toEqual([])
})

afterAll(async () => {
  await database[Symbol.asyncDispose]()
  process.off('unhandledRejection', onUnhandled)
})

const parts = parseDsn(serverUrl())

group('connecting', () => {
  // A server without TLS is refused, never spoken to in plaintext instead.
  it.each([
    [{ password: 'hunter2' }, 'SOURCE_AUTH_FAILED'],
    [{ database: 'no_such_database' }, 'SOURCE_AUTH_FAILED'],
    [{ port: 1 }, 'SOURCE_UNREACHABLE'],
    [{ host: 'nowhere.invalid', tls: 'disable' }, 'SOURCE_UNREACHABLE'],
    [{ tls: 'verify' }, 'SOURCE_TLS_FAILED'],
    [{ tls: 'insecure-no-verify' }, 'SOURCE_TLS_FAILED'],
    [{ password: { env: 'TIDEMARK_NOT_SET' } }, 'SECRET_MISSING'],
  ] as const)('%j is %s', async (change, code) => {
    const dialect = mysqlSource({ host: parts.host, port: parts.port, user: parts.user, database: parts.database, ...change })
    const error: unknown = await dialect.connect().catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code })
    expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain('hunter2')
  })

  it('stops at the time limit of a host that says nothing', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1')
    await new Promise((resolve) => silent.once('listening', resolve))
    const address = silent.address()
    const port = typeof address === 'object' ? address?.port : undefined
    await expect(mysqlSource({ port, connectTimeoutMs: 50 }).connect()).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' })
    await expect(mysqlSource({ port }).connect({ signal: AbortSignal.timeout(20) })).rejects.toMatchObject({ code: 'ABORTED' })
    silent.close()
  })

  it('takes a pool\'s settings and leaves the pool alone', async () => {
    const pool = createPool({ uri: database.url, connectionLimit: 1 })
    const dialect = mysqlSource({ pool })
    expect(dialect.address).toContain(database.name)
    const own = await dialect.connect()
    expect((await own.describeTable(dialect.parseTable('t'))).key).toEqual(['id'])
    await own[Symbol.asyncDispose]()
    const [rows] = await pool.query({ sql: 'SELECT COUNT(*) FROM t', rowsAsArray: true })
    expect(rows).toEqual([[65_536]])
    await pool.end()
  })
})

group('a connection', () => {
  it('is thrown away when it breaks, and another takes its place', async () => {
    const own = await database.connectSource()
    const [threads] = await database.writer.query<never[]>({ sql: 'SELECT id FROM information_schema.processlist WHERE db = ? AND id <> CONNECTION_ID() ORDER BY id DESC LIMIT 1', rowsAsArray: true, values: [database.name] })
    const slow = await describe(database, own, 'slow')
    const killed = expect(own.readRows({ table: slow, columns: slow.columns, key: ['id'], limit: 1 }))
      .rejects.toMatchObject({ code: expect.stringMatching(/^SOURCE_(?:UNREACHABLE|BUSY)$/u) as string, retryable: true })
    await database.writer.query(`KILL ${String((threads as unknown as readonly (readonly number[])[])[0]?.[0])}`)
    await killed
    expect((await own.readRows({ table, columns: table.columns, key: ['id'], limit: 1 })).rows).toHaveLength(1)
  })

  it('ends a statement with its signal, and goes on afterwards', async () => {
    const slow = await describe(database, source, 'slow')
    const controller = new AbortController()
    const read = source.readRows({ table: slow, columns: slow.columns, key: ['id'], limit: 1, signal: controller.signal })
    setTimeout(() => controller.abort(), 50)
    await expect(read).rejects.toMatchObject({ code: 'ABORTED', name: 'AbortError' })
    await expect(source.readRows({ table, columns: table.columns, key: ['id'], limit: 1, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' })
    expect((await source.readRows({ table, columns: table.columns, key: ['id'], limit: 1 })).rows).toHaveLength(1)
  })

  it('leaves no statement running on the server when it gives up', async () => {
    const own = await database.connectSource()
    const slow = await describe(database, own, 'slow')
    const controller = new AbortController()
    const read = expect(own.readRows({ table: slow, columns: slow.columns, key: ['id'], limit: 1, signal: controller.signal })).rejects.toMatchObject({ code: 'ABORTED' })
    const running = async (): Promise<unknown> => {
      const [rows] = await database.writer.query({ sql: 'SELECT COUNT(*) FROM information_schema.processlist WHERE db = ? AND info LIKE \'%slow%\' AND id <> CONNECTION_ID()', rowsAsArray: true, values: [database.name] })
      return (rows as unknown as readonly (readonly unknown[])[])[0]?.[0]
    }
    await expect.poll(running, { timeout: 10_000 }).toBe(1)
    controller.abort()
    await read
    await own[Symbol.asyncDispose]()
    await expect.poll(running, { timeout: 10_000 }).toBe(0)
  })

  it('ends a statement at its time limit', async () => {
    const own = new MysqlSourceConnection(readConfig({ url: database.url, queryTimeoutMs: 300 }))
    const slow = await describe(database, own, 'slow')
    await expect(own.readRows({ table: slow, columns: slow.columns, key: ['id'], limit: 1 })).rejects.toMatchObject({ code: 'TIMEOUT' })
    const stream = await own.streamRows({ table: slow, columns: slow.columns, key: ['id'] })
    await expect(stream[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'TIMEOUT' })
    await own[Symbol.asyncDispose]()
    await expect(own.describeTable({ name: 't' })).rejects.toMatchObject({ code: 'CLOSED' })
  })

  it('tells a missing column and a missing table without quoting the statement', async () => {
    await database.writer.query('CREATE TABLE gone (id INT PRIMARY KEY, secret_column INT)')
    const gone = await describe(database, source, 'gone')
    await database.writer.query('ALTER TABLE gone DROP COLUMN secret_column')
    const error: unknown = await source.readRows({ table: gone, columns: gone.columns, key: ['id'], limit: 1 }).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'COLUMN_UNKNOWN' })
    expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain('secret_column')
    await database.writer.query('DROP TABLE gone')
    await expect(source.readRows({ table: gone, columns: gone.columns, key: ['id'], limit: 1 })).rejects.toMatchObject({ code: 'TABLE_UNKNOWN' })
  })
})

group('a stream', () => {
  it('holds back the server while its reader waits, and leaves the connection free', async () => {
    const stream = await source.streamRows({ table, columns: table.columns, key: ['id'] })
    const sink = new RowCollector(table.columns.length)
    let isPolled = false
    for await (const chunk of stream) {
      if (!isPolled) expect((await source.readRows({ table, columns: table.columns, key: ['id'], limit: 7 })).rows).toHaveLength(7)
      isPolled = true
      stream.decoder.push(chunk, sink)
    }
    stream.decoder.end()
    expect(stream.decoder.rows).toBe(65_536)
    expect(stream.decoder.last).toEqual({ key: [String(sink.rows.at(-1)?.[0])] })
    expect(new Set(sink.rows.map((row) => row[0])).size).toBe(65_536)
  })

  it('can be left in the middle, aborted and disposed unread', async () => {
    const left = await source.streamRows({ table, columns: table.columns, key: ['id'] })
    for await (const chunk of left) {
      expect(chunk.length).toBeGreaterThan(0)
      break
    }
    await expect(left[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'CLOSED' })
    const controller = new AbortController()
    const aborted = await source.streamRows({ table, columns: table.columns, key: ['id'], signal: controller.signal })
    const read = async (): Promise<void> => {
      for await (const chunk of aborted) {
        expect(chunk.length).toBeGreaterThan(0)
        controller.abort()
      }
    }
    await expect(read()).rejects.toMatchObject({ code: 'ABORTED' })
    await (await source.streamRows({ table, columns: table.columns, key: [] }))[Symbol.asyncDispose]()
  })

  it('passes on the server\'s error instead of ending early', async () => {
    await database.writer.query('CREATE VIEW fails AS SELECT id, IF(id = 40000, (SELECT id FROM t AS o WHERE o.id < 3 + t.id * 0), 0) AS v FROM t')
    const fails = await describe(database, source, 'fails')
    const stream = await source.streamRows({ table: fails, columns: fails.columns, key: ['id'] })
    const read = async (): Promise<void> => {
      for await (const chunk of stream) expect(chunk.length).toBeGreaterThan(0)
    }
    await expect(read()).rejects.toMatchObject({ code: 'SOURCE_FAILED', detail: 'ER_SUBQUERY_NO_1_ROW' })
  })

  it('carries rows longer than a packet', async () => {
    const cells = ['a', 'b', 'c', 'd', 'e'].map((letter) => `REPEAT('${letter}', 4000000) AS ${letter}`)
    await database.writer.query(`CREATE VIEW wide AS SELECT id, ${cells.join(', ')} FROM t WHERE id < 3`)
    const wide = await describe(database, source, 'wide')
    const lengths: unknown[] = []
    const stream = await source.streamRows({ table: wide, columns: wide.columns, key: [] })
    const sink = new RowCollector(wide.columns.length)
    for await (const chunk of stream) stream.decoder.push(chunk, sink)
    stream.decoder.end()
    for (const row of sink.rows) lengths.push(...row.slice(1).map((cell) => String(cell).replaceAll(/(.)\1*/gu, (run) => `${run.slice(0, 1)}${run.length}`)))
    expect(lengths).toEqual([...Array(2)].flatMap(() => ['a4000000', 'b4000000', 'c4000000', 'd4000000', 'e4000000']))
  })
})

group('privileges', () => {
  it('SELECT is enough to read and to settle by locks; without PROCESS a view has only the grace', async () => {
    const user = database.name.slice(0, 16)
    // An anonymous user of localhost, where there is one, would come before a user of any host.
    const accounts = [`'${user}'@'%'`, `'${user}'@'localhost'`, `'${user}'@'127.0.0.1'`]
    for (const account of accounts) await database.writer.query(`CREATE USER ${account} IDENTIFIED BY 'hunter2'; GRANT SELECT ON ${database.name}.* TO ${account}`)
    await database.writer.query('CREATE VIEW seen AS SELECT id FROM t')
    const own = new MysqlSourceConnection(readConfig({ host: parts.host, port: parts.port, user, password: 'hunter2', database: database.name }))
    const at = { tracking: '1', key: ['1'] }
    const marks = [{ cursor: at, fence: 'locks@1', readAtMs: 0 }]
    expect(await own.readRows({ table, columns: table.columns, key: ['id'], tracking: 'id', limit: 2, marks })).toMatchObject({ settledMarks: 1, fence: expect.stringMatching(/^locks@/u) as string })
    const seen = await describe(database, own, 'seen')
    expect(await own.readRows({ table: seen, columns: seen.columns, key: ['id'], tracking: 'id', limit: 2, marks })).toMatchObject({ settledMarks: 1, fence: expect.stringMatching(/^grace@/u) as string })
    await expect(describe(database, own, 'mysql.user')).rejects.toMatchObject({ code: 'SOURCE_PERMISSION_DENIED' })
    expect((await own.diagnose({ table: { ...table, ref: { schema: 'mysql', name: 'user' } }, tracking: undefined })).map((finding) => finding.id)).toEqual(['select-denied'])
    await own[Symbol.asyncDispose]()
    await database.writer.query(`DROP USER ${accounts.join(', ')}`)
  })
})

group('diagnose', () => {
  it('names what is wrong, with statements that mend it', async () => {
    await database.writer.query('CREATE TABLE sick (id VARCHAR(10) PRIMARY KEY, at DATETIME, u BIGINT UNSIGNED)')
    const sick = await describe(database, source, 'sick')
    const found = await source.diagnose({ table: sick, tracking: 'at' })
    expect(found.map((finding) => finding.id)).toEqual([
      'key-collation-insensitive', 'unsigned-may-overflow', 'tracking-index-missing', 'tracking-nullable', 'tracking-coarse', 'tracking-not-updated', 'settling-by-locks',
    ])
    // Deepest change last: it also makes the column NOT NULL.
    for (const finding of found) if (finding.sql !== undefined) await database.writer.query(finding.sql)
    const healed = await source.diagnose({ table: await describe(database, source, 'sick'), tracking: 'at' })
    expect(healed.map((finding) => finding.id)).toEqual(['key-collation-insensitive', 'unsigned-may-overflow', 'settling-by-locks'])
  })

  it('knows other shapes', async () => {
    await database.writer.query('CREATE TABLE heap (f FLOAT) ENGINE = MyISAM')
    const heap = await describe(database, source, 'heap')
    const found = await source.diagnose({ table: heap, tracking: 'f' })
    expect(found.map((finding) => finding.id)).toEqual(['key-missing', 'tracking-float', 'tracking-index-missing', 'tracking-nullable', 'engine-without-locks', 'settling-by-transactions'])
    await database.writer.query('CREATE TABLE counter (id INT AUTO_INCREMENT PRIMARY KEY)')
    const counter = await source.diagnose({ table: await describe(database, source, 'counter'), tracking: 'id' })
    expect(counter.map((finding) => finding.id).filter((id) => id !== 'auto-increment-interleaved')).toEqual(['tracking-insert-only', 'settling-by-locks'])
  })
})

import { mysqlForTests } from '@tidemark/test-servers/vitest'
import { Replicator } from '@tidemark/core'
import { mysqlSource, type MysqlSourceConfig } from '@tidemark/mysql'
import { nodeSqliteTarget } from '@tidemark/node'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { createConnection } from 'mysql2/promise'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ReplicaRequest } from './test/replica-object.ts'
import { startWorker, type StartedWorker } from './test/start-worker.ts'

const server = await mysqlForTests()
const database = await server.createDatabase()
const writer = await createConnection({ uri: database.superuserUrl, multipleStatements: true })
// The ordinary user, who may read and no more.
const { url } = database

let worker: StartedWorker
let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-replica-'))
  worker = await startWorker('mysql-replica-worker.ts', { durableObjects: { REPLICAS: { className: 'ReplicaObject', useSQLite: true } } }, { usesNode: true })
})
afterAll(async () => {
  await worker[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
  await writer.end()
  await database[Symbol.asyncDispose]()
})

interface Answer {
  readonly code: string
  readonly result?: { readonly rows: number; readonly rowsRead: number }
}

async function sync(object: string, request: Omit<ReplicaRequest<MysqlSourceConfig>, 'config' | 'trackingColumn'> & { readonly config?: MysqlSourceConfig }): Promise<Answer> {
  const body = JSON.stringify({ config: { url, tls: 'disable' }, trackingColumn: 'id', ...request })
  const response = await worker.runtime.dispatchFetch('http://worker/sync', { method: 'POST', headers: { object }, body })
  return await response.json() as Answer // as the worker writes it
}

async function query(object: string, text: string): Promise<unknown> {
  return (await worker.runtime.dispatchFetch('http://worker/query', { method: 'POST', headers: { object }, body: text })).json()
}

/** Storage class and value of each cell: doubles as themselves, texts as bytes, all else as SQLite writes it. */
function cellsSql(columns: readonly string[]): string {
  const cells = columns.map((column) => `typeof("${column}"), CASE typeof("${column}") WHEN 'real' THEN "${column}" WHEN 'text' THEN hex("${column}") ELSE quote("${column}") END`)
  return `SELECT ${cells.join(', ')} FROM copy ORDER BY id`
}

function rowsOf(statement: StatementSync): readonly unknown[] {
  statement.setReturnArrays(true)
  return statement.all()
}

/** A column for each, with a row for each of its values. */
const TYPES: readonly (readonly [type: string, ...values: string[]])[] = [
  ['bigint', '9223372036854775807', '-9223372036854775808', '9007199254740993'], ['bigint unsigned', '9223372036854775807', '0'], ['decimal(30,10)', '1.1', '-12345678901234567890.0123456789'],
  ['double', '0.1', '-5e-324', '1.7976931348623157e308'], ['tinyint(1)', '1', '0'], ['text', `''`, `'über 𝄞'`], ['longtext', `REPEAT('long ', 50000)`], ['varbinary(10)', `x'00ff'`, `''`], ['json', `'{"a": [1.0]}'`],
  ['datetime(6)', `'2024-01-02 03:04:05.123456'`], ['timestamp', `'2024-01-02 03:04:05'`], ['date', `'2024-02-29'`], ['time(3)', `'-838:59:58.123'`], ['year', '2024'], ['bit(5)', `b'10101'`], [`enum('a','b')`, `'b'`],
]

describe('a replica of MySQL in a Durable Object', () => {
  it('has every value as a replica in Node has it', async () => {
    const names = TYPES.map((_, index) => `c${index}`)
    await writer.query(`CREATE TABLE typed (id BIGINT PRIMARY KEY, ${TYPES.map(([type], index) => `c${index} ${type} NULL`).join(', ')}) CHARACTER SET utf8mb4`)
    for (let row = 0; row < 4; row += 1) {
      await writer.query(`INSERT INTO typed VALUES (${[9_007_199_254_740_990n + BigInt(row), ...TYPES.map(([, ...values]) => values[row] ?? 'NULL')].join(', ')})`)
    }
    expect(await sync('typed', { sourceTable: 'typed' })).toMatchObject({ code: 'none', result: { rows: 4 } })
    const path = join(folder, 'typed.db')
    {
      await using replicator = new Replicator({ target: nodeSqliteTarget({ path }), replications: [{ name: 'copy', source: mysqlSource({ url, tls: 'disable' }), sourceTable: 'typed', targetTable: 'copy', trackingColumn: 'id' }] })
      await replicator.syncNow()
    }
    using local = new DatabaseSync(path)
    const expected = rowsOf(local.prepare(cellsSql(['id', ...names])))
    expect(expected).toHaveLength(4)
    expect(await query('typed', cellsSql(['id', ...names]))).toEqual(expected)
  })

  it('goes on where it was after it was evicted in the middle of a load, and takes what comes afterwards', async () => {
    await writer.query('CREATE TABLE many (id BIGINT PRIMARY KEY, note VARCHAR(40)); INSERT INTO many SELECT seq, MD5(seq) FROM seq_1_to_20000')
    await expect(sync('many', { sourceTable: 'many', evictAfterRows: 8_000 })).rejects.toThrow()
    const resumed = await sync('many', { sourceTable: 'many' })
    expect(resumed.code).toBe('none')
    // What was not stored yet when it was evicted is read again.
    expect(resumed.result?.rowsRead).toBeLessThan(20_000)
    await writer.query(`INSERT INTO many SELECT seq, 'new' FROM seq_20001_to_20100`)
    expect(await sync('many', { sourceTable: 'many' })).toMatchObject({ code: 'none', result: { rows: 100 } })
    const [rows] = await writer.query({ sql: 'SELECT id, note FROM many ORDER BY id', rowsAsArray: true })
    expect(await query('many', 'SELECT id, note FROM copy ORDER BY id')).toEqual(rows)
  })

  it('tells by code what is wrong with the source, without its password, and leaves no connection behind', async () => {
    const wrong = new URL(url)
    wrong.password = 'hunter2-wrong'
    const dead = new URL(url)
    dead.port = '1'
    for (const [href, code] of [[wrong.href, /^SOURCE_AUTH_FAILED/], [dead.href, /^SOURCE_UNREACHABLE/]] as const) {
      const answer = await sync('wrong', { sourceTable: 'many', config: { url: href, tls: 'disable', connectTimeoutMs: 5_000 } })
      expect(answer.code).toMatch(code)
      expect(JSON.stringify(answer)).not.toContain('hunter2')
    }
    for (const tls of ['verify', 'insecure-no-verify'] as const) expect((await sync('wrong', { sourceTable: 'many', config: { url, tls } })).code).toBe('NOT_SUPPORTED')
    expect((await sync('wrong', { sourceTable: 'missing' })).code).toMatch(/^TABLE_UNKNOWN/)
    const left = async (): Promise<unknown> => (await writer.query({ sql: `SELECT COUNT(*) FROM information_schema.processlist WHERE user = '${new URL(url).username}'`, rowsAsArray: true }))[0]
    // The server takes its time to end a session that was taken leave of.
    await expect.poll(left, { timeout: 10_000 }).toEqual([[0]])
  })
})

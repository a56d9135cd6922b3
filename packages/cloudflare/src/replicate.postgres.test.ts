import { postgresForTests } from '@tidemark/test-servers/vitest'
import { Replicator } from '@tidemark/core'
import { nodeSqliteTarget } from '@tidemark/node'
import { postgresSource, type PostgresConfig } from '@tidemark/postgres'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ReplicaRequest } from './test/replica-object.ts'
import { startWorker, type StartedWorker } from './test/start-worker.ts'

const server = await postgresForTests()
const database = await server.createDatabase(`tidemark_worker_${process.pid}`)
const sql = postgres(database.superuserUrl, { max: 1, onnotice: () => {} })
const url = database.superuserUrl

let worker: StartedWorker
let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-replica-'))
  worker = await startWorker('postgres-replica-worker.ts', { durableObjects: { REPLICAS: { className: 'ReplicaObject', useSQLite: true } } }, { usesNode: true })
})
afterAll(async () => {
  await worker[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
  await sql.end({ timeout: 5 })
  await database[Symbol.asyncDispose]()
})

interface Answer {
  readonly code: string
  readonly result?: { readonly rows: number; readonly rowsRead: number }
}

async function sync(object: string, request: Omit<ReplicaRequest<PostgresConfig>, 'config' | 'trackingColumn'> & { readonly config?: PostgresConfig }): Promise<Answer> {
  const body = JSON.stringify({ config: { url }, trackingColumn: 'id', ...request })
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
  ['int8', '9223372036854775807', '-9223372036854775808', '9007199254740993', '0'], ['numeric', '1.10', `'NaN'`, '-0.000000000000000000001'], ['numeric(10,2)', '12.5', '-3'],
  ['float8', '0.1', `'-Infinity'`, `'NaN'`, '5e-324'], ['float4', '1.1', '3.4e38'], ['bool', 'true', 'false'], ['text', `''`, `'über 𝄞'`, `E'tab\\t\\n'`, `repeat('long ', 50000)`],
  ['bytea', `'\\x00ff'`, `''`], ['jsonb', `'{"a": [1.0]}'`], ['uuid', `'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'`], ['timestamptz', `'2024-01-02 03:04:05.123456+02'`, `'1999-12-31 23:59:59-08'`],
  ['timestamp', `'2024-01-02 03:04:05'`], ['date', `'2024-02-29'`], ['time', `'24:00'`], ['interval', `'1 year -3 days 04:05:06.7'`], ['bit(5)', `B'10101'`], ['inet', `'192.168.0.1/24'`],
  ['int4[]', `'{1,NULL,3}'`], ['int4range', `'[1,5)'`],
]

describe('a replica of PostgreSQL in a Durable Object', () => {
  it('has every value as a replica in Node has it', async () => {
    const names = TYPES.map((_, index) => `c${index}`)
    await sql.unsafe(`create table typed (id bigint primary key, ${TYPES.map(([type], index) => `c${index} ${type}`).join(', ')})`)
    for (let row = 0; row < 5; row += 1) {
      await sql.unsafe(`insert into typed values (${[9_007_199_254_740_990n + BigInt(row), ...TYPES.map(([, ...values]) => values[row] ?? 'null')].join(', ')})`)
    }
    expect(await sync('typed', { sourceTable: 'public.typed' })).toMatchObject({ code: 'none', result: { rows: 5 } })
    const path = join(folder, 'typed.db')
    {
      await using replicator = new Replicator({ target: nodeSqliteTarget({ path }), replications: [{ name: 'copy', source: postgresSource({ url }), sourceTable: 'public.typed', targetTable: 'copy', trackingColumn: 'id' }] })
      await replicator.syncNow()
    }
    using local = new DatabaseSync(path)
    const expected = rowsOf(local.prepare(cellsSql(['id', ...names])))
    expect(expected).toHaveLength(5)
    expect(await query('typed', cellsSql(['id', ...names]))).toEqual(expected)
  })

  it('goes on where it was after it was evicted, in the middle of a load and between syncs', async () => {
    await sql`create table many as select n::bigint as id, md5(n::text) as note from generate_series(1, 20000) n`
    await sql`alter table many add primary key (id)`
    await expect(sync('many', { sourceTable: 'many', evictAfterRows: 8_000 })).rejects.toThrow()
    const resumed = await sync('many', { sourceTable: 'many' })
    expect(resumed.code).toBe('none')
    // What was not stored yet when it was evicted is read again.
    expect(resumed.result?.rowsRead).toBeLessThan(20_000)
    await sql`insert into many select n, 'new' from generate_series(20001, 20100) n`
    expect(await sync('many', { sourceTable: 'many' })).toMatchObject({ code: 'none', result: { rows: 100 } })
    const [expected] = await sql`select count(*)::int as n, sum(length(note))::int as length, md5(string_agg(note, '' order by id)) as digest from many`
    expect(await query('many', 'SELECT count(*), sum(length(note)) FROM copy')).toEqual([[expected?.['n'], expected?.['length']]])
    const notes = await query('many', 'SELECT note FROM copy ORDER BY id') as readonly (readonly string[])[]
    const [digest] = await sql`select md5(${notes.map(([note]) => note).join('')}) as digest`
    expect(digest?.['digest']).toBe(expected?.['digest'])
  })

  it('tells by code what is wrong with the source, without its password, and leaves no connection behind', async () => {
    const wrong = new URL(url)
    wrong.password = 'hunter2-wrong'
    const dead = new URL(url)
    dead.port = '1'
    const sourceTable = 'public.many'
    // The server of the tests may let everybody in: then it is another user that it does not know.
    wrong.username = 'nobody_of_that_name'
    for (const [config, code] of [[{ url: wrong.href }, /^SOURCE_(AUTH_FAILED|PERMISSION_DENIED)/], [{ url: dead.href }, /^SOURCE_UNREACHABLE/]] as const) {
      const answer = await sync('wrong', { sourceTable, config: { ...config, connectTimeoutMs: 5_000 } })
      expect(answer.code).toMatch(code)
      expect(JSON.stringify(answer)).not.toContain('hunter2')
    }
    expect((await sync('wrong', { sourceTable: 'public.missing' })).code).toBe('TABLE_UNKNOWN')
    const [left] = await sql`select count(*)::int as n from pg_stat_activity where application_name = 'tidemark'`
    expect(left?.['n']).toBe(0)
  })

  it('works without prepared statements, as a pooler or Hyperdrive wants it', async () => {
    expect(await sync('pooled', { sourceTable: 'public.many', config: { url: `${url}?sslmode=disable`, prepare: false } })).toMatchObject({ code: 'none', result: { rows: 20_100 } })
  })
})

import { mkdtemp, rm } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import type { ServerAccess, TestDatabase } from '@tidemark/test-servers'
import { postgresForTests } from '@tidemark/test-servers/vitest'
import postgres from 'postgres'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cityRows } from './city-row.ts'
import { compareCells, isEqual, type Comparison } from './compare-cells.ts'
import { CELL_COLUMNS } from './cell-columns.ts'
import { Replica } from './replica.ts'
import { Reporter } from './reporter.ts'
import { createSource } from './source-table.ts'

const ROWS = 2_000
// A stream that nobody reads: the reporter's lines are of no interest here.
const reporter = new Reporter(Object.assign(new PassThrough().resume(), { isTTY: false }))

let database: TestDatabase
let sql: postgres.Sql
let folder: string
let path: string

beforeAll(async () => {
  const server: ServerAccess = await postgresForTests()
  database = await server.createDatabase()
  sql = postgres(database.url, { max: 1, onnotice: () => {} })
  folder = await mkdtemp(join(tmpdir(), 'tidemark-demo-test-'))
  path = join(folder, 'cities.db')
  await createSource(sql, cityRows().slice(0, ROWS))
  const replica = new Replica({ url: database.url, path, reporter, expectedRows: ROWS })
  await replica.load()
  await replica.catchUp()
  await replica[Symbol.asyncDispose]()
})

afterAll(async () => {
  await sql.end({ timeout: 5 })
  await database[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

function compare(): Promise<Comparison> {
  return compareCells({ sql, path, reporter, expectedRows: ROWS })
}

/** Changes the copy, compares, and puts the copy back. */
async function compareAfter(change: string): Promise<Comparison> {
  const database = new DatabaseSync(path)
  database.exec('create table kept as select * from cities')
  try {
    expect(database.prepare(change).run().changes).toBe(1)
    return await compare()
  } finally {
    database.exec('delete from cities; insert into cities select * from kept; drop table kept')
    database.close()
  }
}

test('a copy made by the library is equal in every cell', async () => {
  const comparison = await compare()
  expect(comparison).toMatchObject({ rows: ROWS, cells: ROWS * CELL_COLUMNS.length, missing: 0, extra: 0, differingCells: 0, examples: [] })
  expect(isEqual(comparison)).toBe(true)
})

// Any value of each column that another row has would do; each of these differs from whatever is there.
test.each(CELL_COLUMNS.filter(({ name }) => name !== 'id').map(({ name }) => name))('a changed %s is found', async (column) => {
  const change = `update cities set ${column} = case when typeof(${column}) in ('integer', 'real') then ${column} + 1
    when typeof(${column}) = 'blob' then x'00' else coalesce(${column}, '') || 'x' end where id = (select min(id) from cities)`
  const comparison = await compareAfter(change)
  expect(comparison).toMatchObject({ missing: 0, extra: 0, differingCells: 1 })
  expect(isEqual(comparison)).toBe(false)
})

test('an equal text of another storage class is found', async () => {
  const comparison = await compareAfter('update cities set latitude = cast(latitude as blob) where id = (select max(id) from cities)')
  expect(comparison.differingCells).toBe(1)
})

test.each(['min', 'max'])('a missing row and an extra row are found, at the %s', async (end) => {
  expect(await compareAfter(`delete from cities where id = (select ${end}(id) from cities)`)).toMatchObject({ missing: 1, extra: 0, differingCells: 0 })
  const id = end === 'min' ? -1 : 9_000_000_000
  expect(await compareAfter(`insert into cities (id) values (${id})`)).toMatchObject({ missing: 0, extra: 1, differingCells: 0 })
})

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { Exporter, Importer, verifyDump, type ExportRequest, type ExportStatus } from '@tidemark/core'
import type { ExportSource } from '@tidemark/core/adapter'
import { memoryStateStore } from '@tidemark/core/testing'
import { fsStorage, nodeSqlite } from '@tidemark/node'
import { postgresSource } from '@tidemark/postgres'
import type { TestDatabase } from '@tidemark/test-servers'
import { postgresForTests } from '@tidemark/test-servers/vitest'
import postgres from 'postgres'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cityRows } from './city-row.ts'
import { compareCells } from './compare-cells.ts'
import { Reporter } from './reporter.ts'
import { createSource } from './source-table.ts'

const rows = cityRows()
const reporter = new Reporter(Object.assign(new PassThrough().resume(), { isTTY: false }))

let database: TestDatabase
let copy: TestDatabase
let sql: postgres.Sql
let folder: string
let path: string

beforeAll(async () => {
  const server = await postgresForTests()
  database = await server.createDatabase(`tidemark_cities_${process.pid}`)
  copy = await server.createDatabase(`tidemark_cities_copy_${process.pid}`)
  sql = postgres(database.url, { max: 1, onnotice: () => undefined })
  folder = mkdtempSync(join(tmpdir(), 'tidemark-cities-'))
  path = join(folder, 'cities.db')
  await createSource(sql, rows)
})
afterAll(async () => {
  await sql.end({ timeout: 5 })
  await database[Symbol.asyncDispose]()
  await copy[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

async function dump(source: ExportSource, request: ExportRequest): Promise<ExportStatus> {
  await using exporter = new Exporter({ source, storage: fsStorage(join(folder, 'dumps')), state: memoryStateStore() })
  const { id } = await exporter.start({ fileName: 'dump', ...request })
  return exporter.finish(id)
}

const storage = (): ReturnType<typeof fsStorage> => fsStorage(join(folder, 'dumps'))

test('all cities go from PostgreSQL through psql into another, with the same bytes again', async () => {
  const { exportId, key, totalRowsExported } = await dump(postgresSource({ url: database.url }), {})
  expect(totalRowsExported).toBe(rows.length)
  execFileSync('psql', ['--no-psqlrc', '--quiet', '--set=ON_ERROR_STOP=1', '--file', join(folder, 'dumps', key ?? ''), copy.url], { stdio: ['ignore', 'ignore', 'pipe'] })
  await expect(verifyDump({ storage: storage(), id: exportId, mode: 'deep', against: postgresSource({ url: copy.url }) })).resolves.toMatchObject({ ok: true, findings: [] })
})

test('they go into SQLite as rows, equal in every cell, and from there through its shell', async () => {
  const { exportId } = await dump(postgresSource({ url: database.url }), { format: 'ndjson', layout: 'directory', compression: 'gzip' })
  await new Importer({ source: storage(), target: nodeSqlite({ path }) }).load(exportId)
  expect(await compareCells({ sql, path, reporter, expectedRows: rows.length })).toMatchObject({ rows: rows.length, missing: 0, extra: 0, differingCells: 0, examples: [] })
  const { exportId: id, key } = await dump(nodeSqlite({ path }), {})
  const restored = join(folder, 'restored.db')
  execFileSync('sqlite3', ['-bail', restored], { input: readFileSync(join(folder, 'dumps', key ?? '')) })
  await expect(verifyDump({ storage: storage(), id, mode: 'deep', against: nodeSqlite({ path: restored }) })).resolves.toMatchObject({ ok: true, findings: [] })
  expect(await compareCells({ sql, path: restored, reporter, expectedRows: rows.length })).toMatchObject({ rows: rows.length, differingCells: 0 })
})

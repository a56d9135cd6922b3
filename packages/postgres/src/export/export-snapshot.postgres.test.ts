import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Exporter, Importer, verifyDump, type ExportRequest } from '@tidemark/core'
import { memoryStateStore } from '@tidemark/core/testing'
import { fsStorage, nodeSqlite } from '@tidemark/node'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { postgresSource } from '../postgres-source.ts'
import { useTestDatabase } from '../test/test-database.ts'
import { dump } from './test/dump.ts'
import { exportsUnderWrites, makeBank } from './test/exports-under-writes.ts'

const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31)
const database = await useTestDatabase('export_snap')
const copy = await useTestDatabase('export_snap_copy')
const source = (): ReturnType<typeof postgresSource> => postgresSource({ url: database.url })

beforeAll(async () => {
  await makeBank(database, 60_000)
  await database.execute('CREATE TABLE tmp_x (a int); CREATE TABLE tmplx (a int)')
})

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'tidemark-pg-'))
  onTestFinished(() => rmSync(made, { recursive: true, force: true }))
  return made
}

describe('an export of one instant', () => {
  test('has every account and all of the money, whatever is written meanwhile', { timeout: 240_000 }, async () => {
    process.stdout.write(`export under writes: SEED=${seed}\n`)
    await exportsUnderWrites({ database, copy, rounds: 10, seed })
  })

  test.each<ExportRequest>([{ layout: 'directory', concurrency: 4, compression: 'gzip' }, { format: 'csv' }, { format: 'ndjson', layout: 'directory', partBytes: 300_000 }])('is written in every way, and verified (%o)', async (request) => {
    const { folder: at, id, status } = await dump(database.url, request)
    expect(status).toMatchObject({ status: 'completed', totalRowsExported: 65_000 })
    await expect(verifyDump({ storage: fsStorage(at), id, mode: 'deep', against: source() })).resolves.toMatchObject({ ok: true, findings: [] })
  })

  test('can be loaded into SQLite, as rows', async () => {
    const { folder: at, id } = await dump(database.url, { format: 'ndjson', tables: ['accounts'] })
    const path = join(at, 'copy.db')
    await expect(new Importer({ source: fsStorage(at), target: nodeSqlite({ path }) }).load(id)).resolves.toMatchObject({ rows: 5_000 })
    const { stdout } = await promisify(execFile)('sqlite3', [path, 'SELECT count(*), typeof(balance), sum(balance) FROM accounts'])
    expect(stdout).toBe('5000|integer|500000\n')
  })

  test('begins anew when the connection that held the snapshot is gone, and leaves nothing half', async () => {
    const at = folder()
    await using exporter = new Exporter({ source: source(), storage: fsStorage(at), state: memoryStateStore(), retry: { baseMs: 1 } })
    const { id } = await exporter.start({ fileName: 'dump', partBytes: 2_000_000, budget: { bytes: 1 } })
    for (let step = 0; step < 4; step += 1) await exporter.step(id)
    await database.execute(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'tidemark'`)
    const status = await exporter.finish(id)
    expect(status).toMatchObject({ status: 'completed', attempt: 2, totalRowsExported: 65_000 })
    await expect(verifyDump({ storage: fsStorage(at), id, mode: 'rows', against: source() })).resolves.toMatchObject({ ok: true })
  })

  test('goes on when a connection that reads breaks, with the same snapshot', async () => {
    const at = folder()
    await using exporter = new Exporter({ source: source(), storage: fsStorage(at), state: memoryStateStore(), retry: { baseMs: 1 } })
    const { id } = await exporter.start({ fileName: 'dump', tables: ['big'], partBytes: 2_000_000, budget: { bytes: 1 } })
    for (let step = 0; step < 5; step += 1) await exporter.step(id)
    await database.execute(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'tidemark' AND query LIKE 'COPY%'`)
    expect(await exporter.finish(id)).toMatchObject({ status: 'completed', attempt: 1, totalRowsExported: 60_000 })
    await expect(verifyDump({ storage: fsStorage(at), id, mode: 'rows', against: source() })).resolves.toMatchObject({ ok: true })
  })

  test('leaves no connection behind', async () => {
    await dump(database.url, { tables: ['accounts'] })
    await expect.poll(() => database.execute(`SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'tidemark'`)).toEqual([])
  })
})

describe('what is exported', () => {
  const tablesOf = (sql: string): readonly string[] => [...sql.matchAll(/^CREATE TABLE public\.(\w+)/gm)].map(([, name]) => name ?? '')

  test('is chosen by name, condition and number, and left out by exact name or pattern', async () => {
    const some = await dump(database.url, { tables: [{ name: 'accounts', where: 'id > 10 -- all others', limit: 3 }, { name: 'public.big', where: `t LIKE '%ab%'`, limit: 2 }] })
    expect(some.status).toMatchObject({ totalRowsExported: 5, tablesTotal: 2 })
    expect(some.sql).toMatch(/COPY "public"\."accounts" \("id", "tag", "balance"\) FROM stdin;\n11\t.*\n12\t.*\n13\t.*\n\\\.\n/)
    expect(tablesOf((await dump(database.url, { exclude: ['public.tmp_x', 'public.big', /accounts$/] })).sql)).toEqual(['tmplx'])
    expect((await dump(database.url, { content: 'data', tables: ['accounts'] })).sql).not.toContain('CREATE')
    const schema = await dump(database.url, { content: 'schema' })
    expect([tablesOf(schema.sql), schema.sql.includes('COPY')]).toEqual([['accounts', 'big', 'tmp_x', 'tmplx'], false])
  })

  test.each<readonly [ExportRequest, string]>([
    [{ tables: ['none'] }, 'TABLE_UNKNOWN'], [{ exclude: [/./] }, 'NOTHING_SELECTED'], [{ tables: [{ name: 'big', where: 'nothing > 1' }] }, 'CONFIG_INVALID'], [{ tables: [{ name: 'big', where: '1 = (' }] }, 'CONFIG_INVALID'],
  ])('must be there: %o', async (request, code) => {
    await expect(dump(database.url, request)).rejects.toMatchObject({ code })
  })

  test('is held as it is until it is read', async () => {
    await using exporter = new Exporter({ source: source(), storage: fsStorage(folder()), state: memoryStateStore() })
    const { id } = await exporter.start({ partBytes: 2_000_000, budget: { bytes: 1 } })
    for (let step = 0; step < 3; step += 1) await exporter.step(id)
    await expect(database.execute(`SET lock_timeout = '100ms'; DROP TABLE tmp_x`)).rejects.toMatchObject({ code: '55P03' })
    await exporter.cancel(id)
    await exporter.finish(id).catch(() => undefined)
  })
})

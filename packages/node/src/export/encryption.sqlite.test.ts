import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Exporter, Importer, readManifest, verifyDump, type EncryptionInput, type ExportRequest } from '@tidemark/core'
import { memoryStateStore } from '@tidemark/core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fsStorage } from '../storage/fs-storage.ts'
import { HOSTILE, TABLES } from '../test/hostile-schema.ts'
import { cells, definitions } from '../test/stored-cells.ts'
import { nodeSqlite } from './node-sqlite.ts'

const KEY = Buffer.alloc(32, 7).toString('base64')
const OTHER = Buffer.alloc(32, 8).toString('base64')

let folder: string
let path: string
let copy: string
let dumps: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-encryption-'))
  path = join(folder, 'app.db')
  copy = join(folder, 'copy.db')
  dumps = join(folder, 'dumps')
  using database = new DatabaseSync(path, { enableForeignKeyConstraints: false })
  database.exec(`${HOSTILE}; DELETE FROM v WHERE hex(x) IN ('41FF42', 'EDA080'); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) INSERT INTO v(x) SELECT 'a secret of the rows' FROM n`)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function dump(request: ExportRequest = {}, encryption: EncryptionInput = { key: KEY }): Promise<string> {
  await using exporter = new Exporter({ source: nodeSqlite({ path }), storage: fsStorage(dumps), state: memoryStateStore(), encryption })
  const { id } = await exporter.start({ layout: 'directory', partBytes: 1_100, maxStatementBytes: 1_000, ...request })
  await exporter.finish(id)
  return id
}

function filesOf(id: string): readonly string[] {
  return readdirSync(join(dumps, id), { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(dumps, id, name)).isFile())
}

async function load(id: string, encryption?: EncryptionInput): Promise<void> {
  await new Importer({ source: fsStorage(dumps), target: nodeSqlite({ path: copy }), encryption }).load(id)
}

function findings(id: string): Promise<unknown> {
  return verifyDump({ storage: fsStorage(dumps), id, encryption: { key: KEY } }).then((report) => report.findings, ({ code }: { readonly code: string }) => code)
}

describe('an encrypted dump', () => {
  it.each([{}, { compression: 'gzip' }, { format: 'csv' }, { format: 'ndjson', compression: 'gzip' }] satisfies readonly ExportRequest[])('is read with its key: loaded, verified, compared (%o)', async (request) => {
    const id = await dump(request)
    await load(id, { key: KEY })
    for (const table of TABLES) expect({ table, cells: cells(copy, table) }).toEqual({ table, cells: cells(path, table) })
    expect(definitions(copy)).toEqual(definitions(path))
    const report = await verifyDump({ storage: fsStorage(dumps), id, mode: 'deep', against: nodeSqlite({ path: copy }), encryption: { key: KEY } })
    expect(report).toMatchObject({ ok: true, findings: [] })
    expect(report.objects).toBeGreaterThan(10)
    using database = new DatabaseSync(copy)
    database.exec('UPDATE v SET x = 2 WHERE x = 1')
    expect((await verifyDump({ storage: fsStorage(dumps), id, mode: 'rows', against: nodeSqlite({ path: copy }), encryption: { key: KEY } })).ok).toBe(false)
  })

  it('shows nothing of its rows', async () => {
    const id = await dump()
    for (const name of filesOf(id)) {
      const bytes = readFileSync(join(dumps, id, name))
      expect(name === 'manifest.json' || name.endsWith('.enc'), name).toBe(true)
      for (const secret of ['a secret of the rows', KEY, 'INSERT']) expect(bytes.includes(secret), name).toBe(false)
    }
    // A digest of two rows that all have the same in them tells nothing, either.
    const [first, second] = await Promise.all([id, await dump()].map((one) => readManifest(fsStorage(dumps), one)))
    const digests = first?.objects.flatMap(({ chunks }) => chunks.map(({ sha256 }) => sha256)) ?? []
    expect(second?.objects.flatMap(({ chunks }) => chunks).some(({ sha256 }) => digests.includes(sha256))).toBe(false)
  })

  it('says which key it needs, and whether it is that one', async () => {
    const id = await dump({}, [{ key: KEY, keyId: 'new' }, { key: OTHER, keyId: 'old' }])
    await expect(load(id)).rejects.toMatchObject({ code: 'DUMP_KEY_MISSING', detail: 'new' })
    await expect(load(id, { key: KEY, keyId: 'old' })).rejects.toMatchObject({ code: 'DUMP_KEY_MISSING' })
    await expect(load(id, { key: OTHER, keyId: 'new' })).rejects.toMatchObject({ code: 'DUMP_KEY_WRONG' })
    await expect(verifyDump({ storage: fsStorage(dumps), id })).rejects.toMatchObject({ code: 'DUMP_KEY_MISSING' })
    await expect(load(id, [{ key: OTHER, keyId: 'old' }, { key: () => KEY, keyId: 'new' }])).resolves.toBeUndefined()
  })

  it('can not be altered: no byte, no order, no end, no manifest', async () => {
    const id = await dump({ format: 'csv' })
    const rows = filesOf(id).filter((name) => name.includes('-v-')).toSorted()
    expect(rows.length).toBeGreaterThan(2)
    const [first = '', second = ''] = rows.map((name) => join(dumps, id, name))
    const [a, b] = [readFileSync(first), readFileSync(second)]
    a[a.length - 1] = (a.at(-1) ?? 0) ^ 1
    writeFileSync(first, a)
    expect(await findings(id)).toEqual([expect.objectContaining({ kind: 'object', object: rows[0] })])
    a[a.length - 1] = (a.at(-1) ?? 0) ^ 1
    writeFileSync(first, b)
    writeFileSync(second, a)
    expect(await findings(id)).toHaveLength(2)
    writeFileSync(first, a)
    writeFileSync(second, b)
    expect(await findings(id)).toEqual([])
    const manifest = readFileSync(join(dumps, id, 'manifest.json'), 'utf8')
    for (const altered of [manifest.replace('"rows": ', '"rows": 1'), manifest.replace('"notes": []', '"notes": ["x"]'), manifest.replace(/"signature": "../, '"signature": "zz')]) {
      expect(altered).not.toBe(manifest)
      writeFileSync(join(dumps, id, 'manifest.json'), altered)
      expect(await findings(id)).toBe('DUMP_CORRUPT')
    }
  })

  it('does not open as another', async () => {
    const [one, two] = [await dump(), await dump()]
    renameSync(join(dumps, one, 'before-0000-000001.sql.enc'), join(dumps, two, 'before-0000-000001.sql.enc'))
    expect(await findings(two)).toEqual([expect.objectContaining({ object: 'before-0000-000001.sql.enc' })])
    unlinkSync(join(dumps, two, 'before-0000-000001.sql.enc'))
    expect(await findings(two)).toEqual([expect.objectContaining({ object: 'before-0000-000001.sql.enc' })])
  })

  it('is not written in clear unless asked for, and not without a key', async () => {
    await expect(dump({ layout: 'single' })).rejects.toMatchObject({ code: 'CONFIG_INVALID', issues: [expect.objectContaining({ path: 'encrypt' })] })
    await expect(dump({}, { key: 'short' })).rejects.toMatchObject({ code: 'SECRET_MISSING' })
    const id = await dump({ encrypt: false, layout: 'single' })
    expect(readFileSync(join(dumps, id, filesOf(id).find((name) => name.endsWith('.sql')) ?? ''), 'utf8')).toContain('a secret of the rows')
    await using exporter = new Exporter({ source: nodeSqlite({ path }), storage: fsStorage(dumps), state: memoryStateStore() })
    await expect(exporter.start({ layout: 'directory', encrypt: true })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })

  it('goes on with the key that it was begun with, and with no other', async () => {
    const state = memoryStateStore()
    const exporterWith = (encryption: EncryptionInput): Exporter => new Exporter({ source: nodeSqlite({ path }), storage: fsStorage(dumps), state, encryption, instance: 'one' })
    const begin = async (): Promise<string> => {
      await using exporter = exporterWith({ key: KEY, keyId: 'old' })
      const { id } = await exporter.start({ layout: 'directory', partBytes: 1_100, maxStatementBytes: 1_000, budget: { bytes: 1 } })
      for (let step = 0; step < 5; step += 1) await exporter.step(id)
      return id
    }
    const rotated = await begin()
    await using exporter = exporterWith([{ key: OTHER, keyId: 'new' }, { key: KEY, keyId: 'old' }])
    await expect(exporter.finish(rotated)).resolves.toMatchObject({ status: 'completed' })
    expect(await exporter.verify(rotated)).toMatchObject({ ok: true })
    await using replaced = exporterWith({ key: OTHER, keyId: 'old' })
    await expect(replaced.finish(await begin())).rejects.toMatchObject({ code: 'DUMP_KEY_WRONG' })
    await using without = exporterWith({ key: OTHER, keyId: 'new' })
    await expect(without.finish(await begin())).rejects.toMatchObject({ code: 'DUMP_KEY_MISSING' })
  })

  it('has an end also where the rows that were to come are gone', async () => {
    await using exporter = new Exporter({ source: nodeSqlite({ path }), storage: fsStorage(dumps), state: memoryStateStore(), encryption: { key: KEY } })
    const { id } = await exporter.start({ tables: ['v'], format: 'csv', consistency: 'fuzzy', layout: 'directory', partBytes: 1_100, maxStatementBytes: 1_000, budget: { bytes: 1 }, content: 'data' })
    await exporter.step(id)
    using database = new DatabaseSync(path)
    database.exec('DELETE FROM v')
    await exporter.finish(id)
    const objects = (await readManifest(fsStorage(dumps), id)).objects.filter(({ role }) => role === 'rows')
    expect(objects.map(({ rows }) => rows)).toEqual([expect.any(Number), 0])
    expect(await exporter.verify(id)).toMatchObject({ ok: true })
    await new Importer({ source: fsStorage(dumps), target: nodeSqlite({ path }), encryption: { key: KEY } }).load(id)
    expect(database.prepare('SELECT count(*) AS n FROM v').get()).toEqual({ n: objects[0]?.rows })
  })

  it('keeps its key out of state, status and events', async () => {
    const state = memoryStateStore()
    await using exporter = new Exporter({ source: nodeSqlite({ path }), storage: fsStorage(dumps), state, encryption: { key: KEY } })
    const { id } = await exporter.start({ layout: 'directory' })
    const status = await exporter.finish(id)
    const stored = await Promise.all((await state.list('')).map((key) => state.get(key)))
    expect(JSON.stringify([status, stored])).not.toContain(KEY)
    await using download = (await exporter.download(id, { path: 'before-0000-000001.sql.enc' })).body
    const pieces: Uint8Array[] = []
    for await (const piece of download) pieces.push(piece)
    expect(Buffer.concat(pieces).subarray(0, 4).toString()).toBe('TME1')
  })
})

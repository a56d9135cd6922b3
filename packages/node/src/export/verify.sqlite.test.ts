import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { gunzipSync } from 'node:zlib'
import { Exporter, readManifest, verifyDump, type VerifyReport } from '@tidemark/core'
import { memoryStateStore } from '@tidemark/core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fsStorage } from '../storage/fs-storage.ts'
import { nodeSqlite } from './node-sqlite.ts'

let folder: string
let id: string
let file: string
let copy: string

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-verify-'))
  const path = join(folder, 'app.db')
  const database = new DatabaseSync(path)
  database.exec(`CREATE TABLE t(id INTEGER PRIMARY KEY, a); CREATE TABLE u(x REFERENCES t(id)); CREATE INDEX i ON t(a); CREATE TABLE empty(a);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) INSERT INTO t SELECT i, hex(randomblob(i % 40)) FROM n; INSERT INTO u SELECT id FROM t`)
  database.close()
  await using exporter = new Exporter({ source: nodeSqlite({ path }), storage: fsStorage(join(folder, 'out')), state: memoryStateStore() })
  id = (await exporter.start({ fileName: 'dump', partBytes: 8_000, maxStatementBytes: 2_000 })).id
  await exporter.finish(id)
  expect((await exporter.verify(id)).ok).toBe(true)
  file = join(folder, 'out', id, 'dump.sql')
  copy = join(folder, 'copy.db')
  execFileSync('sqlite3', ['-bail', copy], { input: readFileSync(file) })
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function verify(mode: 'objects' | 'rows' | 'deep'): Promise<VerifyReport> {
  return verifyDump({ storage: fsStorage(join(folder, 'out')), id, mode, against: nodeSqlite({ path: copy }) })
}

function change(sql: string): void {
  const database = new DatabaseSync(copy, { enableForeignKeyConstraints: false })
  database.exec(sql)
  database.close()
}

describe('verify', () => {
  it('finds nothing in a dump, or in what was loaded from it', async () => {
    const report = await verify('deep')
    expect(report).toMatchObject({ id, mode: 'deep', ok: true, objects: 1, findings: [] })
    expect(report.chunks).toBeGreaterThan(4)
    expect(report.bytes).toBe(2 * readFileSync(file).length)
  })

  it.each([
    ['a cell of another type', 'UPDATE t SET a = CAST(a AS BLOB) WHERE id = 400'],
    ['a row too many', 'INSERT INTO u VALUES (NULL)'],
    ['a row too few', 'DELETE FROM u WHERE x = 500'],
    ['an index that is gone', 'DROP INDEX i'],
    ['a table that is gone', 'DROP TABLE empty'],
  ])('finds %s', async (_what, sql) => {
    change(sql)
    const { ok, findings } = await verify('rows')
    expect(ok).toBe(false)
    expect(findings[0]).toMatchObject({ kind: 'rows' })
    expect(JSON.stringify(findings)).not.toMatch(/[0-9A-F]{20}/)
  })

  it('tells what the engine itself finds', async () => {
    change('DELETE FROM t WHERE id = 7')
    expect((await verify('deep')).findings.map(({ kind }) => kind)).toEqual(['rows', 'integrity'])
  })

  it.each([
    ['a bit', () => {
      const bytes = readFileSync(file)
      bytes[9_000] = (bytes[9_000] ?? 0) ^ 1
      writeFileSync(file, bytes)
    }, 1],
    ['an end', () => truncateSync(file, 9_000), 0],
    ['an object', () => unlinkSync(file), 0],
  ])('names the chunk that lost %s', async (_what, damage, chunk) => {
    damage()
    const { findings } = await verify('objects')
    expect(findings).toEqual([expect.objectContaining({ kind: 'object', object: 'dump.sql', chunk })])
  })

  it('reads compressed objects back, which together are what the shell loads', async () => {
    await using exporter = new Exporter({ source: nodeSqlite({ path: join(folder, 'app.db') }), storage: fsStorage(join(folder, 'out')), state: memoryStateStore() })
    const { id: packed } = await exporter.start({ layout: 'directory', compression: 'gzip', partBytes: 8_000, maxStatementBytes: 2_000 })
    await exporter.finish(packed)
    const storage = fsStorage(join(folder, 'out'))
    expect(await verifyDump({ storage, id: packed, mode: 'deep', against: nodeSqlite({ path: copy }) })).toMatchObject({ ok: true, findings: [] })
    const { objects } = await readManifest(storage, packed)
    expect(objects.length).toBeGreaterThan(4)
    const again = join(folder, 'again.db')
    execFileSync('sqlite3', ['-bail', again], { input: Buffer.concat(objects.map(({ path }) => gunzipSync(readFileSync(join(folder, 'out', packed, path))))) })
    expect(await verifyDump({ storage, id: packed, mode: 'rows', against: nodeSqlite({ path: again }) })).toMatchObject({ ok: true })
    change('INSERT INTO empty VALUES (1)')
    expect((await verifyDump({ storage, id: packed, mode: 'rows', against: nodeSqlite({ path: copy }) })).findings).toEqual([expect.objectContaining({ kind: 'rows', table: 'empty' })])
    const damaged = join(folder, 'out', packed, objects[1]?.path ?? '')
    const content = readFileSync(damaged)
    content[content.length >> 1] = (content[content.length >> 1] ?? 0) ^ 1
    writeFileSync(damaged, content)
    expect((await verifyDump({ storage, id: packed })).findings).toEqual([expect.objectContaining({ kind: 'object', object: objects[1]?.path })])
  })

  it('refuses a dump without a manifest, one that was altered, and one of a later release', async () => {
    const manifest = join(folder, 'out', id, 'manifest.json')
    const text = readFileSync(manifest, 'utf8')
    for (const [content, code] of [[text.replace('"version": 1', '"version": 2'), 'DUMP_NEWER'], [text.replace(/"sha256": "(\w)/, (_, digit) => `"sha256": "${digit === '0' ? '1' : '0'}`), 'DUMP_CORRUPT'], [text.slice(0, 500), 'DUMP_CORRUPT'],
      [text.replace('"path": "dump.sql"', '"path": "../../dump.sql"'), 'DUMP_CORRUPT']]) {
      writeFileSync(manifest, content ?? '')
      await expect(verify('objects')).rejects.toMatchObject({ code })
    }
    unlinkSync(manifest)
    await expect(verify('objects')).rejects.toMatchObject({ code: 'DUMP_INCOMPLETE' })
  })

  it('refuses to compare with nothing', async () => {
    await expect(verifyDump({ storage: fsStorage(join(folder, 'out')), id, mode: 'rows' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })
})

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Exporter, Importer, readManifest, verifyDump, type ExportRequest } from '@tidemark/core'
import { parquetFormat } from '@tidemark/parquet'
import { memoryStateStore } from '@tidemark/core/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { zstd } from '../compression/zstd.ts'
import { fsStorage } from '../storage/fs-storage.ts'
import { HOSTILE, TABLES } from '../test/hostile-schema.ts'
import { cells, definitions } from '../test/stored-cells.ts'
import { nodeSqlite } from './node-sqlite.ts'

let folder: string
let path: string
let copy: string
let copies = 0

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-combinations-'))
  path = join(folder, 'app.db')
  using database = new DatabaseSync(path, { enableForeignKeyConstraints: false })
  database.exec(`${HOSTILE}; DELETE FROM v WHERE hex(x) IN ('41FF42', 'EDA080');
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) INSERT INTO v(x) SELECT CASE i % 5 WHEN 0 THEN NULL WHEN 1 THEN i WHEN 2 THEN i / 7.0 WHEN 3 THEN printf('%.*c', i % 70, 'x') ELSE zeroblob(i % 50) END FROM n`)
})
beforeEach(() => {
  copies += 1
  copy = join(folder, `copy-${copies}.db`)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const formats = ['sql', 'csv', 'ndjson', 'parquet'] as const
const encryption = { key: Buffer.alloc(32, 9).toString('base64'), keyId: 'one' }
const readers = { compressions: [zstd], formats: [parquetFormat()], encryption }

const requests: readonly ExportRequest[] = formats.flatMap((format): readonly ExportRequest[] => [
  ...(format === 'parquet' ? [] : [{ format, layout: 'single', encrypt: false } as const]),
  ...([undefined, 'gzip', 'zstd'] as const).flatMap((compression) => [true, false].map((encrypt): ExportRequest => ({ format, layout: 'directory', compression, encrypt }))),
])

describe('every combination of format, layout, compression and encryption', () => {
  it.each(requests)('is loaded as it was, and verified in every mode (%o)', async (request) => {
    const storage = fsStorage(join(folder, 'dumps'))
    const state = memoryStateStore()
    let id: string | undefined
    let steps = 0
    // Another process for each slice: what goes on has nothing but the state and the storage.
    for (let isOver = false; !isOver; steps += 1) {
      await using exporter = new Exporter({ source: nodeSqlite({ path }), storage, state, instance: 'one', ...readers })
      id ??= (await exporter.start({ ...request, partBytes: 2_600, maxStatementBytes: 1_000, budget: { bytes: 1 } })).id
      isOver = (await exporter.step(id)).done
    }
    if (id === undefined) throw new Error('No export was started.')
    expect(steps).toBeGreaterThan(2)
    const manifest = await readManifest(storage, id)
    expect(manifest).toMatchObject({ format: request.format, layout: request.layout })
    expect(manifest.encryption !== undefined).toBe(request.encrypt)
    await expect(new Importer({ source: storage, target: nodeSqlite({ path: copy }), ...readers }).load(id)).resolves.toMatchObject({ status: 'completed' })
    for (const table of TABLES) expect({ table, cells: cells(copy, table) }).toEqual({ table, cells: cells(path, table) })
    expect(definitions(copy)).toEqual(definitions(path))
    for (const mode of ['objects', 'rows', 'deep'] as const) {
      expect(await verifyDump({ storage, id, mode, against: nodeSqlite({ path: copy }), ...readers })).toMatchObject({ mode, ok: true, findings: [] })
    }
    using database = new DatabaseSync(copy)
    database.exec('UPDATE v SET x = CAST(x AS BLOB) WHERE typeof(x) = \'text\' AND id = (SELECT max(id) FROM v WHERE typeof(x) = \'text\')')
    expect((await verifyDump({ storage, id, mode: 'rows', against: nodeSqlite({ path: copy }), ...readers })).findings).toEqual([expect.objectContaining({ kind: 'rows' })])
  })
})

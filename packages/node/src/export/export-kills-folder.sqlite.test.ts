import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { exportThroughKills, type KilledExportResult } from '@tidemark/conformance'
import type { ExportRequest } from '@tidemark/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fsStorage } from '../storage/fs-storage.ts'
import { nodeSqlite } from './node-sqlite.ts'

let folder: string
let path: string
let runs = 0

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-kills-'))
  path = join(folder, 'app.db')
  using database = new DatabaseSync(path)
  database.exec(`CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT); CREATE TABLE u(a TEXT PRIMARY KEY, b) WITHOUT ROWID; CREATE INDEX i ON t(a);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30) INSERT INTO t SELECT i, printf('%.*c', 20 + i * 7 % 90, char(65 + i % 26)) FROM n;
    INSERT INTO u SELECT a || id, id FROM t WHERE id % 5 = 0`)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function exported(request: ExportRequest, ...kills: readonly number[]): Promise<KilledExportResult> {
  runs += 1
  const dumps = join(folder, `dumps-${runs}`)
  const result = await exportThroughKills({ source: () => nodeSqlite({ path }), storage: fsStorage(dumps), request, kills })
  expect(readdirSync(join(dumps, '.tidemark', 'uploads'), { recursive: true }), 'nothing is left beside the dump').toEqual([])
  rmSync(dumps, { recursive: true })
  return result
}

/** Small parts, so that there are many; one a slice, so that a kill is never far from a save. */
const REQUEST: ExportRequest = { fileName: 'dump', maxStatementBytes: 1_000, partBytes: 1_200, budget: { bytes: 1 } }

describe.each([
  ['a single dump', REQUEST],
  ['a directory', { ...REQUEST, layout: 'directory', compression: 'gzip' }],
  ['a file of NDJSON a table', { ...REQUEST, format: 'ndjson' }],
] as const)('%s in a folder', (_what, request) => {
  it('is the same, byte for byte, wherever its process is killed, once or twice', { timeout: 120_000 }, async () => {
    const { objects, moments } = await exported(request)
    expect(moments).toBeGreaterThan(20)
    for (let kill = 1; kill <= moments; kill += 1) {
      expect({ kill, objects: (await exported(request, kill)).objects }).toEqual({ kill, objects })
      if (kill % 3 === 0) expect({ kill, objects: (await exported(request, kill, 1 + (kill % 17))).objects }).toEqual({ kill, objects })
    }
  })
})

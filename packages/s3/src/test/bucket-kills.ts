import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { exportThroughKills, type KilledExportResult } from '@tidemark/conformance'
import type { ExportRequest } from '@tidemark/core'
import { nodeSqlite } from '@tidemark/node'
import type { S3StorageOptions } from '../s3-options.ts'
import { s3Storage } from '../s3-storage.ts'

const MIB = 1_048_576

/** Parts of the least size that a bucket takes, three of them; and a directory of many small objects. */
export const KILLED_REQUESTS = {
  single: { fileName: 'dump', partBytes: 5 * MIB, budget: { bytes: 1 } },
  directory: { fileName: 'dump', layout: 'directory', compression: 'gzip', partBytes: 5 * MIB, budget: { bytes: 1 } },
} as const satisfies Record<string, ExportRequest>

export interface KilledBucketExports extends Disposable {
  exported(request: ExportRequest, ...kills: readonly number[]): Promise<KilledExportResult>
}

/** A database, and exports of it into prefixes of their own. */
export function bucketKills(options: () => S3StorageOptions): KilledBucketExports {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-kills-'))
  const path = join(folder, 'app.db')
  using database = new DatabaseSync(path)
  database.exec(`CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT, b BLOB); CREATE INDEX i ON t(a);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150) INSERT INTO t SELECT i, printf('%.*c', 20 + i * 7 % 90, char(65 + i % 26)), randomblob(40000) FROM n`)
  let runs = 0
  return {
    exported: async (request, ...kills) => {
      runs += 1
      const storage = s3Storage({ ...options(), prefix: `kills-${runs}` })
      const result = await exportThroughKills({ source: () => nodeSqlite({ path }), storage, request, kills })
      // Hundreds of them would fill the store.
      for (const { key } of (await storage.list({ prefix: '' })).objects) await storage.delete(key)
      return result
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}

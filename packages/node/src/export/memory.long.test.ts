import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { DatabaseSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import { useFolder } from '../test/use-folder.ts'

const WORKER = fileURLToPath(new URL('../test/memory-worker.ts', import.meta.url))
const ROWS = 8_000_000
/** Of a dump of a gigabyte. */
const PART_MB = 8.4

const file = useFolder()

it('exports a gigabyte, and loads it, in a heap of 128 MB and three parts', { timeout: 600_000 }, async () => {
  const path = file('app.db')
  const database = new DatabaseSync(path)
  database.exec(`PRAGMA journal_mode = WAL; CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL, price REAL, note, hash BLOB);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS}) INSERT INTO items SELECT i, 'item number ' || i || ' it''s a name', i * 1.1,
      CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN i WHEN 2 THEN 'a note of row ' || i ELSE i / 3.0 END, randomblob(24) FROM n`)
  database.close()
  const { stdout } = await promisify(execFile)(process.execPath, [...process.execArgv, '--max-old-space-size=128', WORKER, path, file('dumps'), file('copy.db')])
  process.stdout.write(`${stdout}\n`)
  const report: unknown = JSON.parse(stdout)
  expect(report).toMatchObject({ export: { result: { rows: ROWS } }, import: { result: { rows: ROWS } } })
  const { export: exported, import: imported } = report as { readonly export: Peak; readonly import: Peak } // as the worker writes it
  expect(exported.result.bytes).toBeGreaterThan(9e8)
  expect(exported.buffersMb).toBeLessThan(3 * PART_MB)
  expect(Math.max(exported.heapMb, imported.heapMb)).toBeLessThan(128)
})

interface Peak {
  readonly heapMb: number
  readonly buffersMb: number
  readonly result: { readonly bytes: number }
}

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Exporter } from '@tidemark/core'
import { fsStorage, nodeSqlite, nodeSqliteStateStore } from '@tidemark/node'

/** Above what threads are started for. */
const ROWS = 60_000

function fill(path: string): void {
  using database = new DatabaseSync(path)
  database.exec(`PRAGMA journal_mode = WAL; CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT, b BLOB);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS}) INSERT INTO t SELECT i, 'it''s row ' || i || char(233), zeroblob(150) FROM n`)
}

/** Exports a large file in the folder, and tells what came of it and how many threads were made. */
async function main(folder: string): Promise<void> {
  let threads = 0
  process.on('worker', () => { threads += 1 })
  const path = join(folder, 'app.db')
  fill(path)
  await using state = nodeSqliteStateStore({ path: join(folder, 'state.db') })
  await using exporter = new Exporter({ source: nodeSqlite({ path, renderThreads: 2 }), storage: fsStorage(join(folder, 'dumps')), state })
  const { id } = await exporter.start({ fileName: 'dump' })
  const { status, consistency, totalRowsExported } = await exporter.finish(id)
  const digest = createHash('sha256').update(readFileSync(join(folder, 'dumps', id, 'dump.sql'))).digest('hex')
  process.stdout.write(JSON.stringify({ status, consistency, rows: totalRowsExported, digest, threads }))
}

void main(process.argv[2] ?? '')

import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Exporter, Importer } from '@tidemark/core'
import { memoryStateStore } from '@tidemark/core/testing'
import { fsStorage, nodeSqlite } from '@tidemark/node'
import { alternate } from '../measure/alternate.ts'
import { round, spreadOf } from '../measure/spread.ts'
import { quoteShell } from '../process/quote-shell.ts'
import { requireTool } from '../process/require-tool.ts'
import { runProcess } from '../process/run-process.ts'
import { fillSqlite } from '../tables/mixed-sqlite.ts'
import type { BenchCase, CaseContext } from './case.ts'

interface Loading {
  readonly seconds: number
  readonly rssMb: number
}

/** One dump of mixed rows into a new file, by both sides: ours looks at the digest of every part before, and stores after each how far it came. */
export const sqliteImport: BenchCase = {
  name: 'sqlite-import',
  run: async (context) => {
    const dump = await makeDump(context)
    const { ours, peer } = await alternate((run) => loadOurs(context, dump, run), (run) => loadPeer(context, dump, run), context.runs)
    const [oursSpread, peerSpread] = [spreadOf(ours.map(({ seconds }) => seconds)), spreadOf(peer.map(({ seconds }) => seconds))]
    return {
      case: 'sqlite-import', ours: oursSpread.median, peer: peerSpread.median, ratio: round(peerSpread.median / oursSpread.median), unit: 'seconds', runs: context.runs, oursSpread, peerSpread,
      peerName: 'sqlite3 file < dump.sql', rows: context.rows, rowsPerSecond: Math.round(context.rows / oursSpread.median), rssMb: Math.max(...ours.map(({ rssMb }) => rssMb)), detail: { bytes: dump.bytes },
    }
  },
}

interface Dump {
  readonly id: string
  readonly bytes: number
}

async function makeDump({ folder, rows }: CaseContext): Promise<Dump> {
  const path = join(folder, 'app.db')
  fillSqlite(path, rows)
  await using exporter = new Exporter({ source: nodeSqlite({ path }), storage: fsStorage(join(folder, 'dumps')), state: memoryStateStore() })
  const { id } = await exporter.start({ fileName: 'dump' })
  const { totalBytesExported } = await exporter.finish(id)
  return { id, bytes: totalBytesExported }
}

async function loadOurs({ folder, rows, log }: CaseContext, { id }: Dump, run: number): Promise<Loading> {
  const path = join(folder, 'ours.db')
  const startMs = performance.now()
  await new Importer({ source: fsStorage(join(folder, 'dumps')), target: nodeSqlite({ path }) }).load(id)
  const seconds = (performance.now() - startMs) / 1_000
  check(path, rows)
  log(`sqlite-import, ours ${run}: ${round(seconds)} s`)
  await rm(path)
  return { seconds, rssMb: Math.round(process.memoryUsage().rss / 1e6) }
}

async function loadPeer({ folder, rows, log }: CaseContext, { id }: Dump, run: number): Promise<Loading> {
  const path = join(folder, 'peer.db')
  const { seconds } = await runProcess({ command: requireTool('bash'), args: ['-c', `${quoteShell([requireTool('sqlite3'), path])} < ${quoteShell([join(folder, 'dumps', id, 'dump.sql')])}`] })
  check(path, rows)
  log(`sqlite-import, peer ${run}: ${round(seconds)} s`)
  await rm(path)
  return { seconds, rssMb: 0 }
}

function check(path: string, rows: number): void {
  using database = new DatabaseSync(path, { readOnly: true })
  const row = database.prepare('SELECT count(*) AS rows FROM items').get()
  if (row?.['rows'] !== rows) throw new Error(`The copy has ${String(row?.['rows'])} rows instead of ${rows}.`)
}

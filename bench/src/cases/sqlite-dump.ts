import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Exporter } from '@tidemark/core'
import { fsStorage, nodeSqlite, nodeSqliteStateStore } from '@tidemark/node'
import { alternate } from '../measure/alternate.ts'
import { round, spreadOf } from '../measure/spread.ts'
import { quoteShell } from '../process/quote-shell.ts'
import { requireTool } from '../process/require-tool.ts'
import { runProcess } from '../process/run-process.ts'
import { fillSqlite } from '../tables/mixed-sqlite.ts'
import type { BenchCase, CaseContext } from './case.ts'

interface Dumping {
  readonly seconds: number
  readonly bytes: number
  readonly rssMb: number
  readonly slowestPageMs: number
}

/** A file of mixed rows as SQL in a folder: with the snapshot that is copied first, every part brought to disk, and a digest of each. */
export const sqliteDump: BenchCase = {
  name: 'sqlite-dump',
  run: async (context) => {
    const path = join(context.folder, 'app.db')
    fillSqlite(path, context.rows)
    const { ours, peer } = await alternate((run) => dumpOurs(context, path, run), (run) => dumpPeer(context, path, run), context.runs)
    const [oursSpread, peerSpread] = [spreadOf(ours.map(({ seconds }) => seconds)), spreadOf(peer.map(({ seconds }) => seconds))]
    return {
      case: 'sqlite-dump', ours: oursSpread.median, peer: peerSpread.median, ratio: round(peerSpread.median / oursSpread.median), unit: 'seconds', runs: context.runs, oursSpread, peerSpread,
      peerName: 'sqlite3 .dump > file', rows: context.rows, rowsPerSecond: Math.round(context.rows / oursSpread.median), rssMb: Math.max(...ours.map(({ rssMb }) => rssMb)),
      detail: { oursBytes: ours[0]?.bytes, peerBytes: peer[0]?.bytes, slowestPageMs: Math.max(...ours.map(({ slowestPageMs }) => slowestPageMs)) },
    }
  },
}

async function dumpOurs({ folder, rows, log }: CaseContext, path: string, run: number): Promise<Dumping> {
  const startMs = performance.now()
  await using state = nodeSqliteStateStore({ path: join(folder, `state-${run}.db`) })
  await using exporter = new Exporter({ source: nodeSqlite({ path }), storage: fsStorage(join(folder, 'dumps')), state })
  const { id } = await exporter.start()
  const status = await exporter.finish(id)
  const seconds = (performance.now() - startMs) / 1_000
  if (status.totalRowsExported !== rows) throw new Error(`The export has ${status.totalRowsExported} rows instead of ${rows}.`)
  log(`sqlite-dump, ours ${run}: ${round(seconds)} s`)
  await exporter.delete(id)
  return { seconds, bytes: status.totalBytesExported, rssMb: Math.round(process.memoryUsage().rss / 1e6), slowestPageMs: status.slowestPageMs }
}

async function dumpPeer({ folder, log }: CaseContext, path: string, run: number): Promise<Dumping> {
  const file = join(folder, 'peer.sql')
  const { seconds } = await runProcess({ command: requireTool('bash'), args: ['-c', `${quoteShell([requireTool('sqlite3'), path, '.dump'])} > ${quoteShell([file])}`] })
  log(`sqlite-dump, peer ${run}: ${round(seconds)} s`)
  const { size } = await stat(file)
  await rm(file)
  return { seconds, bytes: size, rssMb: 0, slowestPageMs: 0 }
}

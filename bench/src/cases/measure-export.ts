import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Exporter } from '@tidemark/core'
import type { ExportSource } from '@tidemark/core/adapter'
import { memoryStateStore } from '@tidemark/core/testing'
import { fsStorage } from '@tidemark/node'
import { alternate } from '../measure/alternate.ts'
import { round, spreadOf } from '../measure/spread.ts'
import { quoteShell } from '../process/quote-shell.ts'
import { requireTool } from '../process/require-tool.ts'
import { runProcess } from '../process/run-process.ts'
import type { BenchResult } from '../result.ts'
import type { CaseContext } from './case.ts'

export interface ExportComparison {
  readonly name: string
  readonly source: ExportSource
  readonly peerName: string
  /** Program and arguments; writes the dump to its output. */
  readonly peer: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

interface Dumping {
  readonly seconds: number
  readonly bytes: number
  readonly rssMb: number
}

/** The rows of a database as a single file of SQL: ours with every part brought to disk, and a digest of each. */
export async function measureExport(comparison: ExportComparison, context: CaseContext): Promise<BenchResult> {
  const { name, peerName } = comparison
  const { ours, peer } = await alternate((run) => dumpOurs(comparison, context, run), (run) => dumpPeer(comparison, context, run), context.runs)
  const [oursSpread, peerSpread] = [spreadOf(ours.map(({ seconds }) => seconds)), spreadOf(peer.map(({ seconds }) => seconds))]
  return {
    case: name, ours: oursSpread.median, peer: peerSpread.median, ratio: round(peerSpread.median / oursSpread.median), unit: 'seconds', runs: context.runs, oursSpread, peerSpread,
    peerName, rows: context.rows, rowsPerSecond: Math.round(context.rows / oursSpread.median), rssMb: Math.max(...ours.map(({ rssMb }) => rssMb)),
    detail: { oursBytes: ours[0]?.bytes, peerBytes: peer[0]?.bytes },
  }
}

async function dumpOurs({ name, source }: ExportComparison, { folder, rows, log }: CaseContext, run: number): Promise<Dumping> {
  const startMs = performance.now()
  await using exporter = new Exporter({ source, storage: fsStorage(join(folder, 'dumps')), state: memoryStateStore() })
  const { id } = await exporter.start({ content: 'data' })
  const status = await exporter.finish(id)
  const seconds = (performance.now() - startMs) / 1_000
  if (status.totalRowsExported !== rows) throw new Error(`The export has ${status.totalRowsExported} rows instead of ${rows}.`)
  log(`${name}, ours ${run}: ${round(seconds)} s`)
  await exporter.delete(id)
  return { seconds, bytes: status.totalBytesExported, rssMb: Math.round(process.memoryUsage().rss / 1e6) }
}

async function dumpPeer({ name, peer, env }: ExportComparison, { folder, log }: CaseContext, run: number): Promise<Dumping> {
  const file = join(folder, 'peer.sql')
  const { seconds } = await runProcess({ command: requireTool('bash'), args: ['-c', `${quoteShell(peer)} > ${quoteShell([file])}`], env })
  log(`${name}, peer ${run}: ${round(seconds)} s`)
  const { size } = await stat(file)
  await rm(file)
  return { seconds, bytes: size, rssMb: 0 }
}

import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Exporter } from '@tidemark/core'
import { memoryStateStore } from '@tidemark/core/testing'
import { fsStorage } from '@tidemark/node'
import { postgresSource } from '@tidemark/postgres'
import { alternate } from '../measure/alternate.ts'
import { round, spreadOf } from '../measure/spread.ts'
import { psqlEnv } from '../process/client-env.ts'
import { quoteShell } from '../process/quote-shell.ts'
import { requireTool } from '../process/require-tool.ts'
import { runProcess } from '../process/run-process.ts'
import { createMixedPostgres } from '../tables/mixed-postgres.ts'
import type { BenchCase, CaseContext } from './case.ts'
import { withPostgres } from './with-postgres.ts'

interface Dumping {
  readonly seconds: number
  readonly bytes: number
  readonly rssMb: number
}

/** The rows of a database as COPY blocks in a folder: with every part brought to disk, and a digest of each. */
export const pgExport: BenchCase = {
  name: 'pg-export',
  run: (context) => withPostgres(async ({ url, sql }) => {
    await createMixedPostgres(sql, context.rows)
    const { ours, peer } = await alternate((run) => dumpOurs(context, url, run), (run) => dumpPeer(context, url, run), context.runs)
    const [oursSpread, peerSpread] = [spreadOf(ours.map(({ seconds }) => seconds)), spreadOf(peer.map(({ seconds }) => seconds))]
    return {
      case: 'pg-export', ours: oursSpread.median, peer: peerSpread.median, ratio: round(peerSpread.median / oursSpread.median), unit: 'seconds', runs: context.runs, oursSpread, peerSpread,
      peerName: 'pg_dump --data-only > file', rows: context.rows, rowsPerSecond: Math.round(context.rows / oursSpread.median), rssMb: Math.max(...ours.map(({ rssMb }) => rssMb)),
      detail: { oursBytes: ours[0]?.bytes, peerBytes: peer[0]?.bytes },
    }
  }),
}

async function dumpOurs({ folder, rows, log }: CaseContext, url: string, run: number): Promise<Dumping> {
  const startMs = performance.now()
  await using exporter = new Exporter({ source: postgresSource({ url }), storage: fsStorage(join(folder, 'dumps')), state: memoryStateStore() })
  const { id } = await exporter.start({ content: 'data' })
  const status = await exporter.finish(id)
  const seconds = (performance.now() - startMs) / 1_000
  if (status.totalRowsExported !== rows) throw new Error(`The export has ${status.totalRowsExported} rows instead of ${rows}.`)
  log(`pg-export, ours ${run}: ${round(seconds)} s`)
  await exporter.delete(id)
  return { seconds, bytes: status.totalBytesExported, rssMb: Math.round(process.memoryUsage().rss / 1e6) }
}

async function dumpPeer({ folder, log }: CaseContext, url: string, run: number): Promise<Dumping> {
  const file = join(folder, 'peer.sql')
  const { seconds } = await runProcess({ command: requireTool('bash'), args: ['-c', `${quoteShell([requireTool('pg_dump'), '--data-only'])} > ${quoteShell([file])}`], env: psqlEnv(url) })
  log(`pg-export, peer ${run}: ${round(seconds)} s`)
  const { size } = await stat(file)
  await rm(file)
  return { seconds, bytes: size, rssMb: 0 }
}

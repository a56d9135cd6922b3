import { join } from 'node:path'
import { sqliteChanges } from '@tidemark/node'
import { alternate } from '../measure/alternate.ts'
import { round, spreadOf } from '../measure/spread.ts'
import { HeapPeak } from '../ours/heap-peak.ts'
import { countItems, makeItems, peersAt, propagatorOf } from '../ours/propagated-table.ts'
import { WrittenTable } from '../ours/written-table.ts'
import { ReceiverProcess } from '../process/receiver-process.ts'
import type { BenchResult } from '../result.ts'
import type { BenchCase, CaseContext } from './case.ts'

const MAX_ROWS = 500_000
const TARGET_ROWS_PER_SECOND = 50_000

/** A backlog to one peer in another process, by HTTP. The peer of the comparison is one process that writes the same rows by hand, one transaction for each thousand. */
export const propagateThroughput: BenchCase = {
  name: 'propagate-throughput',
  run: async (context) => {
    const rows = Math.min(context.rows, MAX_ROWS)
    const heap = new HeapPeak()
    const { ours, peer } = await alternate((run) => propagate(context, { rows, run }), (run) => Promise.resolve(writeByHand(context, { rows, run })), context.runs)
    const memory = heap.stop()
    const [oursSpread, peerSpread] = [spreadOf(ours), spreadOf(peer)]
    return {
      case: 'propagate-throughput', ours: oursSpread.median, peer: peerSpread.median, ratio: round(peerSpread.median / oursSpread.median), unit: 'seconds', runs: context.runs,
      oursSpread, peerSpread, peerName: 'the same rows written into a file by hand', rows,
      rowsPerSecond: Math.round(rows / oursSpread.median), heapMb: memory.heapMb, rssMb: memory.rssMb,
      detail: { targetRowsPerSecond: TARGET_ROWS_PER_SECOND },
    } satisfies BenchResult
  },
}

interface Run {
  readonly rows: number
  readonly run: number
}

async function propagate({ folder, log }: CaseContext, { rows, run }: Run): Promise<number> {
  const [path, copy] = [join(folder, `writer-${run}.db`), join(folder, `peer-${run}.db`)]
  using table = new WrittenTable(path, rows)
  makeItems(copy)
  await using receivers = await ReceiverProcess.start({ paths: [copy] })
  await sqliteChanges({ path }, { tables: ['items'] }).install()
  await using propagator = propagatorOf(path, peersAt(receivers.urls))
  await propagator.flush()
  table.time('insert')
  const begin = performance.now()
  await propagator.flush()
  const seconds = round((performance.now() - begin) / 1_000)
  const found = countItems(copy)
  if (found !== rows) throw new Error(`The peer has ${found} rows and not ${rows}: ${JSON.stringify(propagator.status())}`)
  log(`propagate-throughput: ${rows} rows in ${seconds} s`)
  return seconds
}

function writeByHand({ folder }: CaseContext, { rows, run }: Run): number {
  using table = new WrittenTable(join(folder, `by-hand-${run}.db`), rows)
  return table.time('insert')
}

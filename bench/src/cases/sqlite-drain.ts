import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { ChangeStream } from '@tidemark/core'
import { nodeSqliteStateStore, sqliteChanges } from '@tidemark/node'
import { alternate } from '../measure/alternate.ts'
import { round, spreadOf } from '../measure/spread.ts'
import { HeapPeak } from '../ours/heap-peak.ts'
import { WrittenTable } from '../ours/written-table.ts'
import type { BenchResult } from '../result.ts'
import type { BenchCase, CaseContext } from './case.ts'

const MAX_ROWS = 1_000_000
const TARGET_EVENTS_PER_SECOND = 300_000
const LATENCIES = 500

/** A backlog through a durable subscriber's handler, and how long a commit takes to reach one. The peer only reads the log's rows. */
export const sqliteDrain: BenchCase = {
  name: 'sqlite-drain',
  run: async (context) => {
    const rows = Math.min(context.rows, MAX_ROWS)
    const path = join(context.folder, 'drain.db')
    using table = new WrittenTable(path, rows)
    await sqliteChanges({ path }, { tables: ['items'] }).install()
    table.time('insert')
    const heap = new HeapPeak()
    const { ours, peer } = await alternate((run) => drain(context, { path, rows, run }), () => Promise.resolve(readLog(path, rows)), context.runs)
    const memory = heap.stop()
    const latency = await measureLatency(context, path)
    return resultOf(context, { rows, ours, peer, memory, latency })
  },
}

async function drain({ folder, log }: CaseContext, request: { readonly path: string; readonly rows: number; readonly run: number }): Promise<number> {
  const { path, rows, run } = request
  await using checkpoints = nodeSqliteStateStore({ path: join(folder, `state-${run}.db`) })
  const source = sqliteChanges({ path }, { tables: ['items'] })
  await using stream = new ChangeStream({ source, checkpoints, name: `drain-${run}` })
  const from = await firstPosition(path)
  let events = 0
  const begin = performance.now()
  await new Promise<void>((resolve, reject) => {
    const subscribed = stream.subscribe({ id: 'drain', from }, (batch) => {
      events += batch.events.length
      if (events >= rows) resolve()
    })
    subscribed.then((subscription) => subscription.done).catch(reject)
  })
  const seconds = round((performance.now() - begin) / 1_000)
  log(`sqlite-drain: ${events} events in ${seconds} s`)
  return seconds
}

/** A checkpoint before the first change, as a subscriber would have that was there when the log was made. */
async function firstPosition(path: string): Promise<string> {
  using database = new DatabaseSync(path, { readOnly: true })
  const [row] = database.prepare('SELECT (SELECT value FROM tidemark_log_meta WHERE key = \'epoch\') AS epoch').all()
  return JSON.stringify({ v: 1, source: 'sqlite', epoch: row?.['epoch'], sequence: '01', detail: '', snapshot: null })
}

/** What reading the same rows costs in plain pages, with nothing made of them. */
function readLog(path: string, rows: number): number {
  using database = new DatabaseSync(path, { readOnly: true })
  const page = database.prepare('SELECT * FROM tidemark_log WHERE seq > ? ORDER BY seq LIMIT 2048')
  page.setReturnArrays(true)
  const begin = performance.now()
  let read = 0
  for (let last = 0; ;) {
    const found: readonly unknown[] = page.all(last)
    const row = found.at(-1)
    if (!Array.isArray(row)) break
    read += found.length
    last = Number(row[0])
  }
  if (read < rows) throw new Error(`The log has ${read} rows and not ${rows}.`)
  return round((performance.now() - begin) / 1_000)
}

/** From the return of COMMIT to the handler, in one process, one row a transaction. */
async function measureLatency({ folder }: CaseContext, path: string): Promise<{ readonly p50: number; readonly p99: number }> {
  await using checkpoints = nodeSqliteStateStore({ path: join(folder, 'latency.db') })
  const source = sqliteChanges({ path }, { tables: ['items'] })
  await using stream = new ChangeStream({ source, checkpoints, name: 'latency' })
  using database = new DatabaseSync(path)
  const times: number[] = []
  let arrived: () => void = () => undefined
  await stream.subscribe({ id: 'latency' }, () => arrived())
  for (let index = 0; index < LATENCIES; index += 1) {
    const handled = new Promise<void>((resolve) => { arrived = resolve })
    database.exec(`UPDATE items SET quantity = ${index} WHERE id = (SELECT min(id) FROM items)`)
    const begin = performance.now()
    source.notify()
    await handled
    times.push(performance.now() - begin)
  }
  const sorted = times.toSorted((a, b) => a - b)
  return { p50: round(sorted[Math.floor(LATENCIES * 0.5)] ?? NaN), p99: round(sorted[Math.floor(LATENCIES * 0.99)] ?? NaN) }
}

interface Measured {
  readonly rows: number
  readonly ours: readonly number[]
  readonly peer: readonly number[]
  readonly memory: { readonly heapMb: number; readonly rssMb: number }
  readonly latency: { readonly p50: number; readonly p99: number }
}

function resultOf({ runs }: CaseContext, { rows, ours, peer, memory, latency }: Measured): BenchResult {
  const [oursSpread, peerSpread] = [spreadOf(ours), spreadOf(peer)]
  return {
    case: 'sqlite-drain', ours: oursSpread.median, peer: peerSpread.median, ratio: round(peerSpread.median / oursSpread.median), unit: 'seconds', runs,
    oursSpread, peerSpread, peerName: 'a SELECT of the same log in pages, its rows thrown away', rows,
    rowsPerSecond: Math.round(rows / oursSpread.median), heapMb: memory.heapMb, rssMb: memory.rssMb,
    detail: { targetRowsPerSecond: TARGET_EVENTS_PER_SECOND, commitToHandlerMs: latency },
  }
}

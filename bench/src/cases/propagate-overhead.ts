import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setImmediate } from 'node:timers/promises'
import { sqliteChanges } from '@tidemark/node'
import { alternate } from '../measure/alternate.ts'
import { round, spreadOf, type Spread } from '../measure/spread.ts'
import { makeItems, peersAt, propagatorOf } from '../ours/propagated-table.ts'
import { ReceiverProcess } from '../process/receiver-process.ts'
import type { BenchResult } from '../result.ts'
import type { BenchCase, CaseContext } from './case.ts'

const TRANSACTIONS = 1_000
const ROWS_PER_TRANSACTION = 10
/** Between two transactions, in milliseconds: a thousand rows a second, which leaves a machine of two processors room for all the processes. */
const PACE_MS = 10

type Peers = 'none' | 'healthy' | 'one hangs'

interface Written {
  /** In the writer's statements, COMMIT included. */
  readonly writeMs: number
  /** From the first transaction to the last. */
  readonly wallMs: number
}

/**
 * What propagating costs the writer, which runs in the process of the propagator and writes at a steady pace: the time that its transactions
 * take with three peers, of which one may hang, against capturing alone.
 */
export const propagateOverhead: BenchCase = {
  name: 'propagate-overhead',
  run: async (context) => {
    const healthy = await alternate((run) => write(context, { peers: 'healthy', run }), (run) => write(context, { peers: 'none', run }), context.runs)
    const hanging = await alternate((run) => write(context, { peers: 'one hangs', run }), (run) => write(context, { peers: 'none', run: 100 + run }), context.runs)
    return resultOf(context, [compared('healthy', healthy), compared('one hangs', hanging)])
  },
}

async function write({ folder, log }: CaseContext, { peers, run }: { readonly peers: Peers; readonly run: number }): Promise<Written> {
  const name = `${peers.replace(' ', '-')}-${run}`
  const path = join(folder, `${name}.db`)
  makeItems(path)
  await sqliteChanges({ path }, { tables: ['items'] }).install()
  const copies = [0, 1, 2].map((index) => join(folder, `${name}-peer-${index}.db`))
  copies.forEach(makeItems)
  await using receivers = await ReceiverProcess.start({ paths: copies.map((copy, index) => (peers === 'one hangs' && index === 0 ? null : copy)) })
  await using propagator = propagatorOf(path, peersAt(receivers.urls))
  if (peers !== 'none') await propagator.start()
  const written = await writeAtPace(path)
  if (peers === 'healthy') await requireReached(propagator.flush())
  log(`propagate-overhead, ${name}: ${written.writeMs} ms in transactions, ${written.wallMs} ms in all`)
  return written
}

async function requireReached(flush: Promise<{ readonly behind: readonly string[] }>): Promise<void> {
  const { behind } = await flush
  if (behind.length > 0) throw new Error(`Peers are behind: ${behind.join(', ')}.`)
}

async function writeAtPace(path: string): Promise<Written> {
  using database = new DatabaseSync(path, { timeout: 5_000 })
  database.exec('PRAGMA synchronous = NORMAL')
  const insert = database.prepare('INSERT INTO items VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
  const begin = performance.now()
  let writeMs = 0
  for (let number = 0; number < TRANSACTIONS; number += 1) {
    while (performance.now() < begin + number * PACE_MS) await setImmediate()
    const from = performance.now()
    database.exec('BEGIN')
    for (let row = 0; row < ROWS_PER_TRANSACTION; row += 1) {
      const id = number * ROWS_PER_TRANSACTION + row
      insert.run(id, `item number ${id}`, id * 7, id / 3, `a note that is somewhat longer than the title ${id}`, new Uint8Array(12), id % 100, '2026-01-02T03:04:05.000000')
    }
    database.exec('COMMIT')
    writeMs += performance.now() - from
  }
  return { writeMs: round(writeMs), wallMs: round(performance.now() - begin) }
}

interface Compared {
  readonly peers: Peers
  readonly ours: Spread
  readonly peer: Spread
  readonly ratio: number
  readonly wallRatio: number
}

function compared(peers: Peers, { ours, peer }: { readonly ours: readonly Written[]; readonly peer: readonly Written[] }): Compared {
  const time = (of: readonly Written[], key: keyof Written): Spread => spreadOf(of.map((written) => written[key]))
  const [a, b] = [time(ours, 'writeMs'), time(peer, 'writeMs')]
  return { peers, ours: a, peer: b, ratio: round(b.median / a.median), wallRatio: round(time(peer, 'wallMs').median / time(ours, 'wallMs').median) }
}

function resultOf({ runs }: CaseContext, all: readonly Compared[]): BenchResult {
  const worst = all.reduce((a, b) => (b.ratio < a.ratio ? b : a))
  return {
    case: 'propagate-overhead', ours: worst.ours.median, peer: worst.peer.median, ratio: worst.ratio, unit: 'milliseconds', runs,
    oursSpread: worst.ours, peerSpread: worst.peer, peerName: 'the same transactions with capture alone', rows: TRANSACTIONS * ROWS_PER_TRANSACTION,
    detail: { target: 0.95, paceMs: PACE_MS, ...Object.fromEntries(all.map(({ peers, ...figures }) => [peers, figures])) },
  }
}

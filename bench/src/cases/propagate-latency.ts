import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Propagator, PropagatorEvents } from '@tidemark/core'
import { sqliteChanges } from '@tidemark/node'
import { alternate } from '../measure/alternate.ts'
import { round, spreadOf } from '../measure/spread.ts'
import { makeItems, peersAt, propagatorOf } from '../ours/propagated-table.ts'
import { ReceiverProcess } from '../process/receiver-process.ts'
import type { BenchResult } from '../result.ts'
import type { BenchCase, CaseContext } from './case.ts'

const COMMITS = 1_000
/** Of three. */
const HEALTHY = ['peer-1', 'peer-2']

/** From a commit until two healthy peers have it, while a third hangs, against a third that is healthy too: the slowest of a hundred. */
export const propagateLatency: BenchCase = {
  name: 'propagate-latency',
  run: async (context) => {
    const { ours, peer } = await alternate((run) => measure(context, { hangs: true, run }), (run) => measure(context, { hangs: false, run }), context.runs)
    const [oursSpread, peerSpread] = [spreadOf(ours.map(({ p99 }) => p99)), spreadOf(peer.map(({ p99 }) => p99))]
    return {
      case: 'propagate-latency', ours: oursSpread.median, peer: peerSpread.median, ratio: round(peerSpread.median / oursSpread.median), unit: 'milliseconds', runs: context.runs,
      oursSpread, peerSpread, peerName: 'the same with three healthy peers', rows: COMMITS,
      detail: { target: round(1 / 1.1), p50: { hanging: spreadOf(ours.map(({ p50 }) => p50)).median, healthy: spreadOf(peer.map(({ p50 }) => p50)).median } },
    } satisfies BenchResult
  },
}

interface Latency {
  readonly p50: number
  readonly p99: number
}

async function measure({ folder, log }: CaseContext, { hangs, run }: { readonly hangs: boolean; readonly run: number }): Promise<Latency> {
  const name = `${hangs ? 'hangs' : 'healthy'}-${run}`
  const path = join(folder, `${name}.db`)
  makeItems(path)
  await sqliteChanges({ path }, { tables: ['items'] }).install()
  const copies = [0, 1, 2].map((index) => join(folder, `${name}-peer-${index}.db`))
  copies.forEach(makeItems)
  await using receivers = await ReceiverProcess.start({ paths: copies.map((copy, index) => (hangs && index === 0 ? null : copy)) })
  await using propagator = propagatorOf(path, peersAt(receivers.urls))
  const streaming = heardFromAll(propagator, 'peer:phase', ({ phase }) => phase === 'streaming')
  await propagator.start()
  // Until then rows come with the copy.
  await streaming
  using database = new DatabaseSync(path, { timeout: 5_000 })
  database.exec('PRAGMA synchronous = NORMAL')
  const times: number[] = []
  for (let id = 0; id < COMMITS; id += 1) times.push(await commit(database, propagator, id))
  const sorted = times.slice(COMMITS / 10).toSorted((a, b) => a - b)
  const at = (share: number): number => round(sorted[Math.floor(sorted.length * share)] ?? NaN)
  log(`propagate-latency, ${name}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`)
  return { p50: at(0.5), p99: at(0.99) }
}

/** Milliseconds until both have it. */
async function commit(database: DatabaseSync, propagator: Propagator, id: number): Promise<number> {
  const reached = heardFromAll(propagator, 'peer:applied', () => true)
  database.exec(`INSERT INTO items (id, title) VALUES (${id}, 'a title')`)
  const begin = performance.now()
  await propagator.afterQuery()
  await reached
  return performance.now() - begin
}

/** Resolves once such an event has come of each of the healthy peers. */
function heardFromAll<Name extends 'peer:phase' | 'peer:applied'>(propagator: Propagator, event: Name, isIt: (payload: PropagatorEvents[Name]) => boolean): Promise<void> {
  const waiting = new Set(HEALTHY)
  return new Promise((resolve) => {
    const unsubscribe = propagator.on(event, (payload) => {
      if (isIt(payload)) waiting.delete(payload.peer)
      if (waiting.size > 0) return
      unsubscribe()
      resolve()
    })
  })
}

import { once, getEventListeners } from 'node:events'
import { readdirSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Replicator, TidemarkError, type SyncPhase } from '@tidemark/core'
import { nodeSqliteTarget } from '@tidemark/node'
import { sourceOfUrl } from '../fixtures/source-of-url.ts'
import { report, workerInput } from '../fixtures/worker.ts'

export interface LeakWorkerInput {
  readonly url: string
  readonly path: string
  readonly rounds: number
}

export interface LeakWorkerReport {
  /** Rounds in which at least one scheduled sync succeeded. */
  readonly synced: number
  /** After the first rounds, which load modules and open what stays open, and after the last. */
  readonly early: Held
  readonly late: Held
  /** Listeners left on a signal that outlives the syncs it was given to. */
  readonly signalListeners: number
  /** Runs that began although their signal had fired before. */
  readonly startedInVain: number
  readonly aborts: readonly AbortOutcome[]
  readonly unhandled: readonly string[]
}

interface Held {
  readonly files: number
  /** Sockets, timers and what else keeps a process alive, by kind. */
  readonly resources: readonly string[]
}

export interface AbortOutcome {
  readonly phase: SyncPhase | 'start'
  readonly code: string
  readonly isInTime: boolean
  /** How the sync after it ended. */
  readonly next: string
}

const WARM_UP_ROUNDS = 5
/** What the documentation promises for every call that takes a signal. */
const ABORT_LIMIT_MS = 1_000

async function main(input: LeakWorkerInput): Promise<LeakWorkerReport> {
  const unhandled: string[] = []
  process.on('unhandledRejection', (reason) => unhandled.push(outcomeOf(reason)))
  let synced = 0
  for (let round = 0; round < WARM_UP_ROUNDS; round += 1) synced += await scheduledRound(input, round)
  const early = held()
  for (let round = WARM_UP_ROUNDS; round < input.rounds; round += 1) synced += await scheduledRound(input, round)
  const late = held()
  const signalListeners = await syncsUnderOneSignal(input)
  const aborts: AbortOutcome[] = []
  for (const phase of ['start', 'load', 'poll', 'reread', 'sweep'] as const) aborts.push(await abortIn(phase, input))
  return { synced, early, late, signalListeners, startedInVain: await syncAborted(input), aborts, unhandled }
}

/** Started, left to its schedule until it has synced twice, stopped: at the end of a sync, or with the next one planned. */
async function scheduledRound(input: LeakWorkerInput, round: number): Promise<number> {
  const replicator = open(input, { syncIntervalMinutes: 50 / 60_000 })
  let successes = 0
  const twice = new Promise<void>((resolve) => {
    replicator.on('sync:success', () => {
      successes += 1
      if (successes === 2) resolve()
    })
  })
  await replicator.start()
  await twice
  if (round % 2 === 1) await nextTurn()
  await replicator.stop()
  return 1
}

async function syncsUnderOneSignal(input: LeakWorkerInput): Promise<number> {
  const controller = new AbortController()
  await using replicator = open(input, { schedule: 'manual' })
  for (let count = 0; count < 60; count += 1) await replicator.syncNow('churn', { signal: controller.signal })
  return getEventListeners(controller.signal, 'abort').length
}

async function syncAborted(input: LeakWorkerInput): Promise<number> {
  await using replicator = open(input, { schedule: 'manual' })
  // Opened before, so that it is not the opening that refuses.
  await replicator.status()
  let started = 0
  replicator.on('sync:start', () => { started += 1 })
  await replicator.syncNow('churn', { signal: AbortSignal.abort() }).catch(() => undefined)
  await replicator.stop()
  return started
}

/** Aborts at the first event of a phase; what takes longer than promised is told, not waited for in vain. */
async function abortIn(phase: SyncPhase | 'start', input: LeakWorkerInput): Promise<AbortOutcome> {
  await using replicator = open(input, { schedule: 'manual' })
  const controller = new AbortController()
  const late = new AbortController()
  let isInTime = true
  const abort = (): void => {
    if (controller.signal.aborted) return
    controller.abort()
    setTimeout(() => late.abort(), ABORT_LIMIT_MS).unref()
  }
  if (phase === 'start') replicator.on('sync:start', abort)
  replicator.on('sync:progress', (progress) => { if (progress.phase === phase) abort() })
  const options = { signal: controller.signal }
  const sync = phase === 'load' ? replicator.resync('churn', options) : replicator.syncNow('churn', { ...options, reconcile: phase !== 'poll' })
  const outcome = sync.then(() => 'ok', outcomeOf)
  await Promise.race([outcome, once(late.signal, 'abort').then(() => { isInTime = false })])
  const code = await outcome
  return { phase, code, isInTime, next: await replicator.syncNow('churn', { reconcile: true }).then(() => 'ok', outcomeOf) }
}

function open({ url, path }: LeakWorkerInput, when: { readonly schedule: 'manual' } | { readonly syncIntervalMinutes: number }): Replicator {
  return new Replicator({
    target: nodeSqliteTarget({ path }),
    instance: 'leak',
    slice: { rows: 500 },
    replications: [{ name: 'churn', source: sourceOfUrl(url), sourceTable: 'churn', trackingColumn: 'updated_at', ...when }],
  })
}

function held(): Held {
  return { files: readdirSync('/proc/self/fd').length, resources: process.getActiveResourcesInfo().toSorted() }
}

function outcomeOf(error: unknown): string {
  return error instanceof TidemarkError ? error.code : String(error)
}

await report(await main(workerInput<LeakWorkerInput>()))
// From here nothing but a leak can keep the process alive.
process.disconnect()

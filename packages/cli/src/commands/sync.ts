import type { Replicator } from '@tidemark/core'
import type { ArgsDef } from 'citty'
import type { CommandContext, TidemarkCommand } from '../command.ts'
import { configure } from '../configure.ts'
import { EXIT, exitCodeOf, exitCodeOfAll } from '../exit-code.ts'
import type { Faults } from '../faults.ts'
import type { Flags } from '../flags.ts'
import { parseDuration } from '../parse-duration.ts'
import type { Reporter, Summary } from '../reporter.ts'
import { formatRows } from '../format.ts'
import { reportOf } from '../report-of.ts'
import { reporterFor } from '../reporter-for.ts'
import { SyncTally } from '../sync-tally.ts'
import { outputArgs, sourceArgs, tableArgs, targetArgs } from './args.ts'

const args = {
  ...sourceArgs,
  ...targetArgs,
  ...tableArgs,
  every: { type: 'string', valueHint: '30m', description: 'Stay and sync again this long after each sync: 10s, 30m, 1h' },
  once: { type: 'boolean', description: 'Sync once and end; so it is without --every' },
  resync: { type: 'boolean', description: 'Copy anew; the copy in use serves readers until then' },
  reconcile: { type: 'boolean', description: 'Also find and heal deleted and differing rows, to the end' },
  ...outputArgs,
  quiet: { type: 'boolean', description: 'Errors only' },
} as const satisfies ArgsDef

/** How a sync is to be run. */
interface SyncPlan {
  readonly replicator: Replicator
  readonly names: readonly string[]
  readonly everyMs: number | undefined
  readonly work: 'sync' | 'resync' | 'reconcile'
}

export const syncCommand: TidemarkCommand = {
  name: 'sync',
  description: 'Copies tables into SQLite or libSQL, and goes on where it stopped',
  args,
  run: async (context) => {
    const startedAtMs = Date.now()
    const reporter = reporterFor(context)
    const outcome = await runSync(context, reporter)
    reporter.summary({ ...outcome, durationMs: Date.now() - startedAtMs })
    return outcome.exitCode
  },
}

type Outcome = Omit<Summary, 'durationMs'>

async function runSync(context: CommandContext, reporter: Reporter): Promise<Outcome> {
  try {
    const plan = await planOf(context)
    return await carryOut(plan, reporter, context)
  } catch (error) {
    const report = reportOf(error)
    reporter.error(report)
    const exitCode = exitCodeOf(report.code)
    return { ok: false, interrupted: exitCode === EXIT.interrupted, exitCode, rows: 0, tables: [] }
  }
}

/** Errors: `CONFIG_INVALID` with all faults. */
async function planOf(context: CommandContext): Promise<SyncPlan> {
  const { flags, faults } = context
  const everyMs = everyOption(flags, faults)
  const work = workOption(flags, faults)
  if (flags.has('json') && flags.has('quiet')) faults.add('--quiet', 'Has no meaning with --json.')
  return { ...await configure(context, { target: 'required', everyMs }), everyMs, work }
}

function everyOption(flags: Flags, faults: Faults): number | undefined {
  const text = flags.get('every')
  if (text === undefined || text === '') return undefined
  if (flags.has('once')) faults.add('--once', 'Has no meaning with --every.')
  const everyMs = parseDuration(text)
  if (everyMs === undefined) faults.add('--every', 'Must be a time from 1s to 30d, such as 10s, 30m or 1h.')
  return everyMs
}

function workOption(flags: Flags, faults: Faults): SyncPlan['work'] {
  if (flags.has('resync') && flags.has('reconcile')) faults.add('--reconcile', 'Has no meaning with --resync: a new copy has nothing to heal.')
  if (flags.has('resync')) return 'resync'
  return flags.has('reconcile') ? 'reconcile' : 'sync'
}

async function carryOut(plan: SyncPlan, reporter: Reporter, { host }: CommandContext): Promise<Outcome> {
  const { replicator, names } = plan
  const tally = new SyncTally(names, reporter)
  tally.listen(replicator)
  const interrupt = new AbortController()
  const release = host.onInterrupt(() => {
    if (interrupt.signal.aborted) return host.exit(EXIT.interrupted)
    reporter.notice('Stopping. What is committed stays: the same command goes on from there. Once more ends at once.')
    interrupt.abort()
  })
  try {
    await syncAll(plan, tally, interrupt.signal)
  } finally {
    await replicator.stop()
    release()
  }
  for (const { name, rows } of tally.unfinished) reporter.notice(`${name}: stopped after ${formatRows(rows)}`)
  return outcomeOf(tally, interrupt.signal.aborted)
}

async function syncAll(plan: SyncPlan, tally: SyncTally, signal: AbortSignal): Promise<void> {
  const { replicator, names, everyMs } = plan
  // Opens the target, so that what is wrong with it is said once and not for every table.
  await replicator.status({ signal })
  await Promise.all(names.map((name) => syncTable(plan, { name, tally, signal })))
  if (everyMs === undefined || signal.aborted || isHopeless(tally, names)) return
  await replicator.start({ signal })
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** When nothing could be synced and trying again can't help, waiting for the next interval would only hide it. */
function isHopeless(tally: SyncTally, names: readonly string[]): boolean {
  return tally.permanentFailures === names.length
}

async function syncTable({ replicator, work }: SyncPlan, run: { readonly name: string; readonly tally: SyncTally; readonly signal: AbortSignal }): Promise<void> {
  const { name, tally, signal } = run
  try {
    if (work === 'resync') await replicator.resync(name, { signal })
    else await replicator.syncNow(name, { signal, reconcile: work === 'reconcile' })
  } catch (error) {
    // The event has told it, unless it failed before it began.
    const report = reportOf(error)
    if (report.code !== 'ABORTED' && !tally.hasFailed(name)) tally.fail(name, report)
  }
}

function outcomeOf(tally: SyncTally, interrupted: boolean): Outcome {
  const tables = tally.outcomes
  const exitCode = interrupted ? EXIT.interrupted : exitCodeOfAll(tally.codes)
  return { ok: exitCode === EXIT.ok, interrupted, exitCode, tables, rows: tables.reduce((sum, table) => sum + table.rows, 0) }
}

import type { ErrorReport, Replicator, SyncPhase } from '@tidemark/core'
import { RateMeter } from './rate-meter.ts'
import type { Reporter, TableOutcome } from './reporter.ts'

interface Table {
  rows: number
  rowsRead: number
  isSynced: boolean
  isSyncing: boolean
  error: ErrorReport | undefined
  meter: RateMeter
  phase: SyncPhase | undefined
  /** Rows read in the phase under way. */
  phaseRows: number
  reportedAtMs: number
}

/** Listens to a replicator, passes on what a reporter wants to know and keeps the counts. */
export class SyncTally {
  readonly #reporter: Reporter
  readonly #tables: ReadonlyMap<string, Table>

  constructor(names: readonly string[], reporter: Reporter) {
    this.#reporter = reporter
    this.#tables = new Map(names.map((name) => [name, newTable()]))
  }

  /** The error codes of the tables whose newest sync failed. */
  get codes(): readonly ErrorReport['code'][] {
    return [...this.#tables.values()].flatMap((table) => table.error?.code ?? [])
  }

  /** How many tables failed in a way that trying again can't mend. */
  get permanentFailures(): number {
    return [...this.#tables.values()].filter((table) => table.error?.retryable === false).length
  }

  /** Where a sync was when it was stopped. */
  get unfinished(): readonly { readonly name: string; readonly rows: number }[] {
    return [...this.#tables].flatMap(([name, { isSyncing, phaseRows }]) => (isSyncing ? [{ name, rows: phaseRows }] : []))
  }

  get outcomes(): readonly TableOutcome[] {
    return [...this.#tables].map(([name, { rows, rowsRead, isSynced, error }]) => ({
      name, rows, rowsRead, code: error?.code, ok: isSynced && error === undefined,
    }))
  }

  listen(replicator: Replicator): void {
    const reporter = this.#reporter
    replicator.on('sync:start', ({ name }) => this.#started(name))
    replicator.on('sync:progress', (event) => this.#progress(event))
    replicator.on('sync:success', (result) => {
      this.#change(result.name, (table) => {
        table.rows += result.rows
        table.rowsRead += result.rowsRead
        table.isSynced = true
        table.isSyncing = false
        table.error = undefined
      })
      reporter.result(result)
    })
    replicator.on('sync:error', ({ name, error }) => this.fail(name, error))
    replicator.on('sync:skipped', ({ name, error }) => this.fail(name, error))
    replicator.on('sync:retry', (event) => reporter.retry(event))
    replicator.on('schema:changed', (event) => reporter.schema(event))
    replicator.on('cursor:ahead', ({ name }) => reporter.warning({
      name, id: 'cursor-ahead', message: 'Rows newer than the last one read are gone: they were deleted, or the source was restored. If it was restored, run again with --resync.',
    }))
    replicator.on('drift:found', ({ name, rows }) => reporter.warning({
      name, id: 'drift-found', message: `Reconciling found and healed ${rows} missing, different or deleted rows.`,
    }))
  }

  /** A failure; told once, whether it comes as an event or as a rejection. */
  fail(name: string, error: ErrorReport): void {
    this.#change(name, (table) => {
      table.error = error
      table.isSyncing = false
    })
    this.#reporter.error(error, name)
  }

  hasFailed(name: string): boolean {
    return this.#tables.get(name)?.error !== undefined
  }

  #started(name: string): void {
    this.#change(name, (table) => {
      table.error = undefined
      table.meter = new RateMeter()
      table.isSyncing = true
      table.phase = undefined
      table.phaseRows = 0
      table.reportedAtMs = -Infinity
    })
    this.#reporter.started(name)
  }

  #progress(event: { readonly name: string; readonly phase: SyncPhase; readonly rows: number; readonly estimatedRows: number | undefined; readonly durationMs: number }): void {
    this.#change(event.name, (table) => {
      if (table.phase !== event.phase) table.meter = new RateMeter()
      table.phase = event.phase
      table.phaseRows = event.rows
      table.meter.observe(event.durationMs, event.rows)
      if (event.durationMs - table.reportedAtMs < this.#reporter.progressMs) return
      table.reportedAtMs = event.durationMs
      // Only a load is measured by the table's size: a poll reads what is new.
      const estimatedRows = event.phase === 'load' ? event.estimatedRows : undefined
      const { rowsPerSecond } = table.meter
      this.#reporter.progress({ ...event, estimatedRows, rowsPerSecond, etaMs: etaMs(event.rows, estimatedRows, rowsPerSecond) })
    })
  }

  #change(name: string, change: (table: Table) => void): void {
    const table = this.#tables.get(name)
    if (table !== undefined) change(table)
  }
}

function newTable(): Table {
  return { rows: 0, rowsRead: 0, isSynced: false, isSyncing: false, error: undefined, meter: new RateMeter(), phase: undefined, phaseRows: 0, reportedAtMs: -Infinity }
}

function etaMs(rows: number, estimatedRows: number | undefined, rowsPerSecond: number | undefined): number | undefined {
  if (estimatedRows === undefined || rowsPerSecond === undefined || rowsPerSecond <= 0 || estimatedRows < rows) return undefined
  return (estimatedRows - rows) * 1_000 / rowsPerSecond
}

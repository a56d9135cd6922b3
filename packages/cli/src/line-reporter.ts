import type { ReplicatorEvents, SyncResult } from '@tidemark/core'
import { errorText } from './error-text.ts'
import { formatCount, formatDuration, formatRows } from './format.ts'
import type { Output } from './output.ts'
import type { Progress, ReportedError, Reporter, Summary } from './reporter.ts'

/** For people without a terminal: one line at a time. */
export class LineReporter implements Reporter {
  readonly progressMs = 1_000
  readonly #output: Output
  readonly #synced = new Set<string>()

  constructor(output: Output) {
    this.#output = output
  }

  started(): void {
    // The first progress line says so.
  }

  progress(progress: Progress): void {
    if (progress.rows > 0) this.#output.say(progressText(progress))
  }

  retry({ name, error, attempt, delayMs }: ReplicatorEvents['sync:retry']): void {
    this.#output.say(`${name}: ${error.code}: ${error.message} Trying again in ${formatDuration(delayMs)} (${attempt}).`)
  }

  schema({ name, action, changes }: ReplicatorEvents['schema:changed']): void {
    const list = changes.map((change) => `${change.column} ${change.kind}`).join(', ')
    this.#output.say(`${name}: the source table has changed: ${list === '' ? 'another key' : list} (${action}).`)
  }

  warning({ name, message }: { readonly name: string; readonly message: string }): void {
    this.#output.say(`${name}: ${message}`)
  }

  /** An idle sync is told once, not at every interval. */
  result({ name, rows, durationMs }: SyncResult): void {
    if (rows > 0 || !this.#synced.has(name)) this.#output.say(`${name}: ${formatRows(rows)} in ${formatDuration(durationMs)}`)
    this.#synced.add(name)
  }

  error(error: ReportedError, name?: string): void {
    this.#output.say(errorText(error, name))
  }

  notice(text: string): void {
    this.#output.say(text)
  }

  summary({ tables, rows, durationMs, interrupted }: Summary): void {
    const failed = tables.filter((table) => !table.ok).length
    // One table has said all; what was stopped has said where.
    if (tables.length < 2 || (interrupted && failed > 0)) return
    this.#output.say(`${tables.length} tables${failed === 0 ? '' : `, ${failed} not synced`}: ${formatRows(rows)} in ${formatDuration(durationMs)}`)
  }
}

function progressText({ name, phase, rows, estimatedRows, rowsPerSecond, etaMs }: Progress): string {
  const parts = [
    `${name}: ${phase}`,
    formatRows(rows),
    ...estimatedRows === undefined || estimatedRows <= 0 ? [] : [`~${Math.min(99, Math.floor(rows * 100 / estimatedRows))} %`],
    ...rowsPerSecond === undefined ? [] : [`${formatCount(rowsPerSecond)} rows/s`],
    ...etaMs === undefined ? [] : [`ETA ${formatDuration(etaMs)}`],
  ]
  return parts.join('  ')
}

/** Errors only. */
export class QuietReporter implements Reporter {
  readonly progressMs = 1_000
  readonly #output: Output

  constructor(output: Output) {
    this.#output = output
  }

  started(): void {}
  progress(): void {}
  retry(): void {}
  schema(): void {}
  warning(): void {}
  result(): void {}
  notice(): void {}
  summary(): void {}

  error(error: ReportedError, name?: string): void {
    this.#output.say(errorText(error, name))
  }
}

import type { ErrorReport, ReplicatorEvents, SyncPhase, SyncResult } from '@tidemark/core'
import type { Output } from './output.ts'
import type { Progress, ReportedError, Reporter, Summary } from './reporter.ts'

/** A line of `tidemark sync --json`. Stable: fields and types are only ever added. */
export type JsonLine =
  | {
    readonly type: 'progress'; readonly name: string; readonly phase: SyncPhase; readonly rows: number; readonly estimatedRows: number | null
    readonly rowsPerSecond: number | null; readonly etaMs: number | null; readonly durationMs: number
  }
  | ({ readonly type: 'retry'; readonly name: string; readonly attempt: number; readonly delayMs: number } & JsonError)
  | ({ readonly type: 'schema' } & ReplicatorEvents['schema:changed'])
  | { readonly type: 'warning'; readonly name: string; readonly id: string; readonly message: string }
  | { readonly type: 'result'; readonly name: string; readonly rows: number; readonly rowsRead: number; readonly durationMs: number }
  | ({ readonly type: 'error'; readonly name: string | null; readonly issues: readonly { readonly option: string; readonly message: string }[] } & JsonError)
  | {
    readonly type: 'summary'; readonly ok: boolean; readonly interrupted: boolean; readonly exitCode: number; readonly rows: number
    readonly durationMs: number; readonly tables: readonly JsonTable[]
  }

export interface JsonError {
  readonly code: string
  readonly message: string
  readonly remedy: string
  readonly retryable: boolean
  /** The engine's own code, such as a SQLSTATE. */
  readonly detail: string | null
}

export interface JsonTable {
  readonly name: string
  readonly ok: boolean
  readonly rows: number
  readonly rowsRead: number
  /** Why the newest sync failed. */
  readonly code: string | null
}

/** For programs. Nothing goes to stderr. */
export class JsonReporter implements Reporter {
  readonly progressMs = 1_000
  readonly #output: Output

  constructor(output: Output) {
    this.#output = output
  }

  started(): void {
    // A result or an error follows; a line that only announces it helps nobody.
  }

  progress({ name, phase, rows, estimatedRows, rowsPerSecond, etaMs, durationMs }: Progress): void {
    this.#write({
      type: 'progress', name, phase, rows, estimatedRows: estimatedRows ?? null, rowsPerSecond: rounded(rowsPerSecond), etaMs: rounded(etaMs), durationMs,
    })
  }

  retry({ name, attempt, delayMs, error }: ReplicatorEvents['sync:retry']): void {
    this.#write({ type: 'retry', name, attempt, delayMs: Math.round(delayMs), ...jsonError(error) })
  }

  schema({ name, action, changes }: ReplicatorEvents['schema:changed']): void {
    this.#write({ type: 'schema', name, action, changes })
  }

  warning({ name, id, message }: { readonly name: string; readonly id: string; readonly message: string }): void {
    this.#write({ type: 'warning', name, id, message })
  }

  result({ name, rows, rowsRead, durationMs }: SyncResult): void {
    this.#write({ type: 'result', name, rows, rowsRead, durationMs })
  }

  error(error: ReportedError, name?: string): void {
    this.#write(errorLine(error, name))
  }

  notice(): void {
    // For people only.
  }

  summary({ ok, interrupted, exitCode, rows, durationMs, tables }: Summary): void {
    this.#write({
      type: 'summary', ok, rows, durationMs, interrupted, exitCode,
      tables: tables.map(({ name, ok, rows, rowsRead, code }) => ({ name, ok, rows, rowsRead, code: code ?? null })),
    })
  }

  #write(line: JsonLine): void {
    this.#output.json(line)
  }
}

/** The line of an error, of `sync` and of every other command. */
export function errorLine(error: ReportedError, name?: string): JsonLine & { readonly type: 'error' } {
  const issues = (error.issues ?? []).map(({ path, message }) => ({ option: path, message }))
  return { type: 'error', name: name ?? null, ...jsonError(error), issues }
}

function jsonError({ code, message, remedy, retryable, detail }: ErrorReport): JsonError {
  return { code, message, remedy, retryable, detail: detail ?? null }
}

function rounded(value: number | undefined): number | null {
  return value === undefined ? null : Math.round(value)
}

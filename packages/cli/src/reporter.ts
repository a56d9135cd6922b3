import type { ConfigIssue, ErrorReport, ReplicatorEvents, SyncPhase, SyncResult } from '@tidemark/core'

/** How far one table is. */
export interface Progress {
  readonly name: string
  readonly phase: SyncPhase
  readonly rows: number
  /** The source's estimate of all rows, while loading. */
  readonly estimatedRows: number | undefined
  readonly rowsPerSecond: number | undefined
  readonly etaMs: number | undefined
  readonly durationMs: number
}

export type ReportedError = ErrorReport & { readonly issues?: readonly ConfigIssue[] | undefined }

export interface TableOutcome {
  readonly name: string
  readonly ok: boolean
  /** Of all syncs of this process. */
  readonly rows: number
  readonly rowsRead: number
  /** Of the newest failure, when the newest sync failed. */
  readonly code: string | undefined
}

export interface Summary {
  readonly ok: boolean
  readonly interrupted: boolean
  readonly exitCode: number
  readonly rows: number
  readonly durationMs: number
  readonly tables: readonly TableOutcome[]
}

/** Tells somebody or something how a sync goes on. */
export interface Reporter {
  /** Least time between two progress reports of one table. */
  readonly progressMs: number
  started(name: string): void
  progress(progress: Progress): void
  retry(event: ReplicatorEvents['sync:retry']): void
  schema(event: ReplicatorEvents['schema:changed']): void
  warning(event: { readonly name: string; readonly id: string; readonly message: string }): void
  result(result: SyncResult): void
  /** `name` is absent when the error is not of one table. */
  error(error: ReportedError, name?: string): void
  /** A line for people, such as that a stop was asked for. */
  notice(text: string): void
  summary(summary: Summary): void
}

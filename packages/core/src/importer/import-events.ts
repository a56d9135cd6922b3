import type { ErrorReport } from '../errors/tidemark-error.ts'

/** How far an import is: see `ImportStatus`. */
export interface ImportProgressEvent {
  readonly importId: string
  readonly rows: number
  readonly bytes: number
}

/** Events of an `Importer`. None holds a row value. */
export interface ImportEvents {
  /** A run or a step begins, which may go on with what an earlier one began. */
  readonly 'import:start': { readonly importId: string }
  /** After each slice. */
  readonly 'import:progress': ImportProgressEvent & { readonly totalRows: number | undefined; readonly totalBytes: number }
  /** A slice failed; it is tried again after `delayMs`. */
  readonly 'import:retry': { readonly importId: string; readonly error: ErrorReport; readonly attempt: number; readonly delayMs: number }
  /** The run or step is over. `done`: everything is loaded. */
  readonly 'import:end': { readonly importId: string; readonly done: boolean; readonly durationMs: number }
  readonly 'import:error': { readonly importId: string; readonly error: ErrorReport; readonly durationMs: number }
}

import type { ErrorReport } from '../errors/tidemark-error.ts'
import type { Consistency } from '../dialect/export-source.ts'
import type { ExportStatusName } from './export-state.ts'

/** Events of an `Exporter`. None holds a row value. */
export interface ExportEvents {
  readonly 'export:status': { readonly id: string; readonly status: ExportStatusName; readonly error: ErrorReport | undefined }
  /** The instant is fixed and the copy begins; `attempt` is above 1 when an earlier snapshot was lost. */
  readonly 'export:view': { readonly id: string; readonly consistency: Consistency; readonly attempt: number; readonly tables: number }
  /** A part or an object is stored, and so is that it is. */
  readonly 'export:part': { readonly id: string; readonly stream: number; readonly bytes: number; readonly rows: number }
  /** A step failed; it is tried again after `delayMs`. */
  readonly 'export:retry': { readonly id: string; readonly error: ErrorReport; readonly attempt: number; readonly delayMs: number }
  readonly 'export:callback': { readonly id: string; readonly outcome: 'delivered' | 'retry' | 'failed'; readonly attempts: number; readonly error: ErrorReport | undefined }
}

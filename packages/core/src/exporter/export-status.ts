import type { Consistency } from '../dialect/export-source.ts'
import type { DumpFormatName, DumpLayout } from '../dump/manifest.ts'
import type { ErrorReport } from '../errors/tidemark-error.ts'
import type { CallbackState, ExportState, ExportStatusName } from './export-state.ts'
import { isSettled } from './is-settled.ts'
import { tableRows } from './table-rows.ts'

/** An export as it stands. No row value, no secret. */
export interface ExportStatus {
  readonly exportId: string
  readonly status: ExportStatusName
  readonly format: DumpFormatName
  readonly layout: DumpLayout
  readonly consistency: Consistency
  /** What the engine calls the instant, where it has a name. */
  readonly cut: string | undefined
  /** Where it is in the storage: the object of a single SQL dump, else the manifest. */
  readonly key: string
  readonly totalRowsExported: number
  /** Rendered so far. */
  readonly totalBytesExported: number
  /** The source's estimate; `undefined` before the copy began, or when it has none. */
  readonly estimatedRows: number | undefined
  readonly estimatedBytes: number | undefined
  readonly tablesTotal: number
  readonly tablesProcessed: number
  /** Copies begun; above 1 after a snapshot was lost or the schema changed. */
  readonly attempt: number
  readonly steps: number
  /** Longest time in which the source was busy with one page, in milliseconds. */
  readonly slowestPageMs: number
  /** Why it failed, why the last copy was given up, or why the last step is to be tried again. */
  readonly error: ErrorReport | undefined
  /** Things that people should know, such as a table that could not be taken along. */
  readonly notes: readonly string[]
  readonly callback: Pick<CallbackState, 'outcome' | 'attempts' | 'nextAtMs' | 'error'> | undefined
  /** When the next step is due; `undefined`: there is none. */
  readonly nextAtMs: number | undefined
  /** Milliseconds since 1970. */
  readonly createdAtMs: number
  readonly updatedAtMs: number
  readonly completedAtMs: number | undefined
}

export function toExportStatus(state: ExportState): ExportStatus {
  const { spec, plan, callback } = state
  const rows = Object.values(tableRows(state)).reduce((sum, count) => sum + count, 0)
  return {
    exportId: state.id,
    status: state.status,
    format: spec.format,
    layout: spec.layout,
    consistency: spec.consistency,
    cut: state.view?.cut,
    key: mainKey(state),
    totalRowsExported: rows,
    totalBytesExported: state.streams.reduce((sum, stream) => sum + stream.bytes, 0),
    estimatedRows: plan?.estimatedRows,
    estimatedBytes: plan?.estimatedBytes,
    tablesTotal: plan?.tables.length ?? 0,
    tablesProcessed: state.status === 'completed' ? plan?.tables.length ?? 0 : processed(state),
    attempt: state.attempt,
    steps: state.steps,
    slowestPageMs: state.slowestPageMs,
    error: state.error,
    notes: plan?.notes ?? [],
    callback: callback === undefined ? undefined : { outcome: callback.outcome, attempts: callback.attempts, nextAtMs: callback.nextAtMs, error: callback.error },
    nextAtMs: isSettled(state) ? undefined : nextAtMs(state),
    createdAtMs: state.createdAtMs,
    updatedAtMs: state.updatedAtMs,
    completedAtMs: state.completedAtMs,
  }
}

export function mainKey({ id, spec }: ExportState): string {
  return spec.format === 'sql' && spec.layout === 'single' ? `${id}/${spec.fileName}.sql` : `${id}/manifest.json`
}

/** When there is something to do next. */
export function nextAtMs(state: ExportState): number {
  const isWaiting = !state.isCleanupDue && (state.status === 'completed' || state.status === 'failed' || state.status === 'cancelled')
  return isWaiting ? state.callback?.nextAtMs ?? state.nextAtMs : state.nextAtMs
}

function processed({ streams }: ExportState): number {
  return streams.filter((stream) => stream.role === 'rows' && stream.phase === 'done').length
}

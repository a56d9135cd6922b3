import type { ExportSelection, RenderOptions, ViewRef, Consistency } from '../dialect/export-source.ts'
import type { DumpFormatName, DumpLayout, ManifestTable } from '../dump/manifest.ts'
import type { ErrorReport } from '../errors/tidemark-error.ts'

/** What was asked for, with every default filled in. Plain data, no secret. */
export interface ExportSpec {
  readonly format: DumpFormatName
  readonly layout: DumpLayout
  readonly selection: ExportSelection
  readonly consistency: Consistency
  readonly partBytes: number | undefined
  readonly render: RenderOptions
  readonly compression: string | undefined
  readonly keyId: string | undefined
  readonly concurrency: number
  readonly budget: { readonly ms: number; readonly bytes: number }
  readonly pauseMs: number
  readonly fileName: string
  readonly ttlMs: number | undefined
}

/** Where a stream goes on. `after` is the source's cursor in a section of rows, the index of the next statement in one of statements. */
export interface StreamCursor {
  readonly section: number
  readonly after?: string | undefined
  /** Bytes behind the cursor that are written already; only in views that give the same bytes again. */
  readonly skip?: number | undefined
}

/** A part of an upload, or an object of a directory. */
export interface ChunkRecord {
  /** As rendered, padding included. */
  readonly bytes: number
  readonly sha256: string
  readonly rows: number
  /** As stored. */
  readonly storedBytes: number
  /** The part's token, or the object's etag. */
  readonly etag: string
}

/** An object that is complete; of layout `single` only. In a directory every chunk is one. */
export interface VolumeRecord {
  readonly chunks: number
}

/**
 * A stretch of the dump that is written in order: the whole of it, or a table of it.
 *
 * `open`: being written; `completing`: its last part is there and the upload is about to be completed; `done`.
 */
export interface StreamState {
  readonly role: 'dump' | 'before' | 'rows' | 'after'
  /** Index in the plan's tables, for `rows`. */
  readonly table: number | undefined
  /** Sections from here up to and not with `to`. */
  readonly from: number
  readonly to: number
  readonly phase: 'open' | 'completing' | 'done'
  readonly cursor: StreamCursor
  /** By table. */
  readonly rows: Readonly<Record<number, number>>
  readonly bytes: number
  readonly storedBytes: number
  /** The newest chunks; those before were stored apart. */
  readonly chunks: readonly ChunkRecord[]
  readonly spilled: number
  readonly volumes: readonly VolumeRecord[]
  readonly uploadId: string | undefined
  /** How often it was begun anew because the storage had lost the upload. */
  readonly restarts: number
}

export type ExportStatusName = 'pending' | 'processing' | 'completed' | 'failed' | 'cancelled'

/** What a view turned out to hold. Kept so that status and manifest need no source. */
export interface CopyPlan {
  readonly engineVersion: string
  readonly schemaHash: string
  readonly tables: readonly Omit<ManifestTable, 'rows'>[]
  readonly notes: readonly string[]
  readonly partBytes: number
  readonly estimatedRows: number | undefined
  readonly estimatedBytes: number | undefined
}

export interface CallbackState {
  readonly url: string
  /** `env` reference of the secret, where one was given; never the secret. */
  readonly secretEnv: string | undefined
  /** The same for every try. */
  readonly messageId: string
  readonly attempts: number
  readonly nextAtMs: number | undefined
  readonly outcome: 'pending' | 'delivered' | 'failed'
  readonly error: ErrorReport | undefined
}

/** A job as it is stored: one JSON document, replaced as a whole, and only by who has read the version before. */
export interface ExportState {
  readonly version: 1
  readonly id: string
  readonly dialect: string
  readonly sourceAddress: string
  readonly status: ExportStatusName
  readonly spec: ExportSpec
  /** Of the key that the dump is encrypted with: no other may take its name meanwhile. */
  readonly keyCheck?: string | undefined
  /** Where the idempotency key that it was begun under is kept, to be forgotten with it. */
  readonly requestKey?: string | undefined
  /** Who is at it. Another may take over once it has run out; whoever lost it fails at the next save. */
  readonly lease: { readonly owner: string; readonly untilMs: number } | undefined
  /** Copies begun: another one follows when the snapshot is lost. */
  readonly attempt: number
  readonly view: ViewRef | undefined
  readonly plan: CopyPlan | undefined
  readonly streams: readonly StreamState[]
  readonly steps: number
  /** Longest time in which the source was busy with one page, in milliseconds. */
  readonly slowestPageMs: number
  /** Steps that failed one after the other. */
  readonly failures: number
  readonly nextAtMs: number
  readonly error: ErrorReport | undefined
  /** Whether what an ended export left behind (parts, view, objects of a failed one) is still to be removed. */
  readonly isCleanupDue: boolean
  /** Removing it was given up; `sweep` has it tried again. */
  readonly hasRemains: boolean
  readonly callback: CallbackState | undefined
  readonly createdAtMs: number
  readonly updatedAtMs: number
  readonly completedAtMs: number | undefined
}

export function newStream(fields: Pick<StreamState, 'role' | 'table' | 'from' | 'to'>): StreamState {
  return {
    ...fields,
    phase: 'open',
    cursor: { section: fields.from },
    rows: {},
    bytes: 0,
    storedBytes: 0,
    chunks: [],
    spilled: 0,
    volumes: [],
    uploadId: undefined,
    restarts: 0,
  }
}

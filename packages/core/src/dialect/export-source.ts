import type { RowValues } from '../change/value.ts'
import type { AbortOptions } from './source.ts'
import type { ColumnSchema } from './table.ts'

/**
 * How the rows of an export relate to one instant.
 *
 * - `snapshot`: a view that the engine holds still.
 * - `corrected`: the live tables, put back to the instant at which the export began with the help of a change log.
 * - `fuzzy`: each page as it was when it was read; no instant at all.
 */
export type Consistency = 'snapshot' | 'corrected' | 'fuzzy'

/** What a source of exports can do. Every field is required. */
export interface ExportCapabilities {
  /** In order of preference: `auto` takes the first. */
  readonly consistencies: readonly Consistency[]
  /** Whether rows come as statements for the engine's own shell (`readBlocks`). */
  readonly rendersSql: boolean
  /** How many tables can be read side by side in one view; 1: one after the other. */
  readonly readers: number
}

/**
 * A database to export. Made by a factory such as `nodeSqlite(db)` or `postgresSource(…)`, whose object may be a source of other kinds too;
 * opens nothing by itself.
 */
export interface ExportSource {
  /** Engine: `sqlite`, `postgres`, `mysql`. */
  readonly name: string
  /** Without credentials. */
  readonly address: string
  readonly exports: ExportCapabilities
  connectExport(options?: AbortOptions): Promise<ExportConnection>
}

/** One table, and which of its rows. */
export interface ExportTableSelection {
  /** As the user writes it: `users`, `public.users`, `"odd.name"`. */
  readonly name: string
  /** A condition in the engine's SQL, written by the developer and trusted as their code is: `created_at > '2026-01-01'`. */
  readonly where?: string | undefined
  /** At most this many rows, the first in key order. */
  readonly limit?: number | undefined
}

/** What to export. Plain data: it is stored with the job. */
export interface ExportSelection {
  /** Absent: every table that is the user's. Errors: `TABLE_UNKNOWN`. */
  readonly tables?: readonly ExportTableSelection[] | undefined
  /** Names that are left out, exactly as the catalogue has them (with the schema where the engine has schemas). */
  readonly exclude: readonly string[]
  /** Sources of regular expressions; a table whose name one of them matches is left out. */
  readonly excludePatterns: readonly string[]
  /** `schema`: no rows; `data`: no definitions. */
  readonly content: 'all' | 'schema' | 'data'
}

export interface CreateViewRequest extends AbortOptions {
  /**
   * Names what the view needs at the source (a file beside the database, a change log). Asked twice for one name, the view is made
   * anew and what the first left is gone.
   */
  readonly viewId: string
  readonly consistency: Consistency
  readonly selection: ExportSelection
  /** Whether the view may live no longer than this connection until `ExportView.keep` is called, where that spares work. Default false. */
  readonly mayBeLost?: boolean | undefined
  /** Whether rows will be asked for as statements (`readBlocks`), for a source that has something to prepare for it. Default true. */
  readonly readsBlocks?: boolean | undefined
}

/** A view as it is stored with the job. */
export interface ViewRef {
  readonly viewId: string
  readonly consistency: Consistency
  /** Opaque; never a credential. */
  readonly token: string
  /** What the engine calls the instant, for people and for following the log from there: an LSN, a binlog position; `undefined` where it has no name. */
  readonly cut: string | undefined
}

/** How statements are to be rendered. Plain data: it is stored with the job, and the same options give the same bytes. */
export interface RenderOptions {
  /** No statement is longer, in bytes. */
  readonly maxStatementBytes: number
  /** Whether row numbers that no column names are kept (SQLite). */
  readonly keepRowids: boolean
}

export interface ExportTable {
  /** Unique in the export: `users`, `public.users`. */
  readonly name: string
  /** Only those that hold data: no generated ones. */
  readonly columns: readonly ColumnSchema[]
  /** Empty where there is none. */
  readonly key: readonly string[]
  /** The engine's estimates, for progress and part sizes only. */
  readonly estimatedRows: number | undefined
  readonly estimatedBytes: number | undefined
}

/** A stretch of a dump: statements, or the rows of a table. */
export type ExportSection =
  | { readonly kind: 'statements'; readonly role: 'before' | 'after'; readonly statements: readonly string[] }
  /** `table`: index in `ExportPlan.tables`. */
  | { readonly kind: 'rows'; readonly table: number }

/** What is in the export, in the order in which the engine's shell can load it. */
export interface ExportPlan {
  readonly tables: readonly ExportTable[]
  /** Each table with rows once. Statements are without a line break at their end; comments and blank lines are the source's own affair. */
  readonly sections: readonly ExportSection[]
  /**
   * What a session is told before it can load rows or the last section as they were written. The first section has it in itself; every other object of a
   * directory begins with it, so that each can be loaded in a session of its own. Absent: nothing.
   */
  readonly preamble?: readonly string[] | undefined
  /** Changes when anything does that the sections or tables were derived from. Compared for equality only. */
  readonly schemaHash: string
  /** Such as `SQLite 3.53.4`. */
  readonly engineVersion: string
  /** Things that people should know: a virtual table that is left out, an owner that is not kept. No row values. */
  readonly notes: readonly string[]
}

export interface ReadBlocksRequest extends AbortOptions {
  /** Index in `ExportPlan.tables`. */
  readonly table: number
  /** As a block gave it in `last`; absent: from the first row. */
  readonly after?: string | undefined
  /** Stop once this many bytes have been read: about one page. */
  readonly bytes: number
}

/** Whole statements: the least that a dump can be cut into. */
export interface ExportBlock {
  /** Ends with a line break; at most `maxStatementBytes` a statement. May be a view of a larger buffer; its memory may be used again once the table's next page is asked for. */
  readonly bytes: Uint8Array
  readonly rows: number
  /** Where the next block begins. Opaque, short. */
  readonly last: string
  /** Of use only in the session that goes on with the next block: an object of a directory does not end behind it, however large it then is. Default false. */
  readonly continues?: boolean | undefined
}

export interface BlockPage {
  readonly blocks: readonly ExportBlock[]
  readonly isLast: boolean
}

export interface ReadExportRowsRequest extends AbortOptions {
  readonly table: number
  readonly after?: string | undefined
  /** Stop once this many rows or about this many bytes have been read. */
  readonly limit: { readonly rows: number; readonly bytes: number }
}

export interface ExportRowPage {
  /** In the order of `ExportTable.columns`, as {@link Value}s in the columns' stored form. */
  readonly rows: readonly RowValues[]
  /** Where to go on after the row of that index. */
  cursorAfter(index: number): string
  readonly isLast: boolean
}

/**
 * A database at one instant (or at none, when fuzzy). Calls for different tables may overlap up to `ExportCapabilities.readers`.
 *
 * In a view that is not fuzzy reading is deterministic: which blocks and rows follow `after` depends on the view, on the selection and on the
 * `RenderOptions` only. How much is asked for at a time decides where a page ends and nothing else.
 */
export interface ExportView extends AsyncDisposable {
  readonly plan: ExportPlan
  /**
   * Errors: `SNAPSHOT_LOST` when the instant can't be had any more; `SCHEMA_CHANGED` when the tables are not what the plan says; `SOURCE_*`.
   * Present exactly when `ExportCapabilities.rendersSql`.
   */
  readBlocks?(request: ReadBlocksRequest): Promise<BlockPage>
  /**
   * Makes the view one that can be opened again after the connection is gone. Present where it is none yet; the view is to be opened anew afterwards.
   * May take minutes; aborted, it leaves nothing. Errors: `SOURCE_*`, `ABORTED`.
   */
  keep?(options?: AbortOptions): Promise<void>
  /** Errors: as `readBlocks`; `VALUE_UNREPRESENTABLE`. */
  readRows(request: ReadExportRowsRequest): Promise<ExportRowPage>
}

export interface OpenViewRequest extends AbortOptions {
  readonly ref: ViewRef
  readonly selection: ExportSelection
  readonly render: RenderOptions
}

export interface ExportConnection extends AsyncDisposable {
  /** Fixes the instant. Errors: `TABLE_UNKNOWN`, `NOTHING_SELECTED`, `NOT_SUPPORTED`, `SOURCE_*`. */
  createView(request: CreateViewRequest): Promise<ViewRef>
  /** Errors: `SNAPSHOT_LOST` where the view died with the process or connection that made it; `TABLE_UNKNOWN`; `SOURCE_*`. */
  openView(request: OpenViewRequest): Promise<ExportView>
  /** Removes what the view left at the source. One that is gone is no error. */
  dropView(ref: Pick<ViewRef, 'viewId' | 'consistency'>, options?: AbortOptions): Promise<void>
  /** What is wrong with the database itself, a line each; empty: nothing was found. For `verify`. */
  checkIntegrity(options?: AbortOptions): Promise<readonly string[]>
}

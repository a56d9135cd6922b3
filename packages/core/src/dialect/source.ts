import type { RowValues } from '../change/value.ts'
import type { Cursor, Mark } from './cursor.ts'
import type { RowDecoder } from './row-sink.ts'
import type { ColumnOverride, ColumnSchema, TableRef, TableSchema } from './table.ts'

export interface AbortOptions {
  /** Ends the wait. What is already committed stays. */
  readonly signal?: AbortSignal | undefined
}

/** What a source can do. Every field is required: an adapter answers, it never inherits a guess. */
export interface SourceCapabilities {
  /** How a source proves that no older row can still appear below a cursor. `grace` is a declared wait, not a proof. */
  readonly settling: 'snapshot' | 'locks' | 'grace'
  /** Whether `streamRows` exists: one pass over a whole table with bounded memory. */
  readonly streamsRows: boolean
  /** Whether `diagnose` exists. */
  readonly diagnoses: boolean
  /** Whether a page tells the schema version it was read under, so that drift is seen without another query. */
  readonly reportsSchemaVersion: boolean
  /**
   * Whether `ColumnSchema.ordinal` stays a column's own when others are dropped. Where it is a mere place, columns are matched by
   * name, and a rename is a drop and an add.
   */
  readonly keepsOrdinals: boolean
  /** Whether a restored or replaced server can be recognised, and is then refused with `SOURCE_REWOUND`. */
  readonly detectsRewind: boolean
}

/** A kind of database to read from. Made by a factory such as `postgresSource(config)`; opens nothing by itself. */
export interface SourceDialect {
  /** Engine name, such as `postgres`. */
  readonly name: string
  readonly capabilities: SourceCapabilities
  /** The address without credentials, for status and errors: `postgres://db.example/app`. */
  readonly address: string
  /**
   * Splits a name as the user writes it (`public.users`, `"odd.name"`) and applies the default schema.
   * Throws `CONFIG_INVALID` on NUL or an impossible name.
   */
  parseTable(name: string): TableRef
  connect(options?: AbortOptions): Promise<SourceConnection>
}

export interface DescribeTableOptions extends AbortOptions {
  /** By column name. A type that the source type does not allow is `CONFIG_INVALID`. */
  readonly overrides?: Readonly<Record<string, ColumnOverride>> | undefined
}

export interface ReadRowsRequest extends AbortOptions {
  readonly table: TableSchema
  /** The columns wanted, in the order wanted. Key and tracking columns need not be among them. */
  readonly columns: readonly ColumnSchema[]
  /** The key that breaks ties: the table's own or one the user named. Never empty. */
  readonly key: readonly string[]
  /** Read in (tracking, key) order; absent: in key order. */
  readonly tracking?: string | undefined
  /** Rows strictly after this; absent: from the first. */
  readonly after?: Cursor | undefined
  /** At most this many rows. */
  readonly limit: number
  /** Marks that wait to settle, oldest first. */
  readonly marks?: readonly Mark[] | undefined
  /** Only rows whose tracking value is NULL, in key order; `tracking` is then the column meant. */
  readonly nullTracking?: boolean | undefined
}

export interface RowPage {
  readonly rows: readonly RowValues[]
  /** Cursor of the last row; `undefined` exactly when there is no row. */
  readonly last: Cursor | undefined
  /** What the source's transactions were doing when this page was read; see {@link Mark}. */
  readonly fence: string
  /**
   * How many of the request's marks, from the oldest, hold as far as this page reaches: no transaction that was open
   * when the mark was made can still bring a row into the range from `after` to the page's last row, or to the
   * table's end on the last page.
   */
  readonly settledMarks: number
  /** Whether no row followed when the page was read. A page may be shorter than the limit without being the last. */
  readonly isLast: boolean
  /** Whether rows exist whose tracking value is NULL; false when the column can't be NULL. */
  readonly hasNullTracking: boolean
  /** Whether `after` lies above every row: the newest were deleted, or the source was restored from a backup. */
  readonly cursorAhead: boolean
  /** The table's version as of this page, where the source reports it. */
  readonly schemaVersion: string | undefined
}

export interface StreamRowsRequest extends AbortOptions {
  readonly table: TableSchema
  readonly columns: readonly ColumnSchema[]
  /** Read in key order, strictly after `after`; an empty key reads in no order and can't resume. */
  readonly key: readonly string[]
  readonly after?: Cursor | undefined
}

/**
 * One pass over a table as the engine's own bytes, in one statement and so in one snapshot of that statement. The decoder writes the
 * cells straight into a {@link RowSink}: no per-row object is made between the socket and the target.
 */
export interface RowStream extends AsyncDisposable, AsyncIterable<Uint8Array> {
  /** The fence of the stream's snapshot. */
  readonly fence: string
  /** Whether every transaction that was open when the mark was made had ended before the stream's snapshot. */
  settles(mark: Mark): boolean
  readonly decoder: RowDecoder
}

export interface ReadByKeyRequest extends AbortOptions {
  readonly table: TableSchema
  readonly columns: readonly ColumnSchema[]
  readonly key: readonly string[]
  /** Key values as they are stored in the target, one row each, at most 1,000. */
  readonly keys: readonly RowValues[]
}

export interface FenceRequest extends AbortOptions {
  readonly table: TableSchema
  readonly key: readonly string[]
  readonly tracking: string
}

/** What `doctor` found. `sql` mends it where SQL can. */
export interface Finding {
  /** Stable, such as `tracking-index-missing`. */
  readonly id: string
  readonly severity: 'error' | 'warning' | 'info'
  readonly message: string
  readonly sql?: string | undefined
}

export interface DiagnoseRequest extends AbortOptions {
  readonly table: TableSchema
  readonly tracking: string | undefined
}

/**
 * One logical connection. Not safe for concurrent calls. After an error the adapter has thrown the physical
 * connection away; the next call opens another.
 */
export interface SourceConnection extends AsyncDisposable {
  describeTable(table: TableRef, options?: DescribeTableOptions): Promise<TableSchema>
  readRows(request: ReadRowsRequest): Promise<RowPage>
  /** Current rows of the given keys, in any order; a key without a row is gone. */
  readRowsByKey(request: ReadByKeyRequest): Promise<readonly RowValues[]>
  /** The greatest (tracking, key) now and the fence it was read under; no rows: `cursor` is undefined. */
  readHighMark(request: FenceRequest): Promise<{ readonly cursor: Cursor | undefined; readonly fence: string; readonly hasNullTracking: boolean }>
  /** Present exactly when `capabilities.streamsRows`. */
  streamRows?(request: StreamRowsRequest): Promise<RowStream>
  /** Present exactly when `capabilities.diagnoses`. */
  diagnose?(request: DiagnoseRequest): Promise<readonly Finding[]>
}

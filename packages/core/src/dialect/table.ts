/** A table's name as the user wrote it, split at the seam. */
export interface TableRef {
  /** The schema or database, or `undefined` for the connection's default. */
  readonly schema?: string | undefined
  readonly name: string
}

/** How a value is stored in SQLite. Nothing else is ever declared there. */
export type StorageClass = 'integer' | 'real' | 'text' | 'blob'

/**
 * What a stored value means, so that a reader can give it back. The text forms are canonical: the same value
 * gives the same bytes by poll, bulk load and stream.
 *
 * | type | stored as | form |
 * | --- | --- | --- |
 * | `boolean` | integer | 0 or 1 |
 * | `integer` | integer | 64-bit signed |
 * | `decimal` | text | the source's digits, scale kept; `NaN`, `Infinity` as such |
 * | `scaled` | integer | value x 10^scale |
 * | `real` | real | IEEE double; `NaN`, `Infinity`, `-Infinity` are kept as text of that name |
 * | `text`, `enum`, `raw` | text | unchanged |
 * | `uuid` | text | 36 lower-case characters |
 * | `uuid-blob` | blob | 16 bytes |
 * | `blob` | blob | unchanged |
 * | `json` | text | the source's text, never re-serialised |
 * | `array` | text | JSON; integers as digits, other scalars as strings |
 * | `date` | text | `YYYY-MM-DD` |
 * | `timestamp` | text | `YYYY-MM-DDTHH:MM:SS.ffffff` without a zone |
 * | `timestamp-utc` | text | the same with `Z` |
 * | `epoch-us` | integer | microseconds since 1970 UTC |
 * | `time` | text | `HH:MM:SS[.ffffff]`, may exceed a day |
 * | `interval` | text | ISO 8601 duration |
 * | `bits` | text | `0` and `1` |
 */
export type LogicalType =
  | 'boolean' | 'integer' | 'decimal' | 'scaled' | 'real' | 'text' | 'enum' | 'raw' | 'uuid' | 'uuid-blob' | 'blob'
  | 'json' | 'array' | 'date' | 'timestamp' | 'timestamp-utc' | 'epoch-us' | 'time' | 'interval' | 'bits'

/** What to do with a value that can't be stored exactly. `text` keeps the source's own text. */
export type UnrepresentablePolicy = 'error' | 'null' | 'text'

/** How the user wants one column, instead of the catalogue's default. */
export interface ColumnOverride {
  /** Another logical type that this source type allows, such as `scaled`, `real`, `epoch-us`, `uuid-blob`, `raw`. */
  readonly type?: LogicalType | undefined
  readonly onUnrepresentable?: UnrepresentablePolicy | undefined
}

/** A column of a source table, with the way it will be stored already decided. */
export interface ColumnSchema {
  readonly name: string
  /**
   * The engine's stable number of the column: tells a rename from a drop and an add. Its place where the engine has none,
   * see `SourceCapabilities.keepsOrdinals`. Starts at 1.
   */
  readonly ordinal: number
  /** The engine's name of the type, with its modifiers: `numeric(10,2)`, `bigint unsigned`. */
  readonly sourceType: string
  readonly logicalType: LogicalType
  readonly storage: StorageClass
  /** Digits after the point, for `scaled`; 0 otherwise. */
  readonly scale: number
  readonly nullable: boolean
  readonly onUnrepresentable: UnrepresentablePolicy
}

/** A secondary index worth having on the copy. Expression and partial indexes are left out by adapters. */
export interface IndexSchema {
  readonly columns: readonly string[]
  readonly unique: boolean
}

export interface TableSchema {
  readonly ref: TableRef
  readonly kind: 'table' | 'view'
  /** In the engine's own order. */
  readonly columns: readonly ColumnSchema[]
  /** Column names of the primary key in key order; empty when there is none. */
  readonly key: readonly string[]
  readonly indexes: readonly IndexSchema[]
  /** The engine's estimate, for progress only; `undefined` when it has none. */
  readonly estimatedRows: number | undefined
  /** Changes whenever columns, types, nullability or key change. Compared for equality only. */
  readonly version: string
}

import type { StorageClass, TableRef, Value } from '@tidemark/core/adapter'

/**
 * What a column holds, whatever the engine calls it. A harness maps a kind to the DDL of its engine.
 *
 * | kind | holds | values in rows |
 * | --- | --- | --- |
 * | `int` | 32-bit integers | number |
 * | `bigint` | 64-bit integers | bigint |
 * | `real` | IEEE doubles | number |
 * | `decimal` | 30 digits, 10 after the point | text with all 10 digits after the point |
 * | `text` | Unicode text of any length | string |
 * | `bool` | truth values | boolean |
 * | `blob` | bytes | Uint8Array |
 * | `timestamp` | date and time without a zone, microseconds | `YYYY-MM-DDTHH:MM:SS.ffffff` |
 * | `date` | dates | `YYYY-MM-DD` |
 */
export type ColumnKind = 'int' | 'bigint' | 'real' | 'decimal' | 'text' | 'bool' | 'blob' | 'timestamp' | 'date'

export const COLUMN_KINDS: readonly ColumnKind[] = ['int', 'bigint', 'real', 'decimal', 'text', 'bool', 'blob', 'timestamp', 'date']

export interface ColumnSpec {
  readonly name: string
  readonly kind: ColumnKind
  /** False by default. Key columns never are. */
  readonly nullable?: boolean | undefined
}

export interface TableSpec {
  readonly name: string
  readonly columns: readonly ColumnSpec[]
  /** Primary key columns in key order; empty: no primary key. */
  readonly key: readonly string[]
  /** Secondary indexes. */
  readonly indexes?: readonly { readonly columns: readonly string[]; readonly unique: boolean }[] | undefined
}

/** A row by column name. A column left out is NULL. */
export type RowRecord = Readonly<Record<string, Value>>

/** A table that the harness made. */
export interface CreatedTable {
  readonly ref: TableRef
  readonly spec: TableSpec
}

/** How a kind is kept in the target, for comparing cells. */
export const STORAGE_OF_KIND: Readonly<Record<ColumnKind, StorageClass>> = {
  int: 'integer',
  bigint: 'integer',
  real: 'real',
  decimal: 'text',
  text: 'text',
  bool: 'integer',
  blob: 'blob',
  timestamp: 'text',
  date: 'text',
}

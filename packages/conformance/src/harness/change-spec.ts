import type { TableRef } from '@tidemark/core/adapter'
import type { ColumnSpec, RowRecord, TableSpec } from './table-spec.ts'

export interface ChangeColumnSpec extends ColumnSpec {
  /** Computed by the database: twice the value of the column named. */
  readonly generated?: { readonly storage: 'stored' | 'virtual'; readonly twice: string } | undefined
}

export interface ChangeTableSpec extends TableSpec {
  readonly columns: readonly ChangeColumnSpec[]
  /** SQLite's tables that are kept in key order. */
  readonly withoutRowid?: boolean | undefined
  /** These columns name a row of another table by its key; what becomes of them when that row is deleted. A changed key is followed. */
  readonly parent?: ParentSpec | undefined
}

export interface ParentSpec {
  readonly columns: readonly string[]
  readonly table: string
  readonly key: readonly string[]
  readonly onDelete: 'cascade' | 'set null'
}

/** A table that the harness made. */
export interface CapturedTable {
  readonly ref: TableRef
  readonly spec: ChangeTableSpec
}

/**
 * One statement as data: a harness writes it in its engine's words. `where` means equality with every column in it; empty, it
 * means every row.
 */
export type ChangeStatement =
  | { readonly kind: 'insert'; readonly table: CapturedTable; readonly rows: readonly RowRecord[]; readonly onConflict?: OnConflict | undefined }
  | { readonly kind: 'update'; readonly table: CapturedTable; readonly where: RowRecord; readonly set: RowRecord; readonly orReplace?: boolean | undefined }
  | { readonly kind: 'delete'; readonly table: CapturedTable; readonly where: RowRecord }
  | { readonly kind: 'truncate'; readonly table: CapturedTable }

/**
 * What an insert does with a row that meets another: change that one when it has the same primary key, leave it, or push it out of
 * the way, whichever unique key they share. Default: fail, and undo the whole statement.
 */
export type OnConflict = 'update' | 'ignore' | 'replace'

export type TableAlteration =
  | { readonly kind: 'add'; readonly column: ColumnSpec }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string }
  | { readonly kind: 'drop'; readonly column: string }

/** The table's specification after the change. */
export function altered(spec: ChangeTableSpec, alteration: TableAlteration): ChangeTableSpec {
  switch (alteration.kind) {
    case 'add': return { ...spec, columns: [...spec.columns, { ...alteration.column, nullable: true }] }
    case 'rename': return { ...spec, columns: spec.columns.map((column) => (column.name === alteration.from ? { ...column, name: alteration.to } : column)) }
    case 'drop': return { ...spec, columns: spec.columns.filter((column) => column.name !== alteration.column) }
    default: return alteration satisfies never
  }
}

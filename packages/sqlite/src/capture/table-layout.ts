import type { Affinity } from '../source/column-type.ts'

export interface LayoutColumn {
  readonly name: string
  /** As declared; empty where no type is. */
  readonly type: string
  readonly nullable: boolean
  readonly generated: boolean
  readonly affinity: Affinity
}

/**
 * What the values of a log entry mean. Written when the triggers are made and never changed: an entry is read with the layout it
 * was written under, whatever has become of the table.
 */
export interface TableLayout {
  readonly id: number
  readonly table: string
  /** Counts the shapes of the table, from 1. */
  readonly version: number
  /** In the order of the entry's values, behind the row number. */
  readonly columns: readonly LayoutColumn[]
  /** Primary key columns in key order; empty: the row number is the key. */
  readonly key: readonly string[]
  /** The name that reaches the row number, which is then the first value of an image; `undefined` where the key identifies the row. */
  readonly rowid: string | undefined
  /** The columns in whose order the table is read: its row number where it has one, else its key. */
  readonly scan: readonly string[]
  /** By which these are compared; `null`, and absent for all: by the column's own. */
  readonly scanCollations?: readonly (string | null)[] | undefined
  /** Whether VACUUM may give rows other numbers, which SQLite counts as a change of the schema. */
  readonly isScanUnstable: boolean
  /** Whether both images of an update stand in one entry. */
  readonly isCombined: boolean
}

/** Values of one image. */
export function imageWidth(layout: Pick<TableLayout, 'columns' | 'rowid'>): number {
  return layout.columns.length + (layout.rowid === undefined ? 0 : 1)
}

/** Values of the widest entry of the table. */
export function entryWidth(layout: Pick<TableLayout, 'columns' | 'rowid' | 'isCombined'>): number {
  return layout.isCombined ? imageWidth(layout) * 2 : imageWidth(layout)
}

/**
 * Whether an update leaves an unchanged value of this column out of the old image. Only where values can be large; comparing costs
 * about as much as writing a number.
 */
export function isLeftOut(column: LayoutColumn): boolean {
  return column.affinity === 'text' || column.affinity === 'blob'
}

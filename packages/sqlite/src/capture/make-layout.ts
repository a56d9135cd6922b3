import { TidemarkError } from '@tidemark/core/adapter'
import type { CapturedTable } from './captured-table.ts'
import { imageWidth, type TableLayout } from './table-layout.ts'

/** What stands beside an entry's values where the log's end is read: SQLite's limit for columns holds for what is selected as well. */
const HEAD_COLUMNS = 5

/**
 * An update of a table of up to this many columns is one entry: half the cost. Above, the log would grow so wide that every
 * change of every table pays for it, since each entry has a place for each of its values.
 */
const MAX_COMBINED_WIDTH = 48

export interface LayoutRequest {
  readonly id: number
  readonly version: number
  /** Greatest number of columns a table of this database may have. */
  readonly maxColumns: number
  /** Whether the engine's greatest row is so small that two images could exceed it. */
  readonly hasSmallRows: boolean
}

/** Errors: `TABLE_NOT_CAPTURABLE` for a table without any way to tell its rows apart, or too wide. */
export function makeLayout(table: CapturedTable, request: LayoutRequest): TableLayout {
  const isKeyless = table.key.length === 0
  if ((isKeyless || table.isKeyNullable) && table.rowid === undefined) {
    throw new TidemarkError('TABLE_NOT_CAPTURABLE', `'${table.name}' has no key, and its columns hide its row number.`)
  }
  const { id, version } = request
  const shape = { columns: table.columns, rowid: isKeyless ? table.rowid : undefined }
  const width = imageWidth(shape)
  const scan = table.rowid === undefined ? table.key : [table.rowid]
  const others = Math.max(HEAD_COLUMNS, scan.length)
  if (width + others > request.maxColumns) {
    throw new TidemarkError('TABLE_NOT_CAPTURABLE', `'${table.name}' has ${table.columns.length} columns; the log has room for ${request.maxColumns - others}.`)
  }
  const isCombined = !request.hasSmallRows && width * 2 <= MAX_COMBINED_WIDTH && width * 2 + others <= request.maxColumns
  return {
    id, table: table.name, version, key: table.key, isCombined, ...shape,
    scan,
    scanCollations: table.rowid === undefined ? table.keyCollations : undefined,
    isScanUnstable: table.rowid !== undefined && !table.isKeyRowid,
  }
}

/** Whether two layouts of one table say the same about it, so that nobody needs to hear of the change. */
export function isSameShape(a: TableLayout, b: TableLayout): boolean {
  const shape = ({ table, columns, key, rowid }: TableLayout): string => JSON.stringify([table, columns, key, rowid])
  return shape(a) === shape(b)
}

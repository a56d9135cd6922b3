import type { CursorPart } from '../cursor-part.ts'
import { cursorPart } from '../cursor-part.ts'
import type { CatalogueIndex } from '../describe-table.ts'
import type { Ordering } from '../ordering.ts'
import { quoteIdentifier } from '../quote.ts'
import { parseSourceType } from '../source-type.ts'
import type { ExportColumn } from './export-columns.ts'

/** The unique index that rows are read in the order of. */
export interface ScanKey {
  readonly index: string
  readonly ordering: Ordering
}

const CHARACTERS: ReadonlySet<string> = new Set(['char', 'varchar'])

/** The primary key, or another unique key of columns that are never NULL. `undefined`: the table has neither, or no type that has an order. */
export function scanKey(columns: readonly ExportColumn[], indexes: ReadonlyMap<string, CatalogueIndex>): ScanKey | undefined {
  const names = [...indexes.keys()].sort((a, b) => Number(b === 'PRIMARY') - Number(a === 'PRIMARY') || (a < b ? -1 : 1))
  for (const name of names) {
    const index = indexes.get(name)
    const parts = index?.unique === true && index.isPlain ? partsOf(index, columns) : undefined
    if (parts !== undefined) return { index: name, ordering: { tracking: undefined, key: parts, parts } }
  }
  return undefined
}

function partsOf(index: CatalogueIndex, columns: readonly ExportColumn[]): readonly CursorPart[] | undefined {
  const parts: CursorPart[] = []
  for (const name of index.columns) {
    const column = columns.find(({ schema }) => schema.name === name)
    const part = column === undefined || column.schema.nullable ? undefined : partOf(column)
    if (part === undefined) return undefined
    parts.push(part)
  }
  return parts
}

function partOf(column: ExportColumn): CursorPart | undefined {
  if (CHARACTERS.has(parseSourceType(column.schema.sourceType).base)) return charactersPart(column)
  try {
    return cursorPart(column.schema)
  } catch {
    // A type without an order; the rows are then read in the order in which they are stored.
    return undefined
  }
}

/** By bytes in the column's own character set: what has no counterpart in another one is still found again. */
function charactersPart({ schema, charset, collation }: ExportColumn): CursorPart | undefined {
  if (charset === undefined || collation === undefined) return undefined
  const order = quoteIdentifier(schema.name)
  return {
    column: schema, select: `HEX(${order})`, order, sort: (expression) => expression, sortsShortFrom: undefined,
    literal: (text) => `_${charset} X'${/^[0-9A-F]*$/u.test(text) ? text : ''}' COLLATE ${collation}`,
  }
}

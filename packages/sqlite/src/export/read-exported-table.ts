import { TidemarkError, type ColumnSchema, type RowValues } from '@tidemark/core/adapter'
import { readKeyOrder } from '../key-order.ts'
import { quote } from '../quote.ts'
import { planColumn } from '../source/column-type.ts'
import { quoteText } from '../source/quote-text.ts'
import type { ExportedTable, KeyTerm } from './exported-table.ts'
import type { SelectedTable } from './select-tables.ts'

export type ExportQuery = (sql: string) => Promise<readonly RowValues[]>

/** Names of the row number, where no column has them (sqlite.org, "Rowid Tables"). */
const ROWID_NAMES = ['rowid', '_rowid_', 'oid']

interface Declared {
  readonly name: string
  readonly type: string
  readonly isNotNull: boolean
  readonly keyPart: number
  readonly hidden: number
}

/** Errors: `NOT_SUPPORTED` for a table whose rows nothing tells apart. */
export async function readExportedTable(query: ExportQuery, { entry, where, limit }: SelectedTable): Promise<ExportedTable> {
  const declared = (await query(`SELECT name, type, "notnull", pk, hidden FROM pragma_table_xinfo(${quoteText(entry.name)}) ORDER BY cid`)).map(toDeclared)
  const primary = declared.filter(({ keyPart }) => keyPart > 0).toSorted((a, b) => a.keyPart - b.keyPart)
  const base = { name: entry.name, columns: toColumns(declared), primaryKey: primary.map(({ name }) => name), where, limit, isVirtual: entry.kind === 'virtual' }
  if (entry.isWithoutRowid) return { ...base, key: await primaryKeyTerms(query, entry), rowid: undefined }
  const [alias] = entry.kind === 'table' && primary.length === 1 && !await hasKeyIndex(query, entry.name) ? primary : []
  if (alias !== undefined) return { ...base, key: [{ expression: quote(alias.name), column: undefined, collation: undefined, isOwn: true }], rowid: undefined }
  const rowid = ROWID_NAMES.find((name) => !declared.some((column) => column.name.toLowerCase() === name))
  if (rowid === undefined) throw new TidemarkError('NOT_SUPPORTED', `The table '${entry.name}' has columns of all three names of the row number, and no key to read it by.`)
  return { ...base, key: [{ expression: rowid, column: undefined, collation: undefined, isOwn: true }], rowid }
}

/** 1 is a hidden column of a virtual table; 2 and 3 are generated, and made again by who loads the dump. */
function toColumns(declared: readonly Declared[]): readonly ColumnSchema[] {
  return declared.filter(({ hidden }) => hidden === 0).map(({ name, type, isNotNull }, index) => (
    planColumn({ name, ordinal: index + 1, sourceType: type, nullable: !isNotNull, isOnlyKey: false })
  ))
}

/** `INTEGER PRIMARY KEY` is the row number itself, and the only key without an index. */
async function hasKeyIndex(query: ExportQuery, table: string): Promise<boolean> {
  return (await query(`SELECT 1 FROM pragma_index_list(${quoteText(table)}) WHERE origin = 'pk'`)).length > 0
}

/** Upwards by the key's collations, also where it is declared DESC: rows of keys are compared one way only. Such a page is sorted. */
async function primaryKeyTerms(query: ExportQuery, { name: table, sql }: SelectedTable['entry']): Promise<readonly KeyTerm[]> {
  const [[index] = []] = await query(`SELECT name FROM pragma_index_list(${quoteText(table)}) WHERE origin = 'pk'`)
  const columns = await readKeyOrder({ query, table, index: String(index), namesCollations: /collate/i.test(sql ?? '') })
  return columns.map(({ name, ...collation }) => ({ expression: quote(name), column: name, ...collation }))
}

function toDeclared([name, type, isNotNull, keyPart, hidden]: RowValues): Declared {
  return { name: String(name), type: String(type ?? ''), isNotNull: Number(isNotNull) === 1, keyPart: Number(keyPart), hidden: Number(hidden) }
}

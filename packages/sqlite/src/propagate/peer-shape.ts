import { TidemarkError, type PeerTable, type RowValues } from '@tidemark/core/adapter'
import { isLogTrigger } from '../capture/log-names.ts'
import type { BatchTransaction } from '../driver.ts'
import { affinityOf } from '../source/column-type.ts'
import { quoteText } from '../source/quote-text.ts'

export interface PeerTrigger {
  readonly name: string
  readonly sql: string
  /** Whether it is one of a change log's. */
  readonly isLog: boolean
}

/** A table as the receiving database has it. */
export interface PeerShape {
  readonly name: string
  /** Not a view, nor a virtual table. */
  readonly isTable: boolean
  /** Without generated ones. */
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly key: readonly string[]
  /** By which the key's index compares, by column; the column's own may be another. Empty where the key is the row number. */
  readonly collations: ReadonlyMap<string, string>
  /** In the order in which they were made. */
  readonly triggers: readonly PeerTrigger[]
  readonly hasRows: boolean
}

/** Whether SQLite would refuse another column of that name. */
export function hasColumn({ columns }: PeerShape, name: string): boolean {
  return columns.some((column) => column.name.toLowerCase() === name.toLowerCase())
}

/** `undefined` where there is nothing of that name. Only reads. */
export async function readShape(transaction: BatchTransaction, name: string): Promise<PeerShape | undefined> {
  // At once, because each is a round trip where the database is far away.
  const [[table], columns, triggers, collations] = await Promise.all([
    transaction.query(`SELECT type, strict FROM pragma_table_list WHERE schema = 'main' AND name = ? COLLATE NOCASE`, [name]),
    transaction.query(`SELECT name, type, pk, hidden FROM pragma_table_xinfo(${quoteText(name)}) ORDER BY cid`),
    transaction.query(`SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ? COLLATE NOCASE ORDER BY rowid`, [name]),
    readKeyCollations(transaction, name),
  ])
  if (table === undefined) return undefined
  const [rows] = await transaction.query(`SELECT EXISTS (SELECT 1 FROM ${quoteName(name)}) AS found`)
  return {
    name,
    isTable: table[0] === 'table',
    columns: columns.filter((row) => Number(row[3]) < 2).map(([column, type]) => ({ name: String(column), type: storedType(String(type ?? ''), Number(table[1]) === 1) })),
    key: keyOf(columns),
    collations,
    triggers: triggers.map(([trigger, sql]) => ({ name: String(trigger), sql: String(sql), isLog: isLogTrigger({ name: String(trigger), sql: String(sql) }) })),
    hasRows: Number(rows?.[0]) === 1,
  }
}

/** `ANY` keeps values as they are in strict tables, and makes numbers of texts in others. */
function storedType(type: string, isStrict: boolean): string {
  return !isStrict && type.toUpperCase() === 'ANY' ? 'NUMERIC' : type
}

/** By which the key's index compares, by column; in capitals, however the table was declared. */
export async function readKeyCollations(transaction: BatchTransaction, table: string): Promise<ReadonlyMap<string, string>> {
  const rows = await transaction.query(
    `SELECT info.name, info.coll FROM pragma_index_list(${quoteText(table)}) AS list JOIN pragma_index_xinfo(list.name) AS info
     WHERE list.origin = 'pk' AND info.key = 1`,
  )
  return new Map(rows.map(([column, collation]) => [String(column), String(collation).toUpperCase()]))
}

function quoteName(name: string): string {
  return `main."${name.replaceAll('"', '""')}"`
}

function keyOf(columns: readonly RowValues[]): readonly string[] {
  return columns.filter((row) => Number(row[2]) > 0).toSorted((a, b) => Number(a[2]) - Number(b[2])).map(([column]) => String(column))
}

/**
 * What keeps rows of the sender's table out of this one; `undefined` when nothing does. More columns than the sender's are none, so that a
 * migration can come to the peers first: their defaults are taken.
 */
export function shapeDifference(table: PeerTable, shape: PeerShape | undefined): TidemarkError | undefined {
  if (shape === undefined) return differs(table, 'is missing')
  if (!shape.isTable) return differs(table, 'is no table')
  const here = new Map(shape.columns.map((column) => [column.name, column]))
  const missing = table.columns.find((column) => !here.has(column.name))
  if (missing !== undefined) return differs(table, `has no column '${missing.name}'`)
  const other = table.columns.find((column) => affinityOf(column.type) !== affinityOf(here.get(column.name)?.type ?? ''))
  if (other !== undefined) return differs(table, `stores the column '${other.name}' as another type`)
  return shape.key.join('\0') === table.key.join('\0') ? undefined : differs(table, 'has another key')
}

function differs(table: PeerTable, how: string): TidemarkError {
  return new TidemarkError('PEER_SCHEMA_DIFFERS', `The table '${table.name}' ${how} here.`)
}

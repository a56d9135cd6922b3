import { TidemarkError, type RowValues } from '@tidemark/core/adapter'
import type { BatchTransaction } from '../driver.ts'
import { readKeyOrder } from '../key-order.ts'
import { affinityOf } from '../source/column-type.ts'
import { quoteText } from '../source/quote-text.ts'
import { isLogTrigger, isOfLog, type LogNames } from './log-names.ts'
import type { LayoutColumn } from './table-layout.ts'
import { readUniqueKeys, type UniqueKey } from './unique-keys.ts'

/** A table of the database as capturing sees it. */
export interface CapturedTable {
  /** As the catalogue spells it. */
  readonly name: string
  readonly columns: readonly LayoutColumn[]
  readonly key: readonly string[]
  /** Of each key column of a table without row number, the collation by which rows are told apart; `null`, and `undefined` for all: the column's own. */
  readonly keyCollations: readonly (string | null)[] | undefined
  /** Whether a key column can be NULL, so that the key does not identify every row. */
  readonly isKeyNullable: boolean
  /** The name that reaches the row number; `undefined` for a table that has none or hides it behind columns of all its names. */
  readonly rowid: string | undefined
  /** Whether the key is the row number itself (INTEGER PRIMARY KEY). */
  readonly isKeyRowid: boolean
  /** Unique indexes besides the row number, that of the primary key included. */
  readonly uniqueKeys: readonly UniqueKey[]
  /** Whether a trigger of the user's may write to the table in the middle of a write to it, after our own have looked. */
  readonly hasBeforeTriggers: boolean
  /** Everything the triggers were made for. When it differs they must be made anew. */
  readonly signature: string
}

const ROWID_NAMES = ['rowid', '_rowid_', 'oid']

/** Errors: `TABLE_UNKNOWN`, `TABLE_NOT_CAPTURABLE`. Only reads. */
export async function describeCaptured(transaction: BatchTransaction, names: LogNames, table: string): Promise<CapturedTable> {
  const entry = await readEntry(transaction, table)
  refuse(names, entry)
  const rows = await transaction.query(`SELECT name, type, "notnull", pk, hidden FROM pragma_table_xinfo(${quoteText(entry.name)}) ORDER BY cid`)
  const declared = rows.map(toDeclared)
  const key = declared.filter((column) => column.keyPart > 0).toSorted((a, b) => a.keyPart - b.keyPart)
  const uniqueKeys = await readUniqueKeys(transaction, entry.name)
  const hasBeforeTriggers = await readBeforeTriggers(transaction, entry.name)
  const isKeyRowid = !entry.isWithoutRowid && key.length === 1 && key[0]?.type.toUpperCase() === 'INTEGER' && !uniqueKeys.some((index) => index.isPrimary)
  const keyCollations = entry.isWithoutRowid ? await readKeyCollations(transaction, entry) : undefined
  const requiresKey = entry.isWithoutRowid || entry.isStrict || isKeyRowid
  return {
    name: entry.name,
    columns: declared.map((column) => toColumn(column, requiresKey)),
    key: key.map((column) => column.name),
    keyCollations,
    isKeyNullable: !requiresKey && key.some((column) => !column.isNotNull),
    rowid: entry.isWithoutRowid ? undefined : rowidName(declared, isKeyRowid ? key[0]?.name : undefined),
    isKeyRowid,
    uniqueKeys,
    hasBeforeTriggers,
    signature: signatureOf(entry, { uniqueKeys, hasBeforeTriggers, keyCollations }),
  }
}

/**
 * Whether a trigger of the user's may write before a row of this table is. By its words: a name with AFTER in it makes one seem to be
 * what it is not, which costs time and nothing else.
 */
async function readBeforeTriggers(transaction: BatchTransaction, table: string): Promise<boolean> {
  const rows = await transaction.query(`SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?`, [table])
  const users = rows.map(([name, sql]) => ({ name: String(name), sql: String(sql) })).filter((trigger) => !isLogTrigger(trigger))
  // Without either word it is one: BEFORE is what SQLite takes where nothing is said.
  return users.some(({ sql }) => /\bbefore\b/i.test(sql) || !/\bafter\b/i.test(sql))
}

interface Entry {
  readonly name: string
  /** `table`, `view`, `virtual` or `shadow`. */
  readonly kind: string
  readonly sql: string
  readonly isWithoutRowid: boolean
  readonly isStrict: boolean
}

async function readEntry(transaction: BatchTransaction, table: string): Promise<Entry> {
  const [row] = await transaction.query(
    `SELECT l.name, l.type, l.wr, l.strict, m.sql FROM pragma_table_list AS l JOIN sqlite_master AS m ON m.name = l.name AND m.type IN ('table', 'view')
     WHERE l.schema = 'main' AND l.name = ? COLLATE NOCASE`,
    [table],
  )
  if (row === undefined) {
    throw new TidemarkError('TABLE_UNKNOWN', `The database has no table '${table}'.`, {
      remedy: 'Check the name; a table that is made later is captured by calling install() again.',
    })
  }
  const [name, kind, wr, strict, sql] = row
  return { name: String(name), kind: String(kind), sql: String(sql), isWithoutRowid: Number(wr) === 1, isStrict: Number(strict) === 1 }
}

function refuse(names: LogNames, entry: Entry): void {
  const reason = entry.kind === 'table' ? undefined : `is a ${entry.kind} table`
  const own = isOfLog(names, entry.name) ? 'belongs to the change log' : undefined
  const view = entry.kind === 'view' ? 'is a view' : undefined
  const text = view ?? own ?? reason ?? (/^sqlite_/i.test(entry.name) ? 'belongs to SQLite' : undefined)
  if (text !== undefined) throw new TidemarkError('TABLE_NOT_CAPTURABLE', `'${entry.name}' ${text}, which can't be captured.`)
}

interface DeclaredColumn {
  readonly name: string
  readonly type: string
  readonly isNotNull: boolean
  readonly keyPart: number
  readonly isGenerated: boolean
}

/** 2 and 3 are generated columns; 1, a hidden one, is found in virtual tables only. */
function toDeclared([name, type, notNull, keyPart, hidden]: RowValues): DeclaredColumn {
  return { name: String(name), type: String(type ?? ''), isNotNull: Number(notNull) === 1, keyPart: Number(keyPart), isGenerated: Number(hidden) > 1 }
}

function toColumn({ name, type, isNotNull, keyPart, isGenerated }: DeclaredColumn, requiresKey: boolean): LayoutColumn {
  return { name, type, nullable: !isNotNull && !(keyPart > 0 && requiresKey), generated: isGenerated, affinity: affinityOf(type) }
}

/** A column of one of these names hides the row number behind it (sqlite.org, "Rowid Tables"). */
function rowidName(columns: readonly DeclaredColumn[], keyName: string | undefined): string | undefined {
  if (keyName !== undefined) return keyName
  const taken = new Set(columns.map((column) => column.name.toLowerCase()))
  return ROWID_NAMES.find((name) => !taken.has(name))
}

async function readKeyCollations(transaction: BatchTransaction, { name: table, sql }: Entry): Promise<CapturedTable['keyCollations']> {
  if (!/collate/i.test(sql)) return undefined
  const query = (text: string): Promise<readonly RowValues[]> => transaction.query(text)
  const [[index] = []] = await query(`SELECT name FROM pragma_index_list(${quoteText(table)}) WHERE origin = 'pk'`)
  const columns = await readKeyOrder({ query, table, index: String(index) })
  return columns.every(({ isOwn }) => isOwn) ? undefined : columns.map(({ collation, isOwn }) => (isOwn ? null : collation ?? null))
}

type Signed = Pick<CapturedTable, 'uniqueKeys' | 'hasBeforeTriggers' | 'keyCollations'>

function signatureOf(entry: Entry, { uniqueKeys, hasBeforeTriggers, keyCollations }: Signed): string {
  const collations = keyCollations === undefined ? [] : [{ keyCollations }]
  return JSON.stringify([entry.name, entry.sql, hasBeforeTriggers, ...uniqueKeys.map((key) => key.sql ?? key.conditions), ...collations])
}

import { TidemarkError, type RowValues } from '@tidemark/core/adapter'
import type { BatchTransaction } from '../driver.ts'
import { quote } from '../quote.ts'
import { quoteText } from '../source/quote-text.ts'
import { indexTerms, withoutDirection } from './index-terms.ts'

/** A unique index, as conditions under which a row `s` of the table has the same key as `NEW`. */
export interface UniqueKey {
  readonly isPrimary: boolean
  /** The index's CREATE statement; `undefined` for one that a constraint made. */
  readonly sql: string | undefined
  /** Each over the table alias `s` and the trigger's `NEW`; all must hold. */
  readonly conditions: readonly string[]
  /** The columns whose change can bring a conflict; `undefined`: any. */
  readonly columns: readonly string[] | undefined
}

interface Term {
  /** `undefined` for an expression. */
  readonly name: string | undefined
  readonly collation: string
}

/** Every unique index of the table, that of a primary key included. The row number has none. */
export async function readUniqueKeys(transaction: BatchTransaction, table: string): Promise<readonly UniqueKey[]> {
  const indexes = await transaction.query(
    `SELECT list.name, list.origin, list.partial, m.sql FROM pragma_index_list(${quoteText(table)}) AS list
     LEFT JOIN sqlite_master AS m ON m.type = 'index' AND m.name = list.name WHERE list."unique" = 1 ORDER BY list.seq DESC`,
  )
  const generated = await readGenerated(transaction, table)
  const keys: UniqueKey[] = []
  for (const index of indexes) keys.push(await readKey(transaction, { table, index, generated }))
  return keys
}

async function readGenerated(transaction: BatchTransaction, table: string): Promise<ReadonlySet<string>> {
  const rows = await transaction.query(`SELECT name FROM pragma_table_xinfo(${quoteText(table)}) WHERE hidden > 1`)
  return new Set(rows.map(([name]) => String(name)))
}

interface IndexRequest {
  readonly table: string
  readonly index: RowValues
  readonly generated: ReadonlySet<string>
}

async function readKey(transaction: BatchTransaction, { table, index, generated }: IndexRequest): Promise<UniqueKey> {
  const [name, origin, partial, sql] = index
  const rows = await transaction.query(`SELECT name, coll FROM pragma_index_xinfo(${quoteText(String(name))}) WHERE key = 1 ORDER BY seqno`)
  const terms = rows.map(([column, collation]): Term => ({ name: column === null ? undefined : String(column), collation: String(collation) }))
  const isPlain = Number(partial) === 0 && terms.every((term) => term.name !== undefined)
  const text = typeof sql === 'string' ? sql : undefined
  const names = terms.flatMap((term) => term.name ?? [])
  return {
    isPrimary: origin === 'pk',
    sql: text,
    conditions: [...isPlain ? terms.map(plainCondition) : writtenConditions(table, terms, text), ...generated.size > 0 ? [LOADS_NEW] : []],
    // An UPDATE never names a generated column, so a trigger on one would not fire.
    columns: isPlain && !names.some((column) => generated.has(column)) ? names : undefined,
  }
}

function plainCondition({ name = '', collation }: Term): string {
  return `s.${quote(name)} COLLATE ${quote(collation)} = NEW.${quote(name)}`
}

/** Terms that the catalogue has only as text. `:new` stands for a row of NEW's values, see `withNewRow`. */
function writtenConditions(table: string, terms: readonly Term[], sql: string | undefined): readonly string[] {
  const written = sql === undefined ? undefined : indexTerms(sql)
  if (written === undefined || written.terms.length !== terms.length) {
    throw new TidemarkError('TABLE_NOT_CAPTURABLE', `'${table}' has a unique index whose definition could not be read.`)
  }
  const conditions = terms.map((term, index) => {
    if (term.name !== undefined) return plainCondition(term)
    const expression = withoutDirection(written.terms[index] ?? '')
    return `(${expression}) = (SELECT ${expression} FROM ${NEW_ROW})`
  })
  // The condition's own names can only mean columns of `s`: nothing else is in reach.
  return written.where === undefined ? conditions : [...conditions, `(${written.where})`]
}

/** Where an expression of the index finds NEW's values under their plain names. */
const NEW_ROW = '(:new)'

/**
 * True, and names every column. A BEFORE UPDATE trigger is given only those columns of NEW that it names or that the statement sets; SQLite
 * computes generated columns from what it is given, so that one would be computed from NULLs.
 */
const LOADS_NEW = `(SELECT 1 FROM ${NEW_ROW})`

/** Puts NEW's values in for the placeholder. */
export function withNewRow(condition: string, columns: readonly string[]): string {
  const row = `(SELECT ${columns.map((name) => `NEW.${quote(name)} AS ${quote(name)}`).join(', ')})`
  return condition.replaceAll(NEW_ROW, () => row)
}

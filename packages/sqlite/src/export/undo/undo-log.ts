import { TidemarkError, type ExportSelection } from '@tidemark/core/adapter'
import { readUniqueKeys } from '../../capture/unique-keys.ts'
import type { BatchDriver, BatchTransaction } from '../../driver.ts'
import { quote } from '../../quote.ts'
import { quoteText } from '../../source/quote-text.ts'
import { readExportSchema, type ExportSchemaOptions } from '../read-export-schema.ts'
import { undoNames } from './undo-names.ts'
import { undoStatements, type UndoTable } from './undo-table.ts'

export interface MakeUndoRequest {
  readonly viewId: string
  readonly selection: ExportSelection
  readonly schema: ExportSchemaOptions
}

/**
 * From the commit of this on, the selected tables can be seen as they were at it. What an earlier view of that name left is replaced.
 * Errors: `TABLE_UNKNOWN`, `NOTHING_SELECTED`, `NOT_SUPPORTED` for a virtual table with rows of its own, which has no triggers.
 */
export async function makeUndo(driver: BatchDriver, { viewId, selection, schema }: MakeUndoRequest): Promise<void> {
  const names = undoNames(viewId)
  await driver.transaction(async (transaction) => {
    const left = await leftStatements(transaction, names.prefix)
    const { tables } = await readExportSchema((sql) => transaction.query(sql), selection, { ...schema, definitionsOnly: true })
    const [virtual] = tables.filter(({ isVirtual }) => isVirtual)
    if (virtual !== undefined) {
      throw new TidemarkError('NOT_SUPPORTED', `The virtual table '${virtual.name}' can't be put back to an instant: it takes no triggers.`, { remedy: 'Exclude it, or ask for consistency \'fuzzy\'.' })
    }
    const undos: UndoTable[] = []
    for (const [index, table] of tables.entries()) undos.push({ table, index, uniqueKeys: await readUniqueKeys(transaction, table.name), columnNames: await columnNames(transaction, table.name) })
    const [hasCounters] = await transaction.query(`SELECT 1 FROM main.sqlite_schema WHERE name = 'sqlite_sequence'`)
    const counters = hasCounters === undefined ? `CREATE TABLE ${names.counters} (name, seq)` : `CREATE TABLE ${names.counters} AS SELECT name, seq FROM main.sqlite_sequence`
    for (const statement of [...left, counters, ...undos.flatMap((undo) => undoStatements(names, undo))]) await transaction.run(statement)
  })
}

/** Triggers first: a table that goes before its trigger would fail the user's writes in between, were it not for the transaction. */
export async function dropUndo(driver: BatchDriver, viewId: string): Promise<void> {
  await driver.transaction(async (transaction) => {
    for (const statement of await leftStatements(transaction, undoNames(viewId).prefix)) await transaction.run(statement)
  })
}

async function leftStatements(transaction: BatchTransaction, prefix: string): Promise<readonly string[]> {
  const rows = await transaction.query(`SELECT type, name FROM main.sqlite_schema WHERE type IN ('table', 'trigger') AND substr(name, 1, ${prefix.length}) = ${quoteText(prefix)} ORDER BY type = 'table', name`)
  return rows.map(([type, name]) => `DROP ${String(type).toUpperCase()} IF EXISTS ${quote(String(name))}`)
}

async function columnNames(transaction: BatchTransaction, table: string): Promise<readonly string[]> {
  return (await transaction.query(`SELECT name FROM pragma_table_xinfo(${quoteText(table)}) ORDER BY cid`)).map(([name]) => String(name))
}

/** How many triggers the view has while it is whole: a table that was dropped took its own with it. */
export function triggersSql(viewId: string): string {
  const { prefix } = undoNames(viewId)
  return `SELECT count(*) FROM main.sqlite_schema WHERE type = 'trigger' AND substr(name, 1, ${prefix.length}) = ${quoteText(prefix)}`
}

export const TRIGGERS_PER_TABLE = 5

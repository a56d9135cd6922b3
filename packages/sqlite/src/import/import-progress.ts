import { TidemarkError, type ImportProgress } from '@tidemark/core/adapter'
import type { BatchTransaction, SqliteValue } from '../driver.ts'
import type { CountingStatement } from './import-driver.ts'

const TABLE = '"tidemark_imports"'
const CREATE = `CREATE TABLE IF NOT EXISTS ${TABLE} (id TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID`
const PUT = `INSERT INTO ${TABLE} (id, value) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET value = excluded.value`

type Query = (sql: string, parameters?: readonly SqliteValue[]) => Promise<readonly (readonly unknown[])[]>

/** `undefined` for one that has not begun. */
export async function readImportProgress(query: Query, importId: string): Promise<string | undefined> {
  if (!await exists(query)) return undefined
  const [row] = await query(`SELECT value FROM ${TABLE} WHERE id = ?`, [importId])
  return typeof row?.[0] === 'string' ? row[0] : undefined
}

/** First thing in the transaction: whoever else loads this has come further, or not as far, and must not be mixed with. Errors: `LEASE_LOST`. */
export async function requireImportProgress(transaction: BatchTransaction, { importId, previous }: ImportProgress): Promise<void> {
  const stored = await readImportProgress((sql, parameters) => transaction.query(sql, parameters), importId)
  if (stored !== previous) throw new TidemarkError('LEASE_LOST', 'Another process loads the same dump; nothing was written.')
}

export async function writeImportProgress(transaction: BatchTransaction, { importId, value }: ImportProgress, rows: number): Promise<void> {
  await transaction.run(CREATE)
  await transaction.run(PUT, [importId, value(rows)])
}

/** As `writeImportProgress`, where the rows are counted as they are written. Its table must be there. */
export function countedImportProgress({ importId, value }: ImportProgress): CountingStatement {
  return {
    write: (rows) => ({ sql: PUT, parameters: [importId, value(rows)] }),
    correct: (rows) => ({ sql: `UPDATE ${TABLE} SET value = ? WHERE id = ? AND value = ?`, parameters: [value(rows), importId, value(0)] }),
  }
}

export async function makeProgressTable(transaction: BatchTransaction): Promise<void> {
  await transaction.run(CREATE)
}

/** Leaves nothing behind once no import is under way. */
export async function forgetImport(transaction: BatchTransaction, importId: string): Promise<void> {
  if (!await exists((sql) => transaction.query(sql))) return
  const [row] = await transaction.query(`SELECT count(*) FROM ${TABLE} WHERE id <> ?`, [importId])
  if (Number(row?.[0]) === 0) await transaction.run(`DROP TABLE ${TABLE}`)
  else await transaction.run(`DELETE FROM ${TABLE} WHERE id = ?`, [importId])
}

async function exists(query: Query): Promise<boolean> {
  return (await query(`SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = 'tidemark_imports'`)).length > 0
}

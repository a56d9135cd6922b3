import { TidemarkError, type ImportProgress } from '@tidemark/core/adapter'
import type { SqliteTransaction, SqliteValue } from '../driver.ts'

const TABLE = '"tidemark_imports"'

type Query = (sql: string, parameters?: readonly SqliteValue[]) => Promise<readonly (readonly unknown[])[]>

/** `undefined` for one that has not begun. */
export async function readImportProgress(query: Query, importId: string): Promise<string | undefined> {
  if (!await exists(query)) return undefined
  const [row] = await query(`SELECT value FROM ${TABLE} WHERE id = ?`, [importId])
  return typeof row?.[0] === 'string' ? row[0] : undefined
}

/** First thing in the transaction: whoever else loads this has come further, or not as far, and must not be mixed with. Errors: `LEASE_LOST`. */
export async function requireImportProgress(transaction: SqliteTransaction, { importId, previous }: ImportProgress): Promise<void> {
  const stored = await readImportProgress((sql, parameters) => transaction.query(sql, parameters), importId)
  if (stored !== previous) throw new TidemarkError('LEASE_LOST', 'Another process loads the same dump; nothing was written.')
}

export async function writeImportProgress(transaction: SqliteTransaction, { importId, value }: ImportProgress, rows: number): Promise<void> {
  await transaction.run(`CREATE TABLE IF NOT EXISTS ${TABLE} (id TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID`)
  await transaction.run(`INSERT INTO ${TABLE} (id, value) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET value = excluded.value`, [importId, value(rows)])
}

/** Leaves nothing behind once no import is under way. */
export async function forgetImport(transaction: SqliteTransaction, importId: string): Promise<void> {
  if (!await exists((sql) => transaction.query(sql))) return
  await transaction.run(`DELETE FROM ${TABLE} WHERE id = ?`, [importId])
  const [row] = await transaction.query(`SELECT count(*) FROM ${TABLE}`)
  if (Number(row?.[0]) === 0) await transaction.run(`DROP TABLE ${TABLE}`)
}

async function exists(query: Query): Promise<boolean> {
  return (await query(`SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = 'tidemark_imports'`)).length > 0
}

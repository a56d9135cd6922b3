import { TidemarkError } from '@tidemark/core/adapter'
import type { BatchTransaction } from '../driver.ts'
import { slots } from './entry-sql.ts'
import { ENTRY, entryCode, type MarkKind } from './log-entry.ts'
import type { LogNames } from './log-names.ts'
import { watchStatements } from './vacuum-watch.ts'

/** The form of our own tables that this release writes. A greater one is refused. */
const FORMAT = 1

/** Values of an entry that a new log has room for; wider tables add columns. */
export const FIRST_WIDTH = 8

/** What the log's own tables say about it. */
export interface LogState {
  /** Says which log this is: made anew, it gets another. */
  readonly epoch: string
  /** Columns `v0` to `v<width - 1>` exist. */
  readonly width: number
}

/**
 * Makes the log's tables, where `readLogState` found none. The log's number is an integer primary key without AUTOINCREMENT: the next one is
 * the greatest plus one, found without a second table. Since the last row is never purged, none is given twice.
 */
export async function createLogTables(transaction: BatchTransaction, names: LogNames, epoch: string): Promise<void> {
  for (const sql of createStatements(names)) await transaction.run(sql)
  await transaction.run(`INSERT INTO ${names.meta} VALUES ('format', ?), ('epoch', ?), ('purged', 0), ('verified', 0)`, [FORMAT, epoch])
  await writeMark(transaction, names, { layoutId: 0, kind: 'begin', text: epoch })
}

/** `undefined` where there is no log. Errors: `LOG_NOT_OWNED` when a table of that name is somebody else's, `STATE_NEWER`. */
export async function readLogState(transaction: Pick<BatchTransaction, 'query'>, names: LogNames): Promise<LogState | undefined> {
  const found = await transaction.query(`SELECT name FROM sqlite_master WHERE name IN (?, ?) COLLATE NOCASE`, [`${names.prefix}_log`, `${names.prefix}_log_meta`])
  if (found.length === 0) return undefined
  if (found.length === 1) notOwned(names)
  const columns = await transaction.query(`SELECT name FROM pragma_table_info('${names.prefix}_log_meta')`)
  if (columns.map(([name]) => name).join() !== 'key,value') notOwned(names)
  const rows = await transaction.query(`SELECT key, value FROM ${names.meta} WHERE key IN ('format', 'epoch')`)
  const values = new Map(rows.map(([key, value]) => [key, value]))
  const format = Number(values.get('format'))
  if (!(format >= 1)) notOwned(names)
  if (format > FORMAT) throw new TidemarkError('STATE_NEWER', `The change log '${names.prefix}' has format ${format}; this release knows ${FORMAT}.`)
  const [width] = await transaction.query(`SELECT count(*) FROM pragma_table_info('${names.prefix}_log') WHERE name LIKE 'v%'`)
  return { epoch: String(values.get('epoch')), width: Number(width?.[0]) }
}

function notOwned(names: LogNames): never {
  throw new TidemarkError('LOG_NOT_OWNED', `A table of the name that the change log '${names.prefix}' needs exists, and Tidemark did not make it.`)
}

/** No column has a type or a constraint: each value keeps its storage class, and no write to the log can be refused. */
function createStatements(names: LogNames): readonly string[] {
  const values = slots(FIRST_WIDTH).join(', ')
  return [
    `CREATE TABLE ${names.log} (seq INTEGER PRIMARY KEY, k, ${values})`,
    `CREATE TABLE ${names.meta} (key TEXT PRIMARY KEY, value) WITHOUT ROWID`,
    `CREATE TABLE ${names.layouts} (id INTEGER PRIMARY KEY, table_name TEXT NOT NULL, signature TEXT NOT NULL, layout TEXT NOT NULL, is_current INTEGER NOT NULL)`,
    `CREATE TABLE ${names.notes} (n INTEGER PRIMARY KEY, t, r, ${values})`,
    `CREATE TABLE ${names.consumers} (name TEXT PRIMARY KEY, seq INTEGER NOT NULL, digest TEXT NOT NULL, updated_at_ms INTEGER NOT NULL)`,
    `CREATE TABLE ${names.leases} (lease TEXT PRIMARY KEY, holder TEXT NOT NULL, token INTEGER NOT NULL, expires_at_ms INTEGER NOT NULL)`,
    ...watchStatements(names),
  ]
}

/** Gives log and notes room for entries of this width. ADD COLUMN costs the same however long the log is. */
export async function widenLog(transaction: BatchTransaction, names: LogNames, width: { readonly from: number; readonly to: number }): Promise<void> {
  for (let index = width.from; index < width.to; index += 1) {
    await transaction.run(`ALTER TABLE ${names.log} ADD COLUMN v${index}`)
    await transaction.run(`ALTER TABLE ${names.notes} ADD COLUMN v${index}`)
  }
}

export interface Mark {
  readonly layoutId: number
  readonly kind: MarkKind
  readonly text?: string | undefined
}

export async function writeMark(transaction: BatchTransaction, names: LogNames, mark: Mark): Promise<void> {
  await transaction.run(`INSERT INTO ${names.log} (k, v0, v1) VALUES (?, ?, ?)`, [entryCode(mark.layoutId, ENTRY.mark), mark.kind, mark.text ?? null])
}

export async function dropLogTables(transaction: BatchTransaction, names: LogNames): Promise<void> {
  for (const table of [names.log, names.meta, names.layouts, names.notes, names.consumers, names.leases, names.watch]) {
    await transaction.run(`DROP TABLE IF EXISTS ${table}`)
  }
}

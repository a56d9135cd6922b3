import type { Commit, Fence, IndexSchema, TargetTable } from '@tidemark/core/adapter'
import { eraseCatalogue, writeCatalogue } from './catalogue.ts'
import { requireFence, writeCommit } from './commit.ts'
import type { SqliteDriver, SqliteTransaction } from './driver.ts'
import type { LedgerTables } from './migrations.ts'
import { quote, quoteAll } from './quote.ts'
import { refuseForeign } from './refuse-foreign.ts'

export interface PublishContext {
  readonly driver: SqliteDriver
  readonly ledger: LedgerTables
  readonly tablePrefix: string
  readonly table: TargetTable
  readonly stageName: string
}

/**
 * Puts the staged copy in place of the table, in one transaction with the checkpoint.
 *
 * Two settings are switched around it, because both act on statements that only look local: with `foreign_keys` on, DROP TABLE
 * deletes the rows of the user's own child tables; without `legacy_alter_table`, RENAME fails when a view of the
 * user's names the table that was just dropped (sqlite.org, "ALTER TABLE", section 2).
 */
export async function publishLoad(context: PublishContext, commit: Commit): Promise<void> {
  const { driver } = context
  await buildIndexes(context, commit.fence)
  const foreignKeys = Number((await driver.query('PRAGMA foreign_keys'))[0]?.[0] ?? 0)
  await driver.execute('PRAGMA foreign_keys = OFF')
  await driver.execute('PRAGMA legacy_alter_table = ON')
  try {
    await driver.transaction((transaction) => swap(transaction, context, commit))
  } finally {
    await driver.execute('PRAGMA legacy_alter_table = OFF')
    if (foreignKeys === 1) await driver.execute('PRAGMA foreign_keys = ON')
  }
}

async function swap(transaction: SqliteTransaction, context: PublishContext, commit: Commit): Promise<void> {
  const { ledger, table, stageName } = context
  await refuseForeign(transaction, ledger, table.name)
  await requireFence(transaction, ledger, commit.fence)
  const kept = await userObjects(transaction, context)
  await transaction.run(`DROP TABLE IF EXISTS ${quote(table.name)}`)
  await transaction.run(`ALTER TABLE ${quote(stageName)} RENAME TO ${quote(table.name)}`)
  for (const sql of kept) await transaction.run(sql)
  await eraseCatalogue(transaction, ledger, table.name)
  await writeCatalogue(transaction, ledger, table)
  await writeCommit(transaction, ledger, commit)
}

/**
 * Triggers and indexes that the user made on the table; ours carry the prefix. A trigger is listed under the table's name as
 * its author wrote it, in any case. An index on a column that the new table lacks has nothing to stand on and is left out, as
 * it is when a column is dropped in place.
 */
async function userObjects(transaction: SqliteTransaction, context: PublishContext): Promise<readonly string[]> {
  const rows = await transaction.query(
    `SELECT name, sql FROM sqlite_master WHERE tbl_name = ? COLLATE NOCASE AND type IN ('index', 'trigger') AND sql IS NOT NULL`,
    [context.table.name],
  )
  const kept: string[] = []
  for (const [name, sql] of rows) {
    const isOurs = String(name).startsWith(context.tablePrefix)
    if (!isOurs && await hasItsColumns(transaction, context.table, String(name))) kept.push(String(sql))
  }
  return kept
}

/** True for a trigger too: it has no columns of its own. */
async function hasItsColumns(transaction: SqliteTransaction, table: TargetTable, indexName: string): Promise<boolean> {
  const names = [...table.columns.map(({ name }) => name), table.deletedAtColumn ?? ''].map((name) => name.toLowerCase())
  // An expression has no name.
  const used = await transaction.query('SELECT name FROM pragma_index_info(?) WHERE name IS NOT NULL', [indexName])
  return used.every(([name]) => names.includes(String(name).toLowerCase()))
}

/** One transaction per index, each skipped if a killed run has built it already. */
async function buildIndexes(context: PublishContext, fence: Fence): Promise<void> {
  for (const index of context.table.indexes) {
    await context.driver.transaction(async (transaction) => {
      await requireFence(transaction, context.ledger, fence)
      await ensureIndex(transaction, context, index)
    })
  }
}

export async function ensureIndex(
  transaction: SqliteTransaction, context: Pick<PublishContext, 'table' | 'stageName' | 'tablePrefix'>, index: IndexSchema,
): Promise<void> {
  const { stageName, table, tablePrefix } = context
  if (await hasIndex(transaction, stageName, index)) return
  const unique = index.unique && table.enforceUniques ? 'UNIQUE ' : ''
  const name = await freeIndexName(transaction, `${tablePrefix}${table.name}_${index.columns.join('_')}`)
  await transaction.run(`CREATE ${unique}INDEX ${quote(name)} ON ${quote(stageName)} (${quoteAll(index.columns)})`)
}

async function hasIndex(transaction: SqliteTransaction, tableName: string, index: IndexSchema): Promise<boolean> {
  const rows = await transaction.query(
    `SELECT group_concat(name, char(0)) FROM (
       SELECT list.name AS index_name, info.name AS name FROM pragma_index_list(?) AS list, pragma_index_info(list.name) AS info
       WHERE list.origin = 'c' ORDER BY list.name, info.seqno
     ) GROUP BY index_name`,
    [tableName],
  )
  return rows.some(([columns]) => columns === index.columns.join('\0'))
}

/**
 * The index of the table that is still in use has the plain name; the staged copy's takes the next number. Tables and
 * indexes share one space of names, which SQLite compares without regard to case.
 */
async function freeIndexName(transaction: SqliteTransaction, base: string): Promise<string> {
  const taken = await transaction.query(`SELECT lower(name) FROM sqlite_master`)
  const names = new Set(taken.map(([name]) => String(name)))
  const isTaken = (name: string): boolean => names.has(asciiLower(name))
  if (!isTaken(base)) return base
  let number = 2
  while (isTaken(`${base}_${number}`)) number += 1
  return `${base}_${number}`
}

/** As SQLite's own lower(): letters beyond ASCII keep their case, and tell names apart. */
function asciiLower(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}

import type { Commit, Fence, IndexSchema, TargetTable } from '@tidemark/core/adapter'
import { eraseCatalogue, writeCatalogue } from './catalogue.ts'
import { requireCommit, requireFence, writeCheckpoint } from './commit.ts'
import type { LedgerTables } from './migrations.ts'
import { quote, quoteAll } from './quote.ts'
import { refuseForeign } from './refuse-foreign.ts'
import type { TargetDriver, TargetTransaction } from './target-driver.ts'

export interface PublishContext {
  readonly driver: TargetDriver
  readonly ledger: LedgerTables
  readonly tablePrefix: string
  readonly table: TargetTable
  readonly stageName: string
}

/** Puts the staged copy in place of the table, in one transaction with the checkpoint. */
export async function publishLoad(context: PublishContext, commit: Commit): Promise<void> {
  await buildIndexes(context, commit.fence)
  await context.driver.swap(context.table.name, (transaction) => swap(transaction, context, commit))
}

async function swap(transaction: TargetTransaction, context: PublishContext, commit: Commit): Promise<void> {
  const { ledger, table, stageName } = context
  await refuseForeign(transaction, ledger, table.name)
  await requireCommit(transaction, ledger, commit)
  const kept = await userObjects(transaction, context)
  await transaction.run(`DROP TABLE IF EXISTS ${quote(table.name)}`)
  await transaction.run(`ALTER TABLE ${quote(stageName)} RENAME TO ${quote(table.name)}`)
  for (const sql of kept) await transaction.run(sql)
  await eraseCatalogue(transaction, ledger, table.name)
  await writeCatalogue(transaction, ledger, table)
  await writeCheckpoint(transaction, ledger, commit.checkpoint)
}

/**
 * Triggers and indexes that the user made on the table; ours carry the prefix. A trigger is listed under the table's name as
 * its author wrote it, in any case. An index on a column that the new table lacks has nothing to stand on and is left out, as
 * it is when a column is dropped in place.
 */
async function userObjects(transaction: TargetTransaction, context: PublishContext): Promise<readonly string[]> {
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
async function hasItsColumns(transaction: TargetTransaction, table: TargetTable, indexName: string): Promise<boolean> {
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
      for (const sql of await missingIndexes(transaction, context, [index])) await transaction.run(sql)
    })
  }
}

/** The statements that make those of the indexes that the table of the stage's name, which need not be there yet, does not have. Only reads. */
export async function missingIndexes(
  transaction: TargetTransaction, context: Pick<PublishContext, 'table' | 'stageName' | 'tablePrefix'>, indexes: readonly IndexSchema[],
): Promise<readonly string[]> {
  const { stageName, table, tablePrefix } = context
  if (indexes.length === 0) return []
  const made = await indexedColumns(transaction, stageName)
  const names = new IndexNames((await transaction.query(`SELECT lower(name) FROM sqlite_master`)).map(([name]) => String(name)))
  return indexes.filter((index) => !made.has(index.columns.join('\0'))).map((index) => {
    const unique = index.unique && table.enforceUniques ? 'UNIQUE ' : ''
    const name = names.take(`${tablePrefix}${table.name}_${index.columns.join('_')}`)
    return `CREATE ${unique}INDEX ${quote(name)} ON ${quote(stageName)} (${quoteAll(index.columns)})`
  })
}

async function indexedColumns(transaction: TargetTransaction, tableName: string): Promise<ReadonlySet<string>> {
  const rows = await transaction.query(
    `SELECT group_concat(name, char(0)) FROM (
       SELECT list.name AS index_name, info.name AS name FROM pragma_index_list(?) AS list, pragma_index_info(list.name) AS info
       WHERE list.origin = 'c' ORDER BY list.name, info.seqno
     ) GROUP BY index_name`,
    [tableName],
  )
  return new Set(rows.map(([columns]) => String(columns)))
}

/**
 * The index of the table that is still in use has the plain name; the staged copy's takes the next number. Tables and
 * indexes share one space of names, which SQLite compares without regard to case.
 */
class IndexNames {
  readonly #taken: Set<string>

  /** `taken` is in lower case. */
  constructor(taken: readonly string[]) {
    this.#taken = new Set(taken)
  }

  take(base: string): string {
    let name = base
    for (let number = 2; this.#taken.has(asciiLower(name)); number += 1) name = `${base}_${number}`
    this.#taken.add(asciiLower(name))
    return name
  }
}

/** As SQLite's own lower(): letters beyond ASCII keep their case, and tell names apart. */
function asciiLower(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}

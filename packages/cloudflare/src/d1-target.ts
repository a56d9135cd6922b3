import { TidemarkError, type RowValues, type TargetDialect } from '@tidemark/core/adapter'
import { batchTarget, exactly, untilUnchanged, type RowTally, type SqliteQuery, type SqliteValue, type TargetDriver, type TargetTransaction } from '@tidemark/sqlite'
import type { D1Database } from './d1-database.ts'
import { D1Driver, D1Transaction } from './d1-driver.ts'
import { MAX_PARAMETERS, MAX_ROW_BYTES } from './host-limits.ts'

/** Foreign keys can't be switched off here, but wait for the end of a batch. */
const DEFER: SqliteQuery = { sql: 'PRAGMA defer_foreign_keys = ON' }
const LEGACY_ON: SqliteQuery = { sql: 'PRAGMA legacy_alter_table = ON' }
const LEGACY_OFF: SqliteQuery = { sql: 'PRAGMA legacy_alter_table = OFF' }

/** The host's own tables may not be asked about. */
const REFERRING = `SELECT count(*) AS referring FROM sqlite_master AS t, pragma_foreign_key_list(t.name) AS k
  WHERE t.type = 'table' AND t.name NOT LIKE '!_cf!_%' ESCAPE '!' AND k."table" = ? COLLATE NOCASE AND EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ? COLLATE NOCASE)`

/**
 * A D1 database, given its binding, to keep copies in: a slice is one request that reads, and one batch that writes its rows with the checkpoint.
 *
 * Rows of up to 2 MB, tables of up to 100 columns. A copy can't be replaced whole while other tables refer to it: `NOT_SUPPORTED`. Errors: `TARGET_*`.
 */
export function d1Target(database: D1Database): TargetDialect {
  return batchTarget({
    name: 'd1', address: 'd1', textForm: 'tagged',
    capabilities: { maxParameters: MAX_PARAMETERS, maxRowBytes: MAX_ROW_BYTES, shared: true, synchronous: false },
    open: () => Promise.resolve(new D1TargetDriver(database)),
  })
}

class D1TargetDriver implements TargetDriver {
  readonly #driver: D1Driver

  constructor(database: D1Database) {
    this.#driver = new D1Driver(database)
  }

  query(sql: string, parameters: readonly SqliteValue[] = []): Promise<readonly RowValues[]> {
    const exact = exactly({ sql, parameters })
    return this.#driver.query(exact.sql, exact.parameters)
  }

  transaction<T>(work: (transaction: TargetTransaction) => Promise<T>): Promise<T> {
    return this.#run(work, { before: [DEFER], after: [] })
  }

  async swap<T>(dropped: string, work: (transaction: TargetTransaction) => Promise<T>): Promise<T> {
    try {
      // Within the transaction: what is asked there must be so still when it is written.
      return await this.#run(async (transaction) => {
        await refuseReferred(transaction, dropped)
        return work(transaction)
      }, { before: [DEFER, LEGACY_ON], after: [LEGACY_OFF] })
    } catch (error) {
      // No part of the transaction that was taken back.
      await this.#driver.query(LEGACY_OFF.sql).catch(() => undefined)
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #run<T>(work: (transaction: TargetTransaction) => Promise<T>, around: { readonly before: readonly SqliteQuery[]; readonly after: readonly SqliteQuery[] }): Promise<T> {
    return untilUnchanged(async () => {
      const transaction = new TallyingTransaction(this.#driver)
      const result = await work(transaction)
      if (transaction.writes.length > 0) await this.#commit(transaction, around)
      return result
    })
  }

  async #commit({ seen, writes, tallies }: TallyingTransaction, { before, after }: { readonly before: readonly SqliteQuery[]; readonly after: readonly SqliteQuery[] }): Promise<void> {
    const results = await this.#driver.commit({ seen, writes: [...before, ...writes.map(exactly), ...after] })
    for (const [index, tally] of tallies) tally.add(results[before.length + index]?.changes ?? 0)
  }
}

/** DROP TABLE deletes the rows first: those that refer to them would go too, or forbid it. */
async function refuseReferred(transaction: TargetTransaction, table: string): Promise<void> {
  const [row] = await transaction.query(REFERRING, [table, table])
  if (Number(row?.[0]) === 0) return
  throw new TidemarkError('NOT_SUPPORTED', `The copy "${table}" can't be replaced: other tables refer to it, and D1 does not let foreign keys be switched off.`, {
    remedy: 'Drop those foreign keys, or copy into a table that nothing refers to.',
  })
}

class TallyingTransaction extends D1Transaction implements TargetTransaction {
  /** By the number of the write that they count. */
  readonly tallies = new Map<number, RowTally>()

  override async run(sql: string, parameters: readonly SqliteValue[] = [], tally?: RowTally): Promise<void> {
    if (tally !== undefined) this.tallies.set(this.writes.length, tally)
    await super.run(sql, parameters)
  }
}

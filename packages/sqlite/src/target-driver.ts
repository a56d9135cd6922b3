import type { RowValues } from '@tidemark/core/adapter'
import type { AttachedImage, SqliteDriver, SqliteTransaction, SqliteValue } from './driver.ts'

/** How many rows statements changed. It counts once their transaction is written, and not while it is made. */
export class RowTally {
  #rows = 0

  get rows(): number {
    return this.#rows
  }

  add(rows: number): void {
    this.#rows += rows
  }
}

/** A write transaction as every host of SQLite can have one: what it reads comes before what it writes. */
export interface TargetTransaction {
  /** Only reads. Behind a write it may be refused: `INTERNAL`. */
  query(sql: string, parameters?: readonly SqliteValue[]): Promise<readonly RowValues[]>
  run(sql: string, parameters?: readonly SqliteValue[], tally?: RowTally): Promise<unknown>
  /** One statement with each of the lists, in order. Present where a statement is a round trip, to spare most of them. */
  runMany?(sql: string, lists: Iterable<readonly SqliteValue[]>, tally?: RowTally): Promise<unknown>
}

/** What a target needs of a driver: less than a `SqliteDriver` has, so that hosts without BEGIN have it too. */
export interface TargetDriver extends AsyncDisposable {
  query(sql: string, parameters?: readonly SqliteValue[]): Promise<readonly RowValues[]>
  /** All of the writes or none. `work` may be run again when what it has read is not so any more. */
  transaction<T>(work: (transaction: TargetTransaction) => Promise<T>): Promise<T>
  /**
   * A transaction in which DROP TABLE deletes no rows of tables that refer to the dropped one, and RENAME does not mind views that name a
   * table which is not there (sqlite.org, "ALTER TABLE", section 2). `dropped` is what is dropped: a host that can't have it so refuses.
   */
  swap<T>(dropped: string, work: (transaction: TargetTransaction) => Promise<T>): Promise<T>
  attachImage?(image: Uint8Array): Promise<AttachedImage>
}

/** A driver with transactions that stay open, as a target needs it. */
export function toTargetDriver(driver: SqliteDriver): TargetDriver {
  const transaction: TargetDriver['transaction'] = (work) => driver.transaction((open) => work(tallied(open)))
  return {
    query: (sql, parameters) => driver.query(sql, parameters),
    transaction,
    swap: (_dropped, work) => withoutForeignKeys(driver, () => transaction(work)),
    ...(driver.attachImage === undefined ? {} : { attachImage: driver.attachImage.bind(driver) }),
    [Symbol.asyncDispose]: () => driver[Symbol.asyncDispose](),
  }
}

function tallied(open: SqliteTransaction): TargetTransaction {
  const many = open.runMany?.bind(open)
  return {
    query: (sql, parameters) => open.query(sql, parameters),
    run: async (sql, parameters, tally) => {
      const rows = await open.run(sql, parameters)
      tally?.add(rows)
    },
    ...(many === undefined ? {} : { runMany: async (sql, lists, tally) => {
      const rows = await many(sql, lists)
      tally?.add(rows)
    } }),
  }
}

/** Both settings are without effect in a transaction, so they are switched around it. */
async function withoutForeignKeys<T>(driver: SqliteDriver, work: () => Promise<T>): Promise<T> {
  const foreignKeys = Number((await driver.query('PRAGMA foreign_keys'))[0]?.[0] ?? 0)
  await driver.execute('PRAGMA foreign_keys = OFF')
  await driver.execute('PRAGMA legacy_alter_table = ON')
  try {
    return await work()
  } finally {
    await driver.execute('PRAGMA legacy_alter_table = OFF')
    if (foreignKeys === 1) await driver.execute('PRAGMA foreign_keys = ON')
  }
}

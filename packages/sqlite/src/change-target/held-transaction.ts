import type { SqliteDriver, SqliteTransaction } from '../driver.ts'

/** A transaction that stays open between calls. One of the two ends it. */
export interface HeldTransaction {
  readonly transaction: SqliteTransaction
  /** Errors: the driver's; whether it was committed is then not known. */
  commit(): Promise<void>
  /** Never rejects: a connection that is gone has rolled back by itself. */
  rollBack(): Promise<void>
}

const TAKEN_BACK = new Error('Rolled back.')

/** Begins a write transaction. Errors: `TARGET_*`. */
export function holdTransaction(driver: SqliteDriver): Promise<HeldTransaction> {
  return new Promise((resolve, reject) => {
    const done = driver.transaction((transaction) => new Promise<void>((commit, fail) => {
      resolve({
        transaction,
        commit: () => {
          commit()
          return done
        },
        rollBack: async () => {
          fail(TAKEN_BACK)
          await done.catch(() => undefined)
        },
      })
    }))
    // When it could not be begun; later the promise is settled already.
    done.catch(reject)
  })
}

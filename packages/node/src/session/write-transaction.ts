import type { DatabaseSync } from 'node:sqlite'

export interface TransactionOptions {
  /** Who wrote it, for `tx.origin`: the peer of a propagated transaction. */
  readonly origin?: string | undefined
}

/** What is told of a transaction as it goes. None of these throws. */
export interface TransactionHooks {
  /** Right after BEGIN: whatever is recorded till then was written outside. */
  began(): void
  /** Before COMMIT, in the transaction: nobody else can have written. */
  committing(): void
  committed(): void
  rolledBack(): void
}

let savepoints = 0

export function runInSavepoint<T>(database: DatabaseSync, work: () => T): T {
  const name = `tidemark_${savepoints += 1}`
  database.exec(`SAVEPOINT ${name}`)
  try {
    const result = work()
    refusePromise(result)
    requireTransaction(database)
    database.exec(`RELEASE ${name}`)
    return result
  } catch (error) {
    // An error such as a full disk, or ON CONFLICT ROLLBACK, has ended the outer transaction already.
    if (database.isTransaction) database.exec(`ROLLBACK TO ${name}; RELEASE ${name}`)
    throw error
  }
}

export function runInTransaction<T>(database: DatabaseSync, work: () => T, hooks: TransactionHooks): T {
  database.exec('BEGIN IMMEDIATE')
  hooks.began()
  try {
    const result = work()
    refusePromise(result)
    requireTransaction(database)
    hooks.committing()
    database.exec('COMMIT')
    hooks.committed()
    return result
  } catch (error) {
    if (database.isOpen && database.isTransaction) {
      database.exec('ROLLBACK')
      hooks.rolledBack()
    }
    throw error
  }
}

function refusePromise(result: unknown): void {
  if (typeof result !== 'object' || result === null || !('then' in result)) return
  throw new TypeError('The function of transaction() is asynchronous; what it wrote so far was rolled back.')
}

function requireTransaction(database: DatabaseSync): void {
  if (!database.isTransaction) throw new TypeError('The function of transaction() ended the transaction itself, or SQLite did for an error that it caught.')
}

import type { PropagationTarget } from '@tidemark/core/adapter'
import { exactly, sqlitePropagationTarget, type PropagationDriver, type SqliteDriver, type SqlitePropagationOptions, type SqliteTransaction } from '@tidemark/sqlite'
import { filePath } from './file-path.ts'
import type { LibsqlConfig } from './libsql-config.ts'
import { libsqlAddress } from './libsql-target.ts'
import { openDriver } from './open-driver.ts'

/** SQLite's default (sqlite.org, "Limits"). */
const MAX_PARAMETERS = 32_766

/**
 * A libSQL database that takes the changes of its peers: a local file, an embedded replica or a server. A file's foreign keys are off for our connection to it; those
 * of the others are enforced at the end of each transaction, so that a row which refers to none has its table refused there. Errors: `CONFIG_INVALID`.
 */
export function libsqlPropagationTarget(config: LibsqlConfig, options: SqlitePropagationOptions = {}): PropagationTarget {
  const isFile = isOwnFile(config)
  const open = async (): Promise<PropagationDriver> => {
    const driver = await openDriver(config)
    if (!isFile) return deferring(driver)
    await driver.execute('PRAGMA foreign_keys = OFF')
    return driver
  }
  return sqlitePropagationTarget({ address: libsqlAddress(config), maxParameters: MAX_PARAMETERS, keepsForeignKeys: !isFile, isInteractive: true, open }, options)
}

/** Whether its connection is ours alone. */
function isOwnFile(config: LibsqlConfig): boolean {
  return !('client' in config) && config.syncUrl === undefined && filePath(config.url) !== undefined
}

/** A server refuses most pragmas, but not this one (libsql-server, `query_analysis.rs`); it lasts for the transaction. */
function deferring(driver: SqliteDriver): PropagationDriver {
  return {
    query: (sql, parameters) => driver.query(sql, parameters),
    transaction: (work) => driver.transaction(async (transaction) => {
      await transaction.run('PRAGMA defer_foreign_keys = ON')
      return work(withInfinities(transaction))
    }),
    [Symbol.asyncDispose]: () => driver[Symbol.asyncDispose](),
  }
}

/** The client refuses to bind an infinity. */
function withInfinities(transaction: SqliteTransaction): Pick<SqliteTransaction, 'query' | 'run'> {
  const isInfinite = (value: unknown): boolean => value === Infinity || value === -Infinity
  return {
    query: (sql, parameters) => transaction.query(sql, parameters),
    run: (sql, parameters) => {
      const given = parameters?.some(isInfinite) === true ? exactly({ sql, parameters }) : { sql, parameters }
      return transaction.run(given.sql, given.parameters)
    },
  }
}

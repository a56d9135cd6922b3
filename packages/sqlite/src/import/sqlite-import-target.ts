import type { ImportTarget } from '@tidemark/core/adapter'
import type { SqliteDriver, SqliteTransaction } from '../driver.ts'
import { upsertRows } from '../upsert.ts'
import { runStatements } from './run-statements.ts'
import { SqliteImportConnection } from './sqlite-import-connection.ts'
import { sqliteSqlRules } from './sqlite-sql-rules.ts'

export interface SqliteImportHost {
  /** Without credentials. */
  readonly address: string
  /** A connection of its own, on which foreign keys are not enforced. */
  readonly open: () => Promise<SqliteDriver>
  /** Greatest number of parameters of one statement. Default 32,766, SQLite's own. */
  readonly maxParameters?: number | undefined
}

const MAX_PARAMETERS = 32_766

/** A SQLite database, whatever its driver, to load dumps into. */
export function sqliteImportTarget({ address, open, maxParameters = MAX_PARAMETERS }: SqliteImportHost): ImportTarget {
  return {
    name: 'sqlite',
    address,
    rules: sqliteSqlRules,
    connectImport: async () => {
      const driver = await open()
      return new SqliteImportConnection<SqliteTransaction>(driver, {
        runStatements: (request) => runStatements(driver, request),
        // Without a key it is a plain INSERT.
        insert: async (transaction, table, rows) => upsertRows(transaction, { ...table, key: [] }, { rows, maxParameters }),
      })
    },
  }
}

import type { ImportTarget } from '@tidemark/core/adapter'
import type { ImportDriver, ImportTransaction } from './import-driver.ts'
import { insertStatements, type StatementLimits } from './insert-statements.ts'
import { runStatementBatch } from './run-statement-batch.ts'
import { SqliteImportConnection } from './sqlite-import-connection.ts'
import { sqliteSqlRules } from './sqlite-sql-rules.ts'

export interface BatchImportHost extends StatementLimits {
  /** Without credentials. */
  readonly address: string
  readonly open: () => Promise<ImportDriver>
}

/** A SQLite database whose host has no BEGIN and COMMIT, to load dumps into. */
export function batchImportTarget({ address, open, ...limits }: BatchImportHost): ImportTarget {
  return {
    name: 'sqlite',
    address,
    rules: sqliteSqlRules,
    connectImport: async () => {
      const driver = await open()
      return new SqliteImportConnection<ImportTransaction>(driver, {
        runStatements: (request) => runStatementBatch(driver, request),
        insert: async (transaction, table, rows) => {
          for (const { sql, parameters } of insertStatements(table, rows, limits)) await transaction.run(sql, parameters)
        },
      })
    },
  }
}

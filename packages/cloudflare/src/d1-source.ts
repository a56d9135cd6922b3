import type { SourceDialect } from '@tidemark/core/adapter'
import { exactly, sqliteSource } from '@tidemark/sqlite'
import type { D1Database } from './d1-database.ts'
import { D1Driver } from './d1-driver.ts'
import { SOURCE_HOST } from './host-limits.ts'

/**
 * A D1 database, given its binding, to copy tables of: read by a tracking column, a page a request. Nothing is written to it. Rows that are read are billed: an index over the tracking
 * column and the key keeps them few. Errors: `SOURCE_*`.
 */
export function d1Source(database: D1Database): SourceDialect {
  const driver = new D1Driver(database)
  return sqliteSource({ ...SOURCE_HOST, name: 'd1', address: 'd1', open: async () => ({
    query: (sql, parameters) => {
      const exact = exactly({ sql, parameters })
      return driver.query(exact.sql, exact.parameters)
    },
    [Symbol.asyncDispose]: async () => {},
  }) })
}

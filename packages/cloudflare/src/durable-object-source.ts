import type { SourceDialect } from '@tidemark/core/adapter'
import { exactly, sqliteSource } from '@tidemark/sqlite'
import type { DurableObjectStorage } from './durable-object-storage.ts'
import { readRows } from './durable-object-transaction.ts'
import { SOURCE_HOST } from './host-limits.ts'

/**
 * A Durable Object's own SQLite database, given its `ctx.storage`, to copy tables of: read by a tracking column, a page at a time. Nothing is written to it. Each page is read in one
 * synchronous turn. Errors: `SOURCE_*`.
 */
export function durableObjectSource(storage: DurableObjectStorage): SourceDialect {
  return sqliteSource({ ...SOURCE_HOST, name: 'durable-object', address: 'durable-object', open: async () => ({
    query: async (sql, parameters) => readRows(storage, exactly({ sql, parameters })),
    [Symbol.asyncDispose]: async () => {},
  }) })
}

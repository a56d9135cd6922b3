import type { SourceDialect } from '@tidemark/core/adapter'
import type { D1Database } from '../d1-database.ts'
import { d1Source } from '../d1-source.ts'

/** A D1 database as a source whose connections wait for `before`, or fail as it does. */
export function d1Users(database: D1Database, before: () => Promise<void> = async () => {}): SourceDialect {
  const source = d1Source(database)
  return {
    ...source,
    connect: async (options) => {
      await before()
      return source.connect(options)
    },
  }
}

import { TidemarkError, type ChangeConnection, type ChangeSource, type ChangeSourceCapabilities, type TableRef } from '@tidemark/core/adapter'
import { MemoryChangeConnection } from './memory-change-connection.ts'
import type { MemoryChangeDatabase } from './memory-change-database.ts'

export interface MemoryChangeSourceConfig {
  readonly name: string
  readonly tables: readonly TableRef[]
  readonly capabilities: ChangeSourceCapabilities
  /** The database as it is now: a restored one is another. */
  readonly database: () => MemoryChangeDatabase
  readonly nowMs: () => number
}

/** What {@link memoryChanges} can do when nothing is switched off. */
export const MEMORY_CHANGE_CAPABILITIES: ChangeSourceCapabilities = {
  resumes: true,
  rereads: true,
  seesAllWriters: true,
  changes: 'every',
  transactions: 'exact',
  before: 'full',
  keylessTables: true,
  snapshots: true,
  schemaChanges: true,
  messages: false,
}

/** A source of changes in memory: what the suite is tried on, and the shortest complete example of one. */
export function memoryChanges(config: MemoryChangeSourceConfig): ChangeSource {
  return {
    name: config.name,
    connector: 'sqlite',
    address: 'memory://database',
    capabilities: config.capabilities,
    pollIntervalMs: 1_000,
    connect: async (options): Promise<ChangeConnection> => {
      if (options?.signal?.aborted === true) throw new TidemarkError('ABORTED', 'Connecting was aborted.')
      refuse(config)
      return new MemoryChangeConnection(config)
    },
  }
}

function refuse({ tables, capabilities, database }: MemoryChangeSourceConfig): void {
  const { tables: stored, views, virtualTables } = database()
  for (const { name } of tables) {
    if (views.has(name) || virtualTables.has(name)) throw new TidemarkError('TABLE_NOT_CAPTURABLE', 'This is no table that keeps rows of its own.')
    const spec = stored.get(name)?.spec
    if (spec === undefined) throw new TidemarkError('TABLE_UNKNOWN', 'There is no such table.')
    if (spec.key.length === 0 && !capabilities.keylessTables) throw new TidemarkError('TABLE_NOT_CAPTURABLE', 'The table has no key.')
  }
}

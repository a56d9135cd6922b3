import {
  TidemarkError, type AbortOptions, type SourceCapabilities, type SourceConnection, type SourceDialect, type TableRef,
} from '@tidemark/core/adapter'
import { MemorySourceConnection } from './memory-source-connection.ts'
import type { MemoryDatabase } from './memory-database.ts'

export interface MemorySourceConfig {
  readonly database: MemoryDatabase
  readonly capabilities: SourceCapabilities
  /** For `settling: 'grace'`: how old a mark must be, in milliseconds. */
  readonly graceMs: number
  readonly nowMs: () => number
}

/** What {@link memorySource} can do when nothing is switched off. */
export const MEMORY_SOURCE_CAPABILITIES: SourceCapabilities = {
  settling: 'snapshot',
  streamsRows: true,
  diagnoses: true,
  reportsSchemaVersion: true,
  keepsOrdinals: true,
  detectsRewind: false,
}

/** A source in memory: what the suite is tried on, and the shortest complete example of an adapter. */
export function memorySource(config: MemorySourceConfig): SourceDialect {
  return {
    name: 'memory',
    capabilities: config.capabilities,
    address: 'memory://database',
    parseTable,
    connect: async (options?: AbortOptions): Promise<SourceConnection> => {
      if (options?.signal?.aborted === true) throw new TidemarkError('ABORTED', 'Connecting was aborted.')
      return new MemorySourceConnection(config)
    },
  }
}

/** There are no schemas here: a dot needs quotes like every other odd character. */
function parseTable(name: string): TableRef {
  const quoted = /^"((?:[^"]|"")+)"$/u.exec(name)
  const plain = quoted?.[1]?.replaceAll('""', '"') ?? (/^[^".]+$/u.test(name) ? name : undefined)
  if (plain === undefined || plain.includes('\0')) {
    throw new TidemarkError('CONFIG_INVALID', 'This is no table name.', { issues: [{ path: 'table', message: 'not a name' }] })
  }
  return { name: plain }
}

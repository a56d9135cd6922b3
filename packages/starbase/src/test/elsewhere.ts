import type { SourceDialect } from '@tidemark/core'
import { MemoryDatabase } from '../../../conformance/src/memory/memory-database.ts'
import { MEMORY_SOURCE_CAPABILITIES, memorySource } from '../../../conformance/src/memory/memory-source.ts'

const database = new MemoryDatabase()
const people = database.createTable({ name: 'people', columns: [{ name: 'id', kind: 'bigint' }, { name: 'name', kind: 'text' }], key: ['id'] })

const crowd = database.createTable({ name: 'crowd', columns: [{ name: 'id', kind: 'bigint' }], key: ['id'] })

/** Another database, with the tables `people` and `crowd`. */
export function elsewhere(): SourceDialect {
  return memorySource({ database, capabilities: MEMORY_SOURCE_CAPABILITIES, graceMs: 0, nowMs: () => Date.now() })
}

export async function addPerson(id: bigint, name: string): Promise<void> {
  const transaction = database.begin()
  await transaction.insert(people, [{ id, name }])
  await transaction.commit()
}

export async function addCrowd(count: number): Promise<void> {
  const transaction = database.begin()
  await transaction.insert(crowd, Array.from({ length: count }, (_, index) => ({ id: BigInt(index + 1) })))
  await transaction.commit()
}

/** The same, a network away: a Worker's clock stands still while nothing is waited for. */
export function farElsewhere(onRead: () => void): SourceDialect {
  const source = elsewhere()
  return {
    ...source,
    connect: async (options) => {
      const connection = await source.connect(options)
      const { readRows } = connection
      return Object.assign(connection, { readRows: async (request: Parameters<typeof readRows>[0]) => {
        onRead()
        await new Promise((resolve) => { setTimeout(resolve, 5) })
        return readRows.call(connection, request)
      } })
    },
  }
}

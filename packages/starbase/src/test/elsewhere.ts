import type { SourceDialect } from '@tidemark/core'
import { MemoryDatabase } from '../../../conformance/src/memory/memory-database.ts'
import { MEMORY_SOURCE_CAPABILITIES, memorySource } from '../../../conformance/src/memory/memory-source.ts'

const database = new MemoryDatabase()
const people = database.createTable({ name: 'people', columns: [{ name: 'id', kind: 'bigint' }, { name: 'name', kind: 'text' }], key: ['id'] })

/** Another database, with a table `people`. */
export function elsewhere(): SourceDialect {
  return memorySource({ database, capabilities: MEMORY_SOURCE_CAPABILITIES, graceMs: 0, nowMs: () => Date.now() })
}

export async function addPerson(id: bigint, name: string): Promise<void> {
  const transaction = database.begin()
  await transaction.insert(people, [{ id, name }])
  await transaction.commit()
}

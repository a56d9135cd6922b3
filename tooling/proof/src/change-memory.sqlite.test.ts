import { describe, it } from 'vitest'
import { expectChangesInLittleMemory } from './scenarios/change-memory.ts'

describe('100,000 changes of a SQLite file that nobody takes', () => {
  it.each([1, 20])('fit into a heap of 128 MB, and are all there when somebody does: %i transactions', (transactions) => expectChangesInLittleMemory({ changes: 100_000, transactions, heapMb: 128 }), 120_000)
})

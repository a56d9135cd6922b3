import type { ObjectStorage } from '@tidemark/core/adapter'
import { memoryStorage } from '@tidemark/core/testing'
import type { StorageSubject } from '../harness/storage-harness.ts'

const FACTS = { partBytes: 8, tellsPartSizes: true, nestsKeys: true, wrongSecret: false, wrongBucket: false }

/** The memory storage as a subject of the suite; `wrap` is how the broken ones are made. */
export function memoryStorageSubject(wrap: (storage: ObjectStorage) => ObjectStorage = (storage) => storage): StorageSubject {
  const open = (): ObjectStorage => wrap(memoryStorage({ minPartBytes: 3 }))
  return {
    name: 'memory',
    traits: { capabilities: open().capabilities, facts: FACTS },
    open: () => Promise.resolve({ storage: open(), facts: FACTS, [Symbol.asyncDispose]: () => Promise.resolve() }),
  }
}

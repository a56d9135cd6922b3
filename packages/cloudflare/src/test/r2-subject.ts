import type { StorageSubject } from '@tidemark/conformance'
import type { R2Bucket } from '../storage/r2-bucket.ts'
import { r2Storage } from '../storage/r2-storage.ts'

const FACTS = { partBytes: 5 * 1_048_576, tellsPartSizes: true, nestsKeys: true, wrongSecret: false, wrongBucket: false }

/** A binding as a subject of the suite; each case has a prefix of its own. The bucket is used by cases only. */
export function r2Subject(bucket: R2Bucket, prefix: string): StorageSubject {
  return {
    name: 'R2 binding',
    traits: { capabilities: r2Storage(bucket).capabilities, facts: FACTS },
    open: () => Promise.resolve({ storage: r2Storage(bucket, { prefix }), facts: FACTS, [Symbol.asyncDispose]: () => Promise.resolve() }),
  }
}

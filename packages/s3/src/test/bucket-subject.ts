import type { StorageHarness, StorageSubject } from '@tidemark/conformance'
import type { S3StorageOptions } from '../s3-options.ts'
import { s3Storage } from '../s3-storage.ts'

const FACTS = { partBytes: 5 * 1_048_576, tellsPartSizes: false, nestsKeys: true, wrongSecret: true, wrongBucket: true }

/** A bucket as a subject of the suite; each case has a prefix of its own. The options are asked for when a case begins. */
export function bucketSubject(name: string, traits: Pick<S3StorageOptions, 'capabilities'>, options: () => S3StorageOptions): StorageSubject {
  let cases = 0
  return {
    name,
    traits: { capabilities: s3Storage({ bucket: 'b', accessKeyId: 'x', secretAccessKey: 'x', ...traits }).capabilities, facts: FACTS },
    open: () => {
      cases += 1
      return Promise.resolve(harness({ ...options(), prefix: `case-${cases}` }))
    },
  }
}

function harness(options: S3StorageOptions): StorageHarness {
  return {
    storage: s3Storage(options),
    facts: FACTS,
    wrongSecret: () => s3Storage({ ...options, secretAccessKey: 'another' }),
    wrongBucket: () => s3Storage({ ...options, bucket: 'no-such-bucket' }),
    fetch: async (url) => {
      const response = await fetch(url)
      return { status: response.status, text: await response.text() }
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

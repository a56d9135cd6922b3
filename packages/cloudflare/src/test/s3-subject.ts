import type { StorageSubject } from '@tidemark/conformance'
import { s3Storage, type S3StorageOptions } from '@tidemark/s3'

const FACTS = { partBytes: 5 * 1_048_576, tellsPartSizes: false, nestsKeys: true, wrongSecret: true, wrongBucket: true }

/** A bucket that a Worker reaches over the network, as it does those of others; each case has a prefix of its own. */
export function s3Subject(options: S3StorageOptions, prefix: string): StorageSubject {
  const own = { ...options, prefix }
  return {
    name: 'S3 API of R2, from a Worker',
    traits: { capabilities: s3Storage(own).capabilities, facts: FACTS },
    open: () => Promise.resolve({
      storage: s3Storage(own),
      facts: FACTS,
      wrongSecret: () => s3Storage({ ...own, secretAccessKey: 'another' }),
      wrongBucket: () => s3Storage({ ...own, bucket: 'no-such-bucket' }),
      fetch: async (url: string) => {
        const response = await fetch(url)
        return { status: response.status, text: await response.text() }
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }),
  }
}

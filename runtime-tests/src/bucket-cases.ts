import { runCases, STORAGE_CASES, type StorageSubject } from '@tidemark/conformance'
import { s3Storage, type S3StorageOptions } from '@tidemark/s3'

/** Runs the storage suite on the bucket that its argument describes, and prints as JSON what came of each case: run by every runtime. */
const options = JSON.parse(process.argv[2] ?? '') as S3StorageOptions // as the test wrote them
const facts = { partBytes: 5 * 1_048_576, tellsPartSizes: false, nestsKeys: true, wrongSecret: true, wrongBucket: true }
let cases = 0

const subject: StorageSubject = {
  name: 'a bucket',
  traits: { capabilities: s3Storage(options).capabilities, facts },
  open: () => {
    cases += 1
    const own = { ...options, prefix: `${options.prefix}/case-${cases}` }
    return Promise.resolve({
      storage: s3Storage(own),
      facts,
      wrongSecret: () => s3Storage({ ...own, secretAccessKey: 'another' }),
      wrongBucket: () => s3Storage({ ...own, bucket: 'no-such-bucket' }),
      fetch: async (url: string) => {
        const response = await fetch(url)
        return { status: response.status, text: await response.text() }
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    })
  },
}

const results = await runCases(STORAGE_CASES, subject)
process.stdout.write(`${JSON.stringify(results.map(({ id, status, ...result }) => ({ id, status, error: 'error' in result ? String(result.error) : undefined })))}\n`)

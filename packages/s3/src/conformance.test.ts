import { describeStorage } from '@tidemark/conformance'
import { vitestRunner } from '@tidemark/conformance/vitest'
import { afterAll, beforeAll } from 'vitest'
import { bucketSubject } from './test/bucket-subject.ts'
import { BUCKET_CAPABILITIES, startBucket, type StartedBucket } from './test/start-bucket.ts'

let bucket: StartedBucket
beforeAll(async () => {
  bucket = await startBucket()
})
afterAll(() => bucket[Symbol.asyncDispose]())

describeStorage(vitestRunner, bucketSubject('S3 API of R2', { capabilities: BUCKET_CAPABILITIES }, () => bucket.options))

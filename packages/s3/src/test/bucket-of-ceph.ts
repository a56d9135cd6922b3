import { startCeph } from '@tidemark/test-servers'
import type { S3StorageOptions } from '../s3-options.ts'
import type { StartedBucket } from './start-bucket.ts'

/** Unlike R2 it takes parts of any size, and lists uploads. */
export const CEPH_CAPABILITIES = { equalParts: false, conditionalPut: true, listsUploads: true } as const satisfies S3StorageOptions['capabilities']

/** A bucket of Ceph's gateway. Errors: where there is no Ceph to be had, with the ways to one. */
export async function bucketOfCeph(): Promise<StartedBucket> {
  const server = await startCeph()
  process.stdout.write(`test server: Ceph ${server.version} from ${server.origin}\n`)
  const { endpoint, accessKeyId, secretAccessKey } = server
  return {
    options: { endpoint, accessKeyId, secretAccessKey, bucket: await server.createBucket(), capabilities: CEPH_CAPABILITIES, retry: { attempts: 3, baseMs: 10 } },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

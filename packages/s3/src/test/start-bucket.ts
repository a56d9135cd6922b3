import { Miniflare } from 'miniflare'
import type { S3StorageOptions } from '../s3-options.ts'

export interface StartedBucket extends AsyncDisposable {
  /** R2 as its runtime has it, behind the S3 API of the local one. */
  readonly options: S3StorageOptions
}

const BUCKET = 'bucket'

export const BUCKET_CAPABILITIES = { listsUploads: false, conditionalPut: true }

/** R2 on this machine, with the API of S3. It lists no uploads. */
export async function startBucket(): Promise<StartedBucket> {
  const credentials = { accessKeyId: 'test-key', secretAccessKey: 'test-secret-of-the-bucket' }
  const runtime = new Miniflare({
    modules: true, script: 'export default { fetch: () => new Response("") }', compatibilityDate: '2026-07-01', r2Buckets: { BUCKET: { id: BUCKET, s3Credentials: credentials } },
  })
  const url = await runtime.ready
  return {
    options: {
      ...credentials, bucket: BUCKET, region: 'auto', endpoint: `${url.origin}/cdn-cgi/local/r2/s3`, capabilities: BUCKET_CAPABILITIES, retry: { attempts: 3, baseMs: 10 },
    },
    [Symbol.asyncDispose]: () => runtime.dispose(),
  }
}

import { Miniflare } from 'miniflare'

export interface StartedBucket extends AsyncDisposable {
  /** As the AWS tools take it. */
  readonly environment: Readonly<Record<string, string>>
}

/** R2 on this machine, with the API of S3; its bucket is called `bucket`. */
export async function startBucket(): Promise<StartedBucket> {
  const credentials = { accessKeyId: 'test-key', secretAccessKey: 'test-secret-of-the-bucket' }
  const runtime = new Miniflare({
    modules: true, script: 'export default { fetch: () => new Response("") }', compatibilityDate: '2026-07-01', r2Buckets: { BUCKET: { id: 'bucket', s3Credentials: credentials } },
  })
  const { origin } = await runtime.ready
  return {
    environment: { AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey, AWS_REGION: 'auto', AWS_ENDPOINT_URL_S3: `${origin}/cdn-cgi/local/r2/s3` },
    [Symbol.asyncDispose]: () => runtime.dispose(),
  }
}

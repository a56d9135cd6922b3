import type { ServerOrigin } from './server.ts'

/** How to reach a server that speaks the API of S3. */
export interface BucketServerAccess {
  readonly endpoint: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** Disposing stops it and removes its data, where it is ours. */
export interface BucketServer extends BucketServerAccess, AsyncDisposable {
  /** `environment` where it is not ours: what is made there stays. */
  readonly origin: ServerOrigin
  readonly version: string
  /** Makes an empty bucket and gives its name. */
  createBucket(): Promise<string>
}

import type { SecretInput, StorageCapabilities } from '@tidemark/core/adapter'

export interface S3StorageOptions {
  readonly bucket: string
  /** Put before every key, without a slash at either end. */
  readonly prefix?: string | undefined
  /** Such as `https://account.r2.cloudflarestorage.com`. Default: AWS, in that region. */
  readonly endpoint?: string | undefined
  /** Default `us-east-1`; `auto` for R2. */
  readonly region?: string | undefined
  readonly accessKeyId: SecretInput
  readonly secretAccessKey: SecretInput
  /** Of temporary credentials. */
  readonly sessionToken?: SecretInput | undefined
  /** Whether the bucket is in the path rather than in the host's name. Default: with an `endpoint`, or where its name has a dot. */
  readonly pathStyle?: boolean | undefined
  /**
   * What this server can do, where it is not what AWS and R2 both can: parts of one size of 5 MiB to 5 GiB, 10,000 of them; uploads can be listed; no
   * conditional writes.
   */
  readonly capabilities?: Partial<Omit<StorageCapabilities, 'presigns'>> | undefined
  readonly retry?: Partial<S3Retry> | undefined
  /** Longest silence of the storage, in milliseconds: until a request is answered, and between two pieces of an answer. Default 300,000. */
  readonly requestTimeoutMs?: number | undefined
  /** Default: the host's. */
  readonly fetch?: typeof fetch | undefined
}

export interface S3Retry {
  /** Tries of a request. Default 5. */
  readonly attempts: number
  /** Greatest wait before the second one; it doubles, with full jitter. Default 200. */
  readonly baseMs: number
  /** Default 20,000. `Retry-After` counts up to this. */
  readonly maxMs: number
}

import type { SecretInput } from '../../util/secret.ts'

/** A key of dumps. No object is encrypted with it: each has a key of its own, derived from it. */
export interface EncryptionKey {
  /** 32 random bytes in base64, such as `openssl rand -base64 32` gives. */
  readonly key: SecretInput
  /** Names the key in manifests, so that it is found again when there are others. Default `default`. */
  readonly keyId?: string | undefined
}

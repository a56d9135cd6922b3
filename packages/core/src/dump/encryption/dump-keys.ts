import { TidemarkError } from '../../errors/tidemark-error.ts'
import { fromBase64 } from '../../util/from-base64.ts'
import { makeSecret, type Secret } from '../../util/secret.ts'
import { DumpKey } from './dump-key.ts'
import type { EncryptionKey } from './encryption-key.ts'

const KEY_BYTES = 32

/** What takes encryption: one key, or several of which the first writes and all read. */
export type EncryptionInput = EncryptionKey | readonly EncryptionKey[]

interface NamedSecret {
  readonly keyId: string
  readonly secret: Secret
}

/** The keys that were given, by name. */
export class DumpKeys {
  readonly #secrets: readonly NamedSecret[]
  /** The last that was asked for: a slice asks for one again and again, and a secret may be far away. */
  #last: { readonly name: string; readonly key: Promise<DumpKey> } | undefined

  constructor(input: EncryptionInput | undefined) {
    const keys: readonly EncryptionKey[] = input === undefined ? [] : 'key' in input ? [input] : input
    this.#secrets = keys.map(({ key, keyId = 'default' }) => ({ keyId, secret: makeSecret(key, `encryption.key of '${keyId}'`) }))
  }

  /** Of the key that writes. */
  get keyId(): string | undefined {
    return this.#secrets[0]?.keyId
  }

  /** `check`: of the key that the dump was written with. Errors: `DUMP_KEY_MISSING`, `DUMP_KEY_WRONG`, `SECRET_MISSING`. */
  async open(keyId: string, { id, check }: { readonly id: string; readonly check: string | undefined }): Promise<DumpKey> {
    const key = await this.#derived(keyId, id)
    if (check !== undefined && check !== key.check) throw new TidemarkError('DUMP_KEY_WRONG', `The key '${keyId}' is not the one that this dump is encrypted with.`, { detail: keyId })
    return key
  }

  #derived(keyId: string, id: string): Promise<DumpKey> {
    const name = JSON.stringify([keyId, id])
    if (this.#last?.name === name) return this.#last.key
    const key = this.#derive(keyId, id)
    this.#last = { name, key }
    // A secret that could not be had this time is asked for again the next.
    key.catch(() => {
      if (this.#last?.key === key) this.#last = undefined
    })
    return key
  }

  async #derive(keyId: string, id: string): Promise<DumpKey> {
    const found = this.#secrets.find((one) => one.keyId === keyId)
    if (found === undefined) throw new TidemarkError('DUMP_KEY_MISSING', `The dump is encrypted, and its key '${keyId}' was not given.`, { detail: keyId })
    const bytes = fromBase64(await found.secret.reveal())
    if (bytes?.length === KEY_BYTES) return DumpKey.derive(bytes, id)
    throw new TidemarkError('SECRET_MISSING', `The secret ${found.secret.label} is no key.`, { remedy: `Give ${KEY_BYTES} random bytes in base64.` })
  }
}

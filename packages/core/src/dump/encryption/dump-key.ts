import { equalBytes } from '../../util/equal-bytes.ts'
import { hex } from '../../util/hex.ts'
import { fromHex } from '../../util/from-hex.ts'

/** Where in a dump an object stands. It opens there and nowhere else. */
export interface SealedPlace {
  /** Relative to the dump. */
  readonly path: string
  /** Whether it is the last of its table, or of its definitions: what is missing at the end shows. */
  readonly isLast: boolean
}

/** What the host calls `CryptoKey`, which is a type in some and a value in others. */
type HostKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>

interface Cipher {
  readonly name: 'AES-GCM'
  readonly iv: Uint8Array<ArrayBuffer>
  readonly additionalData: Uint8Array<ArrayBuffer>
}

/** Begins every object. Another layout gets another number. */
const MAGIC = new TextEncoder().encode('TME1')
const SALT_BYTES = 32
const HEAD_BYTES = MAGIC.length + SALT_BYTES
const TAG_BYTES = 16

/** A key encrypts one object and no other, so that its nonce may be the same always. */
const NONCE = new Uint8Array(12)

/**
 * The keys of one dump. An object is `TME1`, 32 bytes of salt, and AES-256-GCM under HKDF-SHA-256(key, salt): a new salt each time that one is written, so that
 * no key ever meets other bytes. The salt is in the object, not beside it: one that is put twice opens whichever of the two came last.
 */
export class DumpKey {
  /** Tells another key from damage; derived, and of no use for reading. In hex. */
  readonly check: string
  readonly #id: string
  readonly #key: HostKey
  readonly #mac: HostKey

  private constructor(id: string, key: HostKey, options: { readonly mac: HostKey; readonly check: string }) {
    this.#id = id
    this.#key = key
    this.#mac = options.mac
    this.check = options.check
  }

  /** `id`: of the dump. */
  static async derive(bytes: Uint8Array, id: string): Promise<DumpKey> {
    const key = await crypto.subtle.importKey('raw', bytes, 'HKDF', false, ['deriveBits'])
    const [check, mac] = await Promise.all([derive(key, { purpose: 'check', id, bytes: 16 }), derive(key, { purpose: 'digest', id, bytes: 32 })])
    const hmac = { name: 'HMAC', hash: 'SHA-256' }
    return new DumpKey(id, key, { check: hex(check), mac: await crypto.subtle.importKey('raw', mac, hmac, false, ['sign']) })
  }

  async seal(bytes: Uint8Array, place: SealedPlace): Promise<Uint8Array> {
    const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES))
    const encrypted = await crypto.subtle.encrypt(this.#gcm(place), await this.#objectKey(salt, 'encrypt'), bytes)
    const object = new Uint8Array(HEAD_BYTES + encrypted.byteLength)
    object.set(MAGIC)
    object.set(salt, MAGIC.length)
    object.set(new Uint8Array(encrypted), HEAD_BYTES)
    return object
  }

  /** `undefined` for what was not sealed with this key for this place. */
  async open(object: Uint8Array, place: SealedPlace): Promise<Uint8Array | undefined> {
    if (object.length < HEAD_BYTES + TAG_BYTES || !equalBytes(object.subarray(0, MAGIC.length), MAGIC)) return undefined
    const key = await this.#objectKey(object.slice(MAGIC.length, HEAD_BYTES), 'decrypt')
    try {
      return new Uint8Array(await crypto.subtle.decrypt(this.#gcm(place), key, object.subarray(HEAD_BYTES)))
    } catch {
      // WebCrypto says nothing of why, and for good reason.
      return undefined
    }
  }

  /** HMAC-SHA-256 in hex. A plain digest would tell what little bytes are to who tries all that they can be. */
  async digest(bytes: Uint8Array): Promise<string> {
    return hex(new Uint8Array(await crypto.subtle.sign('HMAC', this.#mac, bytes)))
  }

  /** Whether a text has this digest. */
  async isDigestOf(text: string, digest: string): Promise<boolean> {
    return equalBytes(fromHex(await this.digest(new TextEncoder().encode(text))) ?? new Uint8Array(0), fromHex(digest) ?? new Uint8Array(1))
  }

  async #objectKey(salt: Uint8Array, usage: 'encrypt' | 'decrypt'): Promise<HostKey> {
    return crypto.subtle.importKey('raw', await derive(this.#key, { purpose: 'object', id: this.#id, bytes: 32, salt }), 'AES-GCM', false, [usage])
  }

  #gcm({ path, isLast }: SealedPlace): Cipher {
    return { name: 'AES-GCM', iv: NONCE, additionalData: new TextEncoder().encode(JSON.stringify([this.#id, path, isLast])) }
  }
}

interface Derivation {
  readonly purpose: 'check' | 'digest' | 'object'
  readonly id: string
  readonly bytes: number
  readonly salt?: Uint8Array
}

async function derive(key: HostKey, { purpose, id, bytes, salt = new Uint8Array(0) }: Derivation): Promise<Uint8Array> {
  const info = new TextEncoder().encode(`tidemark-dump.v1.${purpose} ${id}`)
  return new Uint8Array(await crypto.subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt, info }, key, bytes * 8))
}

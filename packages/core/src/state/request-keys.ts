import { sha256Hex } from '../dump/digest.ts'
import { TidemarkError } from '../errors/tidemark-error.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { StateStore } from './state-store.ts'

/** What a key stands for. Neither the key nor the request is kept, only digests of them. */
interface KeyRecord {
  readonly version: 1
  readonly id: string
  readonly request: string
  readonly atMs: number
}

export interface RequestKeysOptions {
  readonly store: StateStore
  readonly runtime: Pick<Runtime, 'now'>
  /** What its entries in the store begin with. */
  readonly prefix: string
  /** A key that is older counts as one that was never sent. In milliseconds; default one day. */
  readonly maxAgeMs?: number | undefined
  /** When there are more, the oldest are forgotten. Default 1,000. */
  readonly maxKeys?: number | undefined
}

export interface KeyClaim {
  readonly key: string
  /** What the key is to stand for, unless it stands for something already. */
  readonly id: string
  /** The request as text: another one under the same key is refused. */
  readonly request: string
}

const DAY_MS = 86_400_000
const MAX_KEYS = 1_000
/** When the oldest are forgotten, so many are left: the next few claims then need not look. */
const KEPT_SHARE = 0.9
const MAX_TRIES = 5

/**
 * Idempotency keys (draft-ietf-httpapi-idempotency-key-header) in a {@link StateStore}: a request that is sent again under its key is the same one, whichever
 * process it comes to.
 */
export class RequestKeys {
  readonly #options: RequestKeysOptions

  constructor(options: RequestKeysOptions) {
    this.#options = options
  }

  /** What the key stands for: `id`, or what an earlier request has made of it. Errors: `IDEMPOTENCY_KEY_REUSED`. */
  async claim({ key, id, request }: KeyClaim): Promise<string> {
    const { store, runtime } = this.#options
    const at = await this.keyOf(key)
    const digest = await digestOf(request)
    for (let tries = 1; ; tries += 1) {
      const stored = await store.get(at)
      const record = stored === undefined ? undefined : this.#current(stored.value)
      if (record !== undefined) return idOf(record, digest)
      const next: KeyRecord = { version: 1, id, request: digest, atMs: runtime.now() }
      const isClaimed = await store.set(at, JSON.stringify(next), stored?.version).then(() => true, (error: unknown) => unlessConflict(error, tries))
      if (!isClaimed) continue
      await this.#forgetOldest()
      return id
    }
  }

  /** Where a key is in the store. */
  async keyOf(key: string): Promise<string> {
    return this.#options.prefix + await digestOf(key)
  }

  /** Forgets what is kept there for this id. A key that was too old may stand for another by now: that stays. */
  async forget(at: string, id: string): Promise<void> {
    const { store } = this.#options
    const stored = await store.get(at)
    if (stored !== undefined && (JSON.parse(stored.value) as Partial<KeyRecord>).id === id) await store.delete(at) // written by `claim`, here or in a later release
  }

  /** `undefined` for one that is too old, or of a form that this release does not know. */
  #current(text: string): KeyRecord | undefined {
    const { runtime, maxAgeMs = DAY_MS } = this.#options
    const record = JSON.parse(text) as KeyRecord // written by `claim`
    return record.version === 1 && record.atMs + maxAgeMs > runtime.now() ? record : undefined
  }

  async #forgetOldest(): Promise<void> {
    const { store, prefix, maxKeys = MAX_KEYS } = this.#options
    const all = await store.list(prefix)
    if (all.length <= maxKeys) return
    const ages = await Promise.all(all.map(async (at) => ({ at, atMs: this.#current((await store.get(at))?.value ?? '{}')?.atMs ?? 0 })))
    const oldest = ages.toSorted((a, b) => a.atMs - b.atMs).slice(0, all.length - Math.floor(maxKeys * KEPT_SHARE))
    for (const { at } of oldest) await store.delete(at)
  }
}

function idOf({ id, request }: KeyRecord, digest: string): string {
  if (request !== digest) throw new TidemarkError('IDEMPOTENCY_KEY_REUSED', 'Another request was sent under this idempotency key.')
  return id
}

function unlessConflict(error: unknown, tries: number): false {
  if (error instanceof TidemarkError && error.code === 'STATE_CONFLICT' && tries < MAX_TRIES) return false
  throw error
}

function digestOf(text: string): Promise<string> {
  return sha256Hex(new TextEncoder().encode(text))
}

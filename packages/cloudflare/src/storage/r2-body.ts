import { throwIfAborted, TidemarkError, type ObjectBody, type StoredObject } from '@tidemark/core/adapter'
import type { R2ObjectBody } from './r2-bucket.ts'

/** The bytes of an object, once. One that is cut off is an error, never an end. */
export class R2Body implements ObjectBody {
  readonly object: StoredObject
  readonly #reader: ReturnType<R2ObjectBody['body']['getReader']> | undefined
  readonly #bytes: number
  readonly #signal: AbortSignal | undefined

  constructor(object: StoredObject, body: R2ObjectBody['body'] | undefined, options: { readonly bytes: number; readonly signal: AbortSignal | undefined }) {
    this.object = object
    this.#reader = body?.getReader()
    this.#bytes = options.bytes
    this.#signal = options.signal
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    let bytes = 0
    try {
      for (let next = await this.#read(); next !== undefined; next = await this.#read()) {
        bytes += next.length
        yield next
      }
    } finally {
      await this[Symbol.asyncDispose]()
    }
    if (bytes !== this.#bytes) throw cutOff()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader?.cancel().catch(() => undefined)
  }

  async #read(): Promise<Uint8Array | undefined> {
    throwIfAborted(this.#signal)
    try {
      return (await this.#reader?.read())?.value
    } catch {
      throw cutOff()
    }
  }
}

function cutOff(): TidemarkError {
  return new TidemarkError('STORAGE_UNREACHABLE', 'The object was cut off.')
}

import { throwIfAborted, TidemarkError, type ObjectBody, type StoredObject } from '@tidemark/core/adapter'

/** The bytes of an answer, once. One that is cut off is an error, never an end. */
export class S3Body implements ObjectBody {
  readonly object: StoredObject
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  readonly #bytes: number
  readonly #signal: AbortSignal | undefined

  constructor(object: StoredObject, response: Response | undefined, options: { readonly bytes: number; readonly signal: AbortSignal | undefined }) {
    this.object = object
    this.#reader = response?.body?.getReader()
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
    try {
      const { value } = await this.#reader?.read() ?? { value: undefined }
      return value
    } catch {
      throwIfAborted(this.#signal)
      throw cutOff()
    }
  }
}

function cutOff(): TidemarkError {
  return new TidemarkError('STORAGE_UNREACHABLE', 'The storage\'s answer was cut off.')
}

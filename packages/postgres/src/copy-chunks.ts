import type { Readable } from 'node:stream'
import { TidemarkError } from '@tidemark/core/adapter'
import type { AbortOptions } from '@tidemark/core/adapter'
import { aborted } from './bounded.ts'
import { mapPostgresError } from './errors.ts'
import type { PostgresInstance } from './postgres-instance.ts'

/** Rows come one by one; they leave in chunks of at least this size, so that the cost of a hand-over is shared. */
const CHUNK_BYTES = 64 * 1024
/** Bytes that wait for the consumer before the socket is paused. */
const MAX_WAITING_BYTES = 1024 * 1024

export interface CopyChunksOptions extends AbortOptions {
  /** The longest silence of the server while it is listened to. */
  readonly idleTimeoutMs: number
}

/**
 * The bytes of a COPY as chunks of whole rows, with back-pressure.
 *
 * The driver's stream is read by a synchronous `data` listener: its async iterator and pipes stop for ever on a socket
 * that was paused at the wrong moment (porsager/postgres#499, #917). Back-pressure pauses the stream, which in turn
 * pauses the socket once its own small buffer is full; pausing the socket alone would be undone by the stream.
 */
export class CopyChunks {
  readonly #instance: PostgresInstance
  readonly #stream: Readable
  readonly #options: CopyChunksOptions
  readonly #waiting: Uint8Array[] = []
  #waitingBytes = 0
  #block = new Uint8Array(CHUNK_BYTES)
  #used = 0
  #ended = false
  #failure: unknown
  #wake: (() => void) | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(instance: PostgresInstance, stream: Readable, options: CopyChunksOptions) {
    this.#instance = instance
    this.#stream = stream
    this.#options = options
    stream.on('error', (error) => this.#fail(mapPostgresError(error)))
    stream.on('end', () => this.#finish())
    stream.on('close', () => this.#fail(new TidemarkError('SOURCE_UNREACHABLE', 'The stream of the source broke off.', { detail: 'CONNECTION_CLOSED' })))
    options.signal?.addEventListener('abort', this.#onAbort, { once: true })
    if (options.signal?.aborted === true) this.#onAbort()
    stream.on('data', (row: Uint8Array) => this.#take(row))
  }

  /** The next chunk, or `undefined` after the last. Errors: as the source's, `TIMEOUT`, `ABORTED`. */
  async next(): Promise<Uint8Array | undefined> {
    while (this.#waiting.length === 0 && !this.#ended && this.#failure === undefined) await this.#arrival()
    if (this.#failure !== undefined) throw this.#failure
    const chunk = this.#waiting.shift()
    if (chunk === undefined) return undefined
    this.#waitingBytes -= chunk.length
    if (this.#stream.isPaused() && this.#waitingBytes < MAX_WAITING_BYTES) this.#stream.resume()
    return chunk
  }

  /** Frees the connection at once, whether the COPY is over or not. */
  close(): void {
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    clearTimeout(this.#timer)
    this.#failure ??= new TidemarkError('CLOSED', 'The stream of the source is closed.')
    this.#waiting.length = 0
    this.#instance.destroy()
    this.#wake?.()
  }

  readonly #onAbort = (): void => this.#fail(aborted())

  /** A row. What is smaller than a chunk is gathered; what is larger goes as it is. */
  #take(row: Uint8Array): void {
    if (this.#used + row.length > this.#block.length) this.#flush()
    if (row.length > this.#block.length) {
      // The driver's buffer is its own until it is copied, and the slice() of a Buffer copies nothing.
      this.#push(new Uint8Array(row))
      return
    }
    this.#block.set(row, this.#used)
    this.#used += row.length
  }

  #flush(): void {
    if (this.#used === 0) return
    this.#push(this.#block.subarray(0, this.#used))
    this.#block = new Uint8Array(CHUNK_BYTES)
    this.#used = 0
  }

  #push(chunk: Uint8Array): void {
    this.#waiting.push(chunk)
    this.#waitingBytes += chunk.length
    if (this.#waitingBytes >= MAX_WAITING_BYTES) this.#stream.pause()
    this.#wake?.()
  }

  #finish(): void {
    this.#flush()
    this.#ended = true
    this.#wake?.()
  }

  #fail(error: TidemarkError): void {
    if (this.#ended || this.#failure !== undefined) return
    this.#failure = error
    this.#instance.destroy()
    this.#wake?.()
  }

  /** Waits for a chunk, the end or a failure, and watches that something comes. */
  async #arrival(): Promise<void> {
    this.#flush()
    if (this.#waiting.length > 0) return
    await new Promise<void>((resolve) => {
      this.#timer = setTimeout(() => this.#fail(new TidemarkError('TIMEOUT', 'The source sent nothing for too long.')), this.#options.idleTimeoutMs)
      this.#wake = () => resolve()
    })
    clearTimeout(this.#timer)
    this.#wake = undefined
  }
}

import type { Readable } from 'node:stream'
import { TidemarkError } from '@tidemark/core/adapter'
import type { AbortOptions } from '@tidemark/core/adapter'
import { aborted } from './bounded.ts'
import type { CopyTap } from './copy-tap.ts'
import { mapPostgresError } from './errors.ts'
import type { PostgresInstance } from './postgres-instance.ts'

/**
 * Bytes that wait for the consumer before the socket is paused, and how few they are when it is read on. Far apart: a socket that is stopped and started
 * for every chunk is half as fast, since the server, whose buffer is full by then, is stopped and started too.
 */
const MAX_WAITING_BYTES = 4 * 1024 * 1024
const RESUME_BYTES = 1024 * 1024

export interface CopyChunksOptions extends AbortOptions {
  /** The longest silence of the server while it is listened to. */
  readonly idleTimeoutMs: number
  /** A chunk is done with when the next one is asked for. Default false: it is the caller's. */
  readonly recycles?: boolean | undefined
}

/**
 * The bytes of a COPY in chunks, with back-pressure. Make it before the COPY is sent, and let it follow the driver's
 * stream, which carries no rows but tells how the COPY ends.
 */
export class CopyChunks {
  readonly #instance: PostgresInstance
  readonly #options: CopyChunksOptions
  readonly #tap: CopyTap
  readonly #waiting: Uint8Array[] = []
  #waitingBytes = 0
  #given: Uint8Array | undefined
  #paused = false
  #ended = false
  #failure: unknown
  #wake: (() => void) | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(instance: PostgresInstance, options: CopyChunksOptions) {
    this.#instance = instance
    this.#options = options
    this.#tap = instance.tapCopy((chunk) => this.#push(chunk))
    options.signal?.addEventListener('abort', this.#onAbort, { once: true })
    if (options.signal?.aborted === true) this.#onAbort()
  }

  follow(stream: Readable): void {
    stream.on('error', (error) => this.#fail(mapPostgresError(error)))
    stream.on('end', () => this.#finish())
    stream.on('close', () => this.#fail(new TidemarkError('SOURCE_UNREACHABLE', 'The stream of the source broke off.', { detail: 'CONNECTION_CLOSED' })))
    // Only a stream that is read comes to its end.
    stream.resume()
    // Reading it asks the socket for more, which may have been paused before the stream was there.
    if (this.#paused) this.#tap.pause()
  }

  /** The next chunk, or `undefined` after the last. Errors: as the source's, `TIMEOUT`, `ABORTED`. */
  async next(): Promise<Uint8Array | undefined> {
    while (this.#waiting.length === 0 && !this.#ended && this.#failure === undefined) await this.#arrival()
    if (this.#failure !== undefined) throw this.#failure
    if (this.#given !== undefined) this.#instance.recycle(this.#given)
    const chunk = this.#waiting.shift()
    this.#given = this.#options.recycles === true ? chunk : undefined
    if (chunk === undefined) return undefined
    this.#waitingBytes -= chunk.length
    if (this.#paused && this.#waitingBytes <= RESUME_BYTES) this.#setPaused(false)
    return chunk
  }

  /** After the last chunk: the connection is free for another statement. */
  release(): void {
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    clearTimeout(this.#timer)
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

  #push(chunk: Uint8Array): void {
    this.#waiting.push(chunk)
    this.#waitingBytes += chunk.length
    // Each time, not once: the driver's stream may have resumed the socket since.
    if (this.#waitingBytes >= MAX_WAITING_BYTES) this.#setPaused(true)
    this.#wake?.()
  }

  #setPaused(isPaused: boolean): void {
    this.#paused = isPaused
    if (isPaused) this.#tap.pause()
    else this.#tap.resume()
  }

  #finish(): void {
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
    await new Promise<void>((resolve) => {
      this.#timer = setTimeout(() => this.#fail(new TidemarkError('TIMEOUT', 'The source sent nothing for too long.')), this.#options.idleTimeoutMs)
      this.#wake = () => resolve()
    })
    clearTimeout(this.#timer)
    this.#wake = undefined
  }
}

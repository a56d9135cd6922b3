import { TidemarkError } from '@tidemark/core/adapter'

/** Above this the socket is no longer read. */
const HIGH_WATER_BYTES = 1 << 20
const LOW_WATER_BYTES = 1 << 18

/** What a queue needs of a connection. */
export interface Pausable {
  pause(): void
  resume(): void
  destroy(): void
}

/** Chunks between a socket and one reader, bounded by bytes: the reader's pace becomes the server's. */
export class ChunkQueue {
  readonly #link: Pausable
  readonly #idleTimeoutMs: number
  readonly #chunks: Uint8Array[] = []
  #bytes = 0
  #isPaused = false
  #isEnded = false
  #error: unknown
  #wake: (() => void) | undefined

  constructor(link: Pausable, idleTimeoutMs: number) {
    this.#link = link
    this.#idleTimeoutMs = idleTimeoutMs
  }

  /** Whether the result came to its end in good order. */
  get isFinished(): boolean {
    return this.#isEnded && this.#error === undefined
  }

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    if (this.#bytes >= HIGH_WATER_BYTES && !this.#isPaused) {
      this.#isPaused = true
      this.#link.pause()
    }
    this.#wakeUp()
  }

  end(): void {
    this.#isEnded = true
    this.#wakeUp()
  }

  /** What is queued is dropped: a reader must not take a broken result for a whole one. */
  fail(error: unknown): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#error = error
    this.#chunks.length = 0
    this.#wakeUp()
  }

  /** `undefined` at the end. Errors: what the statement ended with, `TIMEOUT` when the server is silent for too long. */
  async next(): Promise<Uint8Array | undefined> {
    while (this.#chunks.length === 0) {
      if (this.#error !== undefined) throw this.#error
      if (this.#isEnded) return undefined
      await this.#wait()
    }
    const chunk = this.#chunks.shift()
    this.#bytes -= chunk?.length ?? 0
    if (this.#isPaused && this.#bytes <= LOW_WATER_BYTES) {
      this.#isPaused = false
      this.#link.resume()
    }
    return chunk
  }

  async #wait(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      timer = setTimeout(() => {
        this.#link.destroy()
        this.fail(new TidemarkError('TIMEOUT', `The MySQL server sent nothing for ${this.#idleTimeoutMs} ms.`))
      }, this.#idleTimeoutMs)
    })
    clearTimeout(timer)
  }

  #wakeUp(): void {
    this.#wake?.()
    this.#wake = undefined
  }
}

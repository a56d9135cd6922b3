import { TidemarkError, type ObjectBody, type StoredObject } from '@tidemark/core/adapter'
import type { AnswerReader } from './answer-reader.ts'

export interface S3BodyOptions {
  readonly object: StoredObject
  /** Of the bytes that are wanted, within the object. */
  readonly start: number
  readonly end: number
  /** `undefined` where nothing is wanted. */
  readonly answer: AnswerReader | undefined
  /** Asks for the rest, or gives up with the error. */
  readonly reopen: (cut: CutAnswer) => Promise<AnswerReader>
}

export interface CutAnswer {
  /** The first byte of the object that is missing. */
  readonly at: number
  /** Tries that gave nothing since the last byte that came. */
  readonly failures: number
  readonly error: TidemarkError
}

/** The bytes of an object, once. An answer that is cut off is gone on with where it ended; an object that is too short is an error, never an end. */
export class S3Body implements ObjectBody {
  readonly object: StoredObject
  readonly #options: S3BodyOptions
  #answer: AnswerReader | undefined
  #at: number

  constructor(options: S3BodyOptions) {
    this.object = options.object
    this.#options = options
    this.#answer = options.answer
    this.#at = options.start
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      while (this.#at < this.#options.end) {
        const piece = await this.#next()
        this.#at += piece.length
        yield piece
      }
    } finally {
      await this[Symbol.asyncDispose]()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#answer?.cancel()
  }

  async #next(): Promise<Uint8Array> {
    for (let failures = 1; ; failures += 1) {
      try {
        const piece = await this.#answer?.read()
        if (piece !== undefined && this.#at + piece.length <= this.#options.end) return piece
        throw new TidemarkError('STORAGE_UNREACHABLE', 'The storage\'s answer has another length than it said.')
      } catch (error) {
        if (!(error instanceof TidemarkError) || error.code !== 'STORAGE_UNREACHABLE') throw error
        await this.#answer?.cancel()
        this.#answer = await this.#options.reopen({ at: this.#at, failures, error })
      }
    }
  }
}

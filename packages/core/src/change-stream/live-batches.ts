import type { ChangeBatch } from '../change/change-batch.ts'
import type { ChangeCheckpoint } from '../change/change-checkpoint.ts'
import type { AnyChangeTables } from '../change/change-event.ts'
import type { LogMessage } from '../change/log-message.ts'
import type { AnyBatch, Subscriber } from './subscriber.ts'

/**
 * Batches as they come. Ends when its signal fires or the stream stops; rejects with what ended it otherwise, such as
 * `SUBSCRIBER_LAGGED`, whose `detail` is the checkpoint to go on from. Taking the next batch acknowledges the one before.
 */
export interface LiveBatches<DB = AnyChangeTables, Message extends LogMessage = never> extends AsyncIterableIterator<ChangeBatch<DB, Message>>, AsyncDisposable {
  /** Resolves once changes from now on will be seen. The first `next()` waits for it by itself. */
  ready(): Promise<void>
  /** Where to go on after everything acknowledged; `undefined` before it is ready. */
  readonly checkpoint: ChangeCheckpoint | undefined
  /** Ends it. */
  return(): Promise<IteratorResult<ChangeBatch<DB, Message>>>
}

/** `attach` is called when the first batch is asked for, so that an iterable nobody reads holds nothing. */
export function liveBatches(attach: () => Promise<Subscriber>, signal: AbortSignal | undefined): LiveBatches<AnyChangeTables, LogMessage> {
  return new Live(attach, signal)
}

const DONE: IteratorResult<AnyBatch> = { done: true, value: undefined }

class Live implements LiveBatches<AnyChangeTables, LogMessage> {
  readonly #attach: () => Promise<Subscriber>
  readonly #signal: AbortSignal | undefined
  readonly #onAbort = (): void => void this.return()
  #attaching: Promise<Subscriber> | undefined
  #subscriber: Subscriber | undefined
  #isDone = false

  constructor(attach: () => Promise<Subscriber>, signal: AbortSignal | undefined) {
    this.#attach = attach
    this.#signal = signal
  }

  get checkpoint(): ChangeCheckpoint | undefined {
    return this.#subscriber?.checkpoint
  }

  async ready(): Promise<void> {
    await this.#open()
  }

  async next(): Promise<IteratorResult<AnyBatch>> {
    if (this.#isDone || this.#signal?.aborted === true) return this.return()
    try {
      const subscriber = await this.#open()
      return { done: false, value: await subscriber.next() }
    } catch (error) {
      const { isStopped } = this
      await this.return()
      if (isStopped) return DONE
      throw this.#subscriber?.error === undefined ? error : this.#subscriber.outcome
    }
  }

  async return(): Promise<IteratorResult<AnyBatch>> {
    this.#isDone = true
    this.#signal?.removeEventListener('abort', this.#onAbort)
    const subscriber = this.#subscriber ?? await this.#attaching?.catch(() => undefined)
    await subscriber?.end()
    return DONE
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  /** Whether it ended because it was told to. */
  get isStopped(): boolean {
    return this.#isDone || this.#signal?.aborted === true || this.#subscriber?.state === 'stopped'
  }

  #open(): Promise<Subscriber> {
    this.#attaching ??= this.#begin()
    return this.#attaching
  }

  async #begin(): Promise<Subscriber> {
    this.#signal?.addEventListener('abort', this.#onAbort, { once: true })
    this.#subscriber = await this.#attach()
    if (this.#isDone) await this.#subscriber.end()
    return this.#subscriber
  }
}

import type { ChangeBatch, LiveBatches } from '@tidemark/core'
import { problemOf } from '../answers/problem.ts'
import { whenReady } from '../changes/feed-selection.ts'
import { within } from '../util/within.ts'
import { CLOSE, closeCodeOf } from './close-codes.ts'
import type { ChangeSocket, ChangeSocketListener } from './socket-host.ts'
import { socketBatch, socketMessage } from './socket-text.ts'

export interface SocketFeedOptions {
  readonly socket: ChangeSocket
  /** Opens the feed; ended by the signal when the client is gone. */
  readonly open: (signal: AbortSignal) => LiveBatches
  readonly heartbeatMs: number
  /** Sent and not answered for; a batch that has begun is sent to its end. */
  readonly maxUnansweredBytes: number
  /** Fires when the handler is disposed. */
  readonly closing: AbortSignal
  readonly onEnd: () => void
}

/** No answer to a ping is longer. */
const MAX_MESSAGE = 64

/**
 * Sends a feed to one client. No host tells alike how much of what was sent has arrived, so the client says it: it answers a `ping` with the bytes that the ping
 * names. Who has not answered for so many is read for no further; who does not answer at all is gone.
 */
export class SocketFeed implements ChangeSocketListener {
  readonly #options: SocketFeedOptions
  readonly #gone = new AbortController()
  #sentBytes = 0
  #pingedBytes = 0
  #answeredBytes = 0
  /** Until when the ping that is out must be answered. */
  #deadline: ReturnType<typeof setTimeout> | undefined
  #onAnswer: (() => void) | undefined

  constructor(options: SocketFeedOptions) {
    this.#options = options
  }

  /** Resolves when it has ended; never rejects. */
  async run(): Promise<void> {
    const { open, closing, onEnd } = this.#options
    const onClosing = (): void => this.#close(CLOSE.goingAway, 'The server ends.')
    closing.addEventListener('abort', onClosing, { once: true })
    if (closing.aborted) onClosing()
    try {
      await using batches = open(this.#gone.signal)
      await whenReady(batches)
      await this.#send(batches)
      this.#close(1_000, '')
    } catch (cause) {
      this.#fail(cause)
    } finally {
      closing.removeEventListener('abort', onClosing)
      onEnd()
    }
  }

  /** Ends it with the error as its problem. */
  refuse(error: unknown): void {
    this.#fail(error)
  }

  onMessage(data: unknown): void {
    const bytes = typeof data === 'string' && data.length <= MAX_MESSAGE ? answeredBytes(data) : undefined
    if (bytes === undefined || bytes > this.#pingedBytes) return this.#close(CLOSE.notUnderstood, 'Send {"pong":n} and nothing else.')
    this.#answeredBytes = Math.max(this.#answeredBytes, bytes)
    if (bytes < this.#pingedBytes) return
    clearTimeout(this.#deadline)
    this.#deadline = undefined
    this.#onAnswer?.()
  }

  onClose(): void {
    clearTimeout(this.#deadline)
    this.#gone.abort()
    this.#onAnswer?.()
  }

  async #send(batches: LiveBatches): Promise<void> {
    const { heartbeatMs, maxUnansweredBytes } = this.#options
    let pending: Promise<IteratorResult<ChangeBatch>> | undefined
    while (!this.#gone.signal.aborted) {
      if (pending === undefined) {
        pending = batches.next()
        // It may fail when nobody waits for it any more.
        pending.catch(() => undefined)
      }
      const result = await within(pending, heartbeatMs)
      if (result === 'silence') {
        this.#ping()
        continue
      }
      pending = undefined
      if (result.done === true) return
      this.#sendBatch(result.value)
      if (this.#sentBytes - this.#pingedBytes > maxUnansweredBytes / 2) this.#ping()
      if (this.#sentBytes - this.#answeredBytes > maxUnansweredBytes) await this.#answered()
    }
  }

  #sendBatch(batch: ChangeBatch): void {
    const { texts, bytes } = socketBatch(batch)
    for (const text of texts) this.#options.socket.send(text)
    this.#sentBytes += bytes
  }

  /** One at a time: while one is out, the next waits for its answer. */
  #ping(): void {
    if (this.#deadline !== undefined) return
    this.#pingedBytes = this.#sentBytes
    this.#deadline = setTimeout(() => this.#close(CLOSE.unanswered, 'A ping was not answered.'), this.#options.heartbeatMs * 2)
    this.#options.socket.send(socketMessage({ event: 'ping', data: `{"bytes":${this.#pingedBytes}}`, id: undefined }))
  }

  /** Once the client has so much that it may get more, or is gone. */
  async #answered(): Promise<void> {
    while (!this.#gone.signal.aborted && this.#sentBytes - this.#answeredBytes > this.#options.maxUnansweredBytes) {
      this.#ping()
      await new Promise<void>((resolve) => { this.#onAnswer = resolve })
    }
  }

  #fail(cause: unknown): void {
    if (this.#gone.signal.aborted) return
    const problem = problemOf(cause)
    this.#options.socket.send(socketMessage({ event: 'problem', data: JSON.stringify(problem), id: undefined }))
    this.#close(closeCodeOf(problem.status), problem.code)
  }

  #close(code: number, reason: string): void {
    if (this.#gone.signal.aborted) return
    this.#options.socket.close(code, reason)
    this.onClose()
  }
}

/** `undefined` for what is no answer to a ping. */
function answeredBytes(text: string): number | undefined {
  const [, digits] = /^\{"pong":(\d{1,15})\}$/.exec(text) ?? []
  return digits === undefined ? undefined : Number(digits)
}

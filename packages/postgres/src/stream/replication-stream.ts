import type { Socket } from 'node:net'
import { TidemarkError } from '@tidemark/core/adapter'
import { mapPostgresError } from '../errors.ts'
import type { PostgresInstance } from '../postgres-instance.ts'
import { CopyBothTap, HEADER_BYTES } from './copy-both-tap.ts'
import { gap } from './replication-slot.ts'
import { COPY_DONE, standbyStatus } from './standby-status.ts'
import type { Lsn } from './lsn.ts'
import { undecodable } from './undecodable.ts'

const NOT_IN_PREREQUISITE_STATE = '55000'
const XLOG_DATA = 0x77
const KEEPALIVE = 0x6b
/** Behind the header of the message: kind, start, end, time. */
const XLOG_HEADER_BYTES = 25
const KEEPALIVE_BYTES = 18

/**
 * Bytes that wait to be decoded before the socket is paused, and how few they are when it is read on. Far apart: a socket that is stopped
 * and started for every read is half as fast.
 */
const MAX_WAITING_BYTES = 4 * 1024 * 1024
const RESUME_BYTES = 1024 * 1024

/** Between two status updates at most, as `pg_recvlogical` has it. */
const MAX_STATUS_INTERVAL_MS = 10_000
/** How long the server may take to end its side. */
const CLOSE_MS = 1_000

export interface ReplicationStreamOptions {
  /** `wal_sender_timeout`; 0: none. */
  readonly senderTimeoutMs: number
  readonly now: () => number
  /** Something came, or the stream has failed. Must be quick. */
  readonly onArrival: () => void
}

/** What the stream brings: a message of the plugin, or that the server has nothing before a place. */
export type StreamItem =
  | { readonly kind: 'data'; readonly bytes: Buffer; readonly from: number; readonly to: number }
  | { readonly kind: 'reached'; readonly lsn: Lsn }

/** An item, or that something has to be waited for before there is more. */
export type LogItem = StreamItem | { readonly kind: 'wait'; readonly wait: () => Promise<void> }

export interface LogItems {
  next(): LogItem | undefined
}

/**
 * A logical replication stream over a connection of its own. Says that it is alive also while nobody reads, holds no more than a few
 * megabytes, and notices a server that has gone silent.
 */
export class ReplicationStream {
  readonly #instance: PostgresInstance
  readonly #options: ReplicationStreamOptions
  readonly #tap: CopyBothTap
  readonly #socket: Socket
  readonly #waiting: Buffer[] = []
  #at = 0
  #waitingBytes = 0
  #isPaused = false
  #isClosing = false
  #failure: TidemarkError | undefined
  #heardAtMs: number
  #received: Lsn = 0n
  #durable: Lsn = 0n
  #timer: ReturnType<typeof setInterval> | undefined
  #onEnd: () => void = () => undefined

  /** Puts itself between socket and driver; `follow` begins. */
  constructor(instance: PostgresInstance, options: ReplicationStreamOptions) {
    this.#instance = instance
    this.#options = options
    this.#socket = instance.socket()
    this.#heardAtMs = options.now()
    this.#tap = new CopyBothTap(this.#socket, {
      onData: (bytes) => this.#push(bytes),
      onError: (sqlState) => this.#fail(mapPostgresError({ code: sqlState })),
      // From 18 on a publication that is missing is only warned of, and everything is left out. What came before the warning is delivered.
      onNotice: (sqlState) => void (sqlState === NOT_IN_PREREQUISITE_STATE && this.#fail(gap('publication-changed'))),
      onClose: () => this.#fail(new TidemarkError('SOURCE_UNREACHABLE', 'The source closed the replication stream.', { detail: 'CONNECTION_CLOSED' })),
    })
  }

  /** The server has begun to stream. */
  begin(durable: Lsn): void {
    this.#durable = durable
    const { senderTimeoutMs } = this.#options
    const intervalMs = senderTimeoutMs === 0 ? MAX_STATUS_INTERVAL_MS : Math.min(MAX_STATUS_INTERVAL_MS, Math.ceil(senderTimeoutMs / 3))
    this.#timer = setInterval(() => this.#tick(), intervalMs)
    this.#send(true)
  }

  get failure(): TidemarkError | undefined {
    return this.#failure
  }

  /** Bytes that have come and are not decoded. */
  get waitingBytes(): number {
    return this.#waitingBytes
  }

  /** The next item; `undefined` when nothing has come. Errors: what ended the stream, once everything before it was taken. */
  next(): StreamItem | undefined {
    const bytes = this.#waiting[0]
    if (bytes === undefined) {
      if (this.#failure !== undefined) throw this.#failure
      return undefined
    }
    const from = this.#at + HEADER_BYTES
    const to = this.#at + 1 + bytes.readInt32BE(this.#at + 1)
    this.#advance(bytes, to)
    const item = toItem(bytes, from, to)
    if (item.kind === 'reached') this.#received = max(this.#received, item.lsn)
    return item
  }

  /** Everything up to here, a place that the server gave, is durable: it may forget that. */
  acknowledge(lsn: Lsn): void {
    if (lsn <= this.#durable) return
    this.#durable = lsn
    this.#send(false)
  }

  /** Asks the server how far it is. The answer comes as an item. */
  ask(): void {
    this.#send(true)
  }

  /** Ends the stream within a second or two, so that the server gives the slot free, whether or not anybody reads. */
  async close(): Promise<void> {
    if (this.#isClosing) return
    this.#isClosing = true
    clearInterval(this.#timer)
    this.#waiting.length = 0
    this.#waitingBytes = 0
    if (this.#failure === undefined) await this.#end()
    this.#failure ??= new TidemarkError('CLOSED', 'The replication stream is closed.')
    // What is left unread makes the close a reset, which the server notices at its next write.
    this.#instance.destroy()
  }

  async #end(): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      this.#onEnd = resolve
      setTimeout(resolve, CLOSE_MS).unref()
    })
    this.#socket.write(COPY_DONE)
    // The server's own end comes behind everything that it had sent.
    this.#tap.resume()
    await ended
  }

  /** The driver's stream carries nothing, but tells of the end. */
  follow(stream: NodeJS.ReadableStream): void {
    stream.on('error', () => undefined)
    stream.on('end', () => this.#onEnd())
    stream.resume()
    if (this.#isPaused) this.#tap.pause()
  }

  #push(bytes: Buffer): void {
    this.#heardAtMs = this.#options.now()
    if (this.#isClosing || this.#failure !== undefined) return
    this.#waiting.push(bytes)
    this.#waitingBytes += bytes.length
    if (this.#waitingBytes >= MAX_WAITING_BYTES) this.#setPaused(true)
    if (wantsReply(bytes)) this.#send(false)
    this.#options.onArrival()
  }

  #advance(bytes: Buffer, to: number): void {
    this.#at = to
    if (to < bytes.length) return
    this.#waiting.shift()
    this.#at = 0
    this.#waitingBytes -= bytes.length
    if (this.#isPaused && this.#waitingBytes <= RESUME_BYTES) this.#setPaused(false)
  }

  #setPaused(isPaused: boolean): void {
    this.#isPaused = isPaused
    if (isPaused) this.#tap.pause()
    else this.#tap.resume()
    this.#heardAtMs = this.#options.now()
  }

  /** Goes on while nobody reads: without it the server takes us for gone. */
  #tick(): void {
    const { senderTimeoutMs, now } = this.#options
    // A server is only silent where we listen and have taken what it said.
    if (this.#isPaused || this.#waitingBytes > 0) this.#heardAtMs = now()
    if (senderTimeoutMs > 0 && now() - this.#heardAtMs > 2 * senderTimeoutMs) {
      return this.#fail(new TidemarkError('SOURCE_UNREACHABLE', 'The source has gone silent.', { detail: 'SILENT' }))
    }
    this.#send(true)
  }

  #send(wantsReplyNow: boolean): void {
    if (this.#isClosing || this.#failure !== undefined) return
    this.#socket.write(standbyStatus({ received: this.#received, durable: this.#durable, nowMs: this.#options.now(), wantsReply: wantsReplyNow }))
  }

  #fail(error: TidemarkError): void {
    if (this.#failure !== undefined) return
    this.#failure = error
    clearInterval(this.#timer)
    this.#onEnd()
    if (this.#isClosing) return
    this.#instance.destroy()
    this.#options.onArrival()
  }
}

function toItem(bytes: Buffer, from: number, to: number): StreamItem {
  const kind = bytes[from]
  if (kind === XLOG_DATA && to - from >= XLOG_HEADER_BYTES) return { kind: 'data', bytes, from: from + XLOG_HEADER_BYTES, to }
  if (kind === KEEPALIVE && to - from === KEEPALIVE_BYTES) return { kind: 'reached', lsn: bytes.readBigUInt64BE(from + 1) }
  throw undecodable('has a message that is neither data nor a keepalive')
}

/** Whether one of the messages is a keepalive that wants an answer. Looked for when it comes: what is before it may wait for long. */
function wantsReply(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at += 1 + bytes.readInt32BE(at + 1)) {
    const from = at + HEADER_BYTES
    if (bytes[from] === KEEPALIVE && bytes[from + KEEPALIVE_BYTES - 1] === 1) return true
  }
  return false
}

function max(a: Lsn, b: Lsn): Lsn {
  return a > b ? a : b
}

import type { Socket } from 'node:net'
import { TidemarkError } from '@tidemark/core/adapter'

const COPY_DATA = 0x64
/** Type and length of a message (manual, 55.7, "Message Formats"); the length counts itself. */
const HEADER_BYTES = 5

/**
 * Takes the rows of a COPY off the socket before the driver sees them. The driver makes a buffer, an event and a push of
 * every row, which costs more than decoding it; here the messages of one read from the socket become one chunk.
 * All other messages reach the driver untouched.
 *
 * Put it on between two queries: the driver then holds no half message.
 */
export class CopyTap {
  readonly #socket: Socket
  readonly #toDriver: (bytes: Uint8Array) => void
  readonly #onRows: (chunk: Uint8Array) => void
  /** A header that was cut by the end of a read. */
  #header: Uint8Array = new Uint8Array(0)
  /** Bytes of the current message still to come, and where they go. */
  #remaining = 0
  #isCopyData = false

  constructor(socket: Socket, onRows: (chunk: Uint8Array) => void) {
    const [listener, ...others] = socket.listeners('data')
    if (listener === undefined || others.length > 0) {
      throw new TidemarkError('NOT_SUPPORTED', 'This release of postgres.js reads its socket in a way that is not known.', {
        remedy: 'Use the release of postgres.js that the package names as its peer.',
      })
    }
    this.#socket = socket
    this.#onRows = onRows
    this.#toDriver = (bytes) => void listener.call(socket, bytes)
    // The list of listeners is typed as plain functions.
    socket.off('data', listener as (bytes: Uint8Array) => void).on('data', (bytes: Uint8Array) => this.#take(bytes))
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /**
   * Payloads are moved together in the buffer itself, which is ours from the moment the socket gives it: nothing is
   * allocated. Rows are given before a message behind them goes to the driver, which may be the one that ends the COPY.
   */
  #take(received: Uint8Array): void {
    const bytes = this.#header.length === 0 ? received : Buffer.concat([this.#header, received])
    let at = 0
    let rows = 0
    while (at < bytes.length) {
      if (this.#remaining === 0) {
        if (bytes.length - at < HEADER_BYTES) break
        const length = messageBytes(bytes, at)
        if (length < HEADER_BYTES) return void this.#socket.destroy(corrupt())
        this.#isCopyData = bytes[at] === COPY_DATA
        // The driver wants the header of its messages.
        this.#remaining = length - (this.#isCopyData ? HEADER_BYTES : 0)
        if (this.#isCopyData) at += HEADER_BYTES
        if (this.#remaining === 0) continue
      }
      const end = Math.min(at + this.#remaining, bytes.length)
      this.#remaining -= end - at
      if (this.#isCopyData) {
        bytes.copyWithin(rows, at, end)
        rows += end - at
      } else {
        rows = this.#give(bytes, rows)
        this.#toDriver(Buffer.from(bytes.subarray(at, end)))
      }
      at = end
    }
    this.#header = Uint8Array.prototype.slice.call(bytes, at)
    this.#give(bytes, rows, true)
  }

  /** Copied only when more of the buffer is still to be read; a buffer of nothing but rows is given away whole. */
  #give(bytes: Uint8Array, rows: number, isDone = false): 0 {
    if (rows > 0) this.#onRows(isDone ? bytes.subarray(0, rows) : Uint8Array.prototype.slice.call(bytes, 0, rows))
    return 0
  }
}

/** What is no PostgreSQL any more is not read on: the connection ends with it. */
function corrupt(): TidemarkError {
  return new TidemarkError('SOURCE_CORRUPT_RESULT', 'A message of the source has no length.')
}

/** Bytes of the message that begins here, with its type. */
function messageBytes(bytes: Uint8Array, at: number): number {
  return 1 + (((bytes[at + 1] ?? 0) << 24) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 8) | (bytes[at + 4] ?? 0))
}

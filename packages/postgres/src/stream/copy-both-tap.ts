import type { Socket } from 'node:net'
import { TidemarkError } from '@tidemark/core/adapter'

const COPY_DATA = 0x64
const ERROR_RESPONSE = 0x45
const NOTICE_RESPONSE = 0x4e
/** Type and length of a message (manual, 55.7, "Message Formats"); the length counts itself. */
export const HEADER_BYTES = 5

export interface CopyBothHandler {
  /** Whole CopyData messages, with their headers, one behind the other. The bytes are the handler's. */
  onData(bytes: Buffer): void
  /** The server reports an error; `sqlState` is its code. */
  onError(sqlState: string): void
  /** The server says something in passing. */
  onNotice(sqlState: string): void
  onClose(): void
}

/**
 * Takes the messages of a replication stream off the socket before the driver sees them. The driver makes a buffer, an event and a push
 * of every message, tells of an error without its code, and does not notice that the server is gone while nobody reads
 * (porsager/postgres 3.4). All other messages reach it untouched.
 *
 * Put it on between two queries: the driver then holds no half message.
 */
export class CopyBothTap {
  readonly #socket: Socket
  readonly #handler: CopyBothHandler
  readonly #toDriver: (bytes: Buffer) => void
  /** A message that was cut by the end of a read, and how many bytes it needs. */
  #pieces: Buffer[] = []
  #pieceBytes = 0
  #neededBytes = HEADER_BYTES

  constructor(socket: Socket, handler: CopyBothHandler) {
    const [listener, ...others] = socket.listeners('data')
    if (listener === undefined || others.length > 0) {
      throw new TidemarkError('NOT_SUPPORTED', 'This release of postgres.js reads its socket in a way that is not known.', {
        remedy: 'Use the release of postgres.js that the package names as its peer.',
      })
    }
    this.#socket = socket
    this.#handler = handler
    this.#toDriver = (bytes) => void listener.call(socket, bytes)
    // The list of listeners is typed as plain functions.
    socket.off('data', listener as (bytes: Buffer) => void).on('data', (bytes: Buffer) => this.#take(bytes))
    socket.on('close', () => handler.onClose())
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  #take(received: Buffer): void {
    let bytes = received
    if (this.#pieces.length > 0) {
      this.#pieces.push(received)
      this.#pieceBytes += received.length
      // A long message is joined once, not once a read.
      if (this.#pieceBytes < this.#neededBytes) return
      bytes = Buffer.concat(this.#pieces)
      this.#pieces = []
    }
    const rest = this.#split(bytes)
    if (rest === bytes.length) return
    this.#pieces = [bytes.subarray(rest)]
    this.#pieceBytes = bytes.length - rest
  }

  /** Gives on what is whole; returns where the rest begins. */
  #split(bytes: Buffer): number {
    let dataFrom = 0
    let at = 0
    while (at < bytes.length) {
      this.#neededBytes = HEADER_BYTES
      if (bytes.length - at < HEADER_BYTES) break
      const length = bytes.readInt32BE(at + 1) + 1
      if (length < HEADER_BYTES) return this.#corrupt(bytes)
      this.#neededBytes = length
      if (bytes.length - at < length) break
      if (bytes[at] !== COPY_DATA) {
        this.#give(bytes, dataFrom, at)
        this.#other(bytes.subarray(at, at + length))
        dataFrom = at + length
      }
      at += length
    }
    this.#give(bytes, dataFrom, at)
    return at
  }

  #give(bytes: Buffer, from: number, to: number): void {
    if (to > from) this.#handler.onData(bytes.subarray(from, to))
  }

  #other(message: Buffer): void {
    if (message[0] === ERROR_RESPONSE) this.#handler.onError(sqlStateOf(message))
    if (message[0] === NOTICE_RESPONSE) this.#handler.onNotice(sqlStateOf(message))
    this.#toDriver(Buffer.from(message))
  }

  /** What is no PostgreSQL any more is not read on: the connection ends with it. */
  #corrupt(bytes: Buffer): number {
    this.#socket.destroy(new TidemarkError('SOURCE_CORRUPT_RESULT', 'A message of the source has no length.'))
    return bytes.length
  }
}

/** Fields of a byte and a text each (manual, 55.8); C is the SQLSTATE. */
function sqlStateOf(message: Buffer): string {
  for (const field of message.toString('latin1', HEADER_BYTES).split('\0')) if (field.startsWith('C')) return field.slice(1)
  return 'XX000'
}

import { Duplex } from 'node:stream'
import { TidemarkError } from '@tidemark/core/adapter'
import type { HostSocket } from './host-sockets/host-sockets.ts'

/** A Worker's socket, encrypted, as the driver wants one: as much of a `Socket` of Node's as it uses. */
export class WorkersSocket extends Duplex {
  readonly #socket: HostSocket
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>
  #hasRead = false

  constructor(socket: HostSocket) {
    super({ allowHalfOpen: false })
    this.#socket = socket
    this.#reader = socket.readable.getReader()
    this.#writer = socket.writable.getWriter()
    // Told of by the reads and writes that it fails.
    socket.closed.catch(() => undefined)
    this.#writer.closed.catch(() => undefined)
    this.#reader.closed.catch(() => undefined)
  }

  get readyState(): 'open' | 'closed' {
    return this.destroyed ? 'closed' : 'open'
  }

  override _read(): void {
    this.#reader.read().then(({ done, value }) => {
      this.#hasRead = true
      this.push(done ? null : Buffer.from(value.buffer, value.byteOffset, value.byteLength))
    }, () => this.destroy(this.#lost()))
  }

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error) => void): void {
    this.#writer.write(chunk).then(() => done(), () => done(this.#lost()))
  }

  override _final(done: (error?: Error) => void): void {
    this.#writer.close().then(() => done(), () => done(this.#lost()))
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.close().then(() => done(error), () => done(error))
  }

  /** The host does not tell why, and shakes hands with the first read: what fails before the first byte is taken for a certificate that is refused. */
  #lost(): TidemarkError {
    return this.#hasRead
      ? new TidemarkError('SOURCE_UNREACHABLE', 'The source closed the connection.', { detail: 'CONNECTION_CLOSED' })
      : new TidemarkError('SOURCE_TLS_FAILED', 'The source could not be spoken to over TLS.', { detail: 'TLS_REFUSED' })
  }
}

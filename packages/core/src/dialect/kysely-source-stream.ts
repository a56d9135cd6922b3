import { TidemarkError } from '../errors/tidemark-error.ts'
import type { Mark } from './cursor.ts'
import { checkAbort } from './kysely-source-abort.ts'
import { RowFrameDecoder, RowFrameEncoder } from './kysely-source-frames.ts'
import type { AliasedRow } from './kysely-source-query.ts'
import { cursorText, valueReader } from './kysely-source-values.ts'
import type { RowDecoder } from './row-sink.ts'
import type { RowStream } from './source.ts'
import type { ColumnSchema } from './table.ts'

/** A chunk is given out once it has this many bytes. */
const CHUNK_BYTES = 64 * 1024

interface KyselyStreamConfig {
  readonly rows: AsyncIterableIterator<AliasedRow>
  readonly columns: readonly ColumnSchema[]
  readonly position: readonly ColumnSchema[]
  readonly signal: AbortSignal | undefined
  readonly fence: string
  readonly settles: (mark: Mark) => boolean
  /** Runs a call into the driver and gives its errors their codes. */
  readonly call: <T>(work: () => Promise<T>) => Promise<T>
}

/**
 * The driver's row stream as framed bytes. A generic driver gives objects, so nothing is saved on this side; the frames
 * are what lets the rows cross to the thread that writes.
 */
export class KyselyRowStream implements RowStream {
  readonly fence: string
  readonly settles: (mark: Mark) => boolean
  readonly decoder: RowDecoder
  readonly #config: KyselyStreamConfig
  #started = false
  #closed = false

  constructor(config: KyselyStreamConfig) {
    this.#config = config
    this.fence = config.fence
    this.settles = config.settles
    this.decoder = new RowFrameDecoder(config.columns.length)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    const { rows, columns, position, signal, call } = this.#config
    this.#started = true
    const readers = columns.map(valueReader)
    const keyReaders = position.map(valueReader)
    const encoder = new RowFrameEncoder()
    try {
      for (;;) {
        checkAbort(signal)
        const next = this.#closed ? undefined : await call(() => rows.next())
        // A driver's stream that was ended early says `done` like one that was read to its end.
        if (next === undefined || this.#closed) throw new TidemarkError('CLOSED', 'The stream was closed before its end.')
        if (next.done === true) break
        const { value: row } = next
        encoder.row(readers.map((read, index) => read(row[`c${index}`])), keyReaders.map((read, index) => cursorText(read(row[`p${index}`]))))
        if (encoder.bytes >= CHUNK_BYTES) yield encoder.take()
      }
      if (encoder.bytes > 0) yield encoder.take()
    } finally {
      await this.#return()
    }
  }

  /** Gives the connection back. Going on with the iteration afterwards is `CLOSED`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    await this.#return()
  }

  /** Ends the driver's stream, whatever the signal says. One that was never begun holds no connection. */
  async #return(): Promise<void> {
    if (!this.#started) return
    try {
      await this.#config.rows.return?.()
    } catch {
      // What went wrong while reading has been thrown there already; a stream that can't be ended is over too.
    }
  }
}

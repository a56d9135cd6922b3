import { TidemarkError, type Cursor, type Mark, type RowDecoder, type RowSink, type RowStream, type RowValues, type Value } from '@tidemark/core/adapter'
import { hex } from '../assert/cell.ts'

interface EncodedRow {
  readonly values: RowValues
  readonly key: readonly string[]
}

interface MemoryStreamConfig {
  readonly rows: readonly EncodedRow[]
  readonly fence: string
  readonly settles: (mark: Mark) => boolean
  /** Waits as a network would; throws `CLOSED` and `ABORTED`. */
  readonly turn: () => Promise<void>
}

const NEWLINE = 10
/** Odd on purpose: rows and characters break across chunks. */
const CHUNK_BYTES = 16_381

/** Rows as lines of JSON, cut into chunks without regard to lines. */
export class MemoryRowStream implements RowStream {
  readonly fence: string
  readonly settles: (mark: Mark) => boolean
  readonly decoder: RowDecoder = new MemoryRowDecoder()
  readonly #config: MemoryStreamConfig
  #closed = false

  constructor(config: MemoryStreamConfig) {
    this.#config = config
    this.fence = config.fence
    this.settles = config.settles
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    const encoded = new TextEncoder().encode(this.#config.rows.map((row) => `${encodeRow(row)}\n`).join(''))
    for (let start = 0; start < encoded.length; start += CHUNK_BYTES) {
      await this.#config.turn()
      // Ending here would look like the end of the table.
      if (this.#closed) throw new TidemarkError('CLOSED', 'The stream is closed.')
      yield encoded.subarray(start, start + CHUNK_BYTES)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
  }
}

class MemoryRowDecoder implements RowDecoder {
  #pending: number[] = []
  #rows = 0
  #last: Cursor | undefined

  get rows(): number {
    return this.#rows
  }

  get last(): Cursor | undefined {
    return this.#last
  }

  push(chunk: Uint8Array, sink: RowSink): void {
    for (const byte of chunk) {
      if (byte !== NEWLINE) this.#pending.push(byte)
      else this.#row(sink)
    }
  }

  end(): void {
    if (this.#pending.length > 0) throw new TidemarkError('SOURCE_CORRUPT_RESULT', 'The stream ended within a row.')
  }

  #row(sink: RowSink): void {
    // The encoder below is the only writer of these lines.
    const line = JSON.parse(new TextDecoder().decode(Uint8Array.from(this.#pending))) as { readonly cells: readonly string[]; readonly key: readonly string[] }
    this.#pending = []
    for (const one of line.cells) decodeCell(one, sink)
    sink.endRow()
    this.#rows += 1
    this.#last = line.key.length === 0 ? undefined : { key: line.key }
  }
}

function encodeRow(row: EncodedRow): string {
  return JSON.stringify({ cells: row.values.map(encodeCell), key: row.key })
}

function encodeCell(value: Value): string {
  if (value === null) return 'n'
  if (value instanceof Uint8Array) return `x${hex(value)}`
  if (typeof value === 'string') return `s${value}`
  if (typeof value === 'number') return Number.isInteger(value) ? `i${value}` : `r${value}`
  return `b${typeof value === 'boolean' ? Number(value) : value}`
}

function decodeCell(encoded: string, sink: RowSink): void {
  const body = encoded.slice(1)
  switch (encoded[0]) {
    case 'n': return sink.null()
    case 'i': return sink.integer(Number(body))
    case 'r': return sink.real(Number(body))
    case 'b': return sink.bigint(BigInt(body))
    case 'x': return sink.value(Uint8Array.from(body.match(/../gu) ?? [], (pair) => Number.parseInt(pair, 16)))
    default: {
      const bytes = new TextEncoder().encode(body)
      return sink.text(bytes, 0, bytes.length)
    }
  }
}

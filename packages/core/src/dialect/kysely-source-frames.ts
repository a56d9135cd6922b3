import type { RowValues, Value } from '../change/value.ts'
import { TidemarkError } from '../errors/tidemark-error.ts'
import type { Cursor } from './cursor.ts'
import type { RowDecoder, RowSink } from './row-sink.ts'

/*
 * A row is: u32 length of what follows, the cells, then the parts of its key as text cells. A cell is one tag byte and
 * its body: nothing for NULL, 8 bytes for int64 and float64, u32 length and bytes for text and blob. All big-endian.
 */
const NULL = 0
const INTEGER = 1
const REAL = 2
const TEXT = 3
const BLOB = 4

const LENGTH_BYTES = 4
const FIRST_CAPACITY = 128 * 1024

/** Bytes that grow, with a view to write numbers. */
class GrowingBytes {
  bytes = new Uint8Array(FIRST_CAPACITY)
  view = new DataView(this.bytes.buffer)
  length = 0

  reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + more))
    grown.set(this.bytes.subarray(0, this.length))
    this.bytes = grown
    this.view = new DataView(grown.buffer)
  }

  append(chunk: Uint8Array): void {
    this.reserve(chunk.length)
    this.bytes.set(chunk, this.length)
    this.length += chunk.length
  }
}

export class RowFrameEncoder {
  readonly #out = new GrowingBytes()
  readonly #utf8 = new TextEncoder()

  /** Bytes not yet taken. */
  get bytes(): number {
    return this.#out.length
  }

  row(values: RowValues, key: readonly string[]): void {
    const out = this.#out
    const start = out.length
    out.reserve(LENGTH_BYTES)
    out.length += LENGTH_BYTES
    for (const value of values) this.#cell(value)
    for (const part of key) this.#cell(part)
    out.view.setUint32(start, out.length - start - LENGTH_BYTES)
  }

  take(): Uint8Array {
    const taken = this.#out.bytes.slice(0, this.#out.length)
    this.#out.length = 0
    return taken
  }

  #cell(value: Value): void {
    const out = this.#out
    if (value === null) return this.#tag(NULL, 0)
    if (typeof value === 'string') return this.#body(TEXT, this.#utf8.encode(value))
    if (value instanceof Uint8Array) return this.#body(BLOB, value)
    if (typeof value === 'number' && !Number.isSafeInteger(value)) {
      this.#tag(REAL, 8)
      out.view.setFloat64(out.length - 8, value)
    } else {
      this.#tag(INTEGER, 8)
      out.view.setBigInt64(out.length - 8, BigInt(value))
    }
  }

  #tag(tag: number, bodyBytes: number): void {
    const out = this.#out
    out.reserve(1 + bodyBytes)
    out.bytes[out.length] = tag
    out.length += 1 + bodyBytes
  }

  #body(tag: number, body: Uint8Array): void {
    this.#tag(tag, LENGTH_BYTES)
    this.#out.view.setUint32(this.#out.length - LENGTH_BYTES, body.length)
    this.#out.append(body)
  }
}

export class RowFrameDecoder implements RowDecoder {
  readonly #columns: number
  readonly #pending = new GrowingBytes()
  readonly #utf8 = new TextDecoder('utf-8', { ignoreBOM: true })
  #rows = 0
  #last: Cursor | undefined

  constructor(columns: number) {
    this.#columns = columns
  }

  get rows(): number {
    return this.#rows
  }

  get last(): Cursor | undefined {
    return this.#last
  }

  push(chunk: Uint8Array, sink: RowSink): void {
    const pending = this.#pending
    pending.append(chunk)
    let start = 0
    while (pending.length - start >= LENGTH_BYTES) {
      const end = start + LENGTH_BYTES + pending.view.getUint32(start)
      if (end > pending.length) break
      this.#row(start + LENGTH_BYTES, end, sink)
      start = end
    }
    if (start === 0) return
    pending.bytes.copyWithin(0, start, pending.length)
    pending.length -= start
  }

  end(): void {
    if (this.#pending.length > 0) throw new TidemarkError('SOURCE_CORRUPT_RESULT', 'The stream ended within a row.')
  }

  #row(start: number, end: number, sink: RowSink): void {
    let at = start
    for (let column = 0; column < this.#columns; column += 1) at = this.#cell(at, sink)
    sink.endRow()
    this.#rows += 1
    if (at < end) this.#last = { key: this.#key(at, end) }
  }

  /** Gives one cell to the sink and returns where the next one begins. */
  #cell(at: number, sink: RowSink): number {
    const { bytes, view } = this.#pending
    const body = at + 1
    switch (bytes[at]) {
      case NULL:
        sink.null()
        return body
      case INTEGER: {
        const value = view.getBigInt64(body)
        if (Number.isSafeInteger(Number(value))) sink.integer(Number(value))
        else sink.bigint(value)
        return body + 8
      }
      case REAL:
        sink.real(view.getFloat64(body))
        return body + 8
      case TEXT:
      case BLOB: {
        const from = body + LENGTH_BYTES
        const to = from + view.getUint32(body)
        if (bytes[at] === TEXT) sink.text(bytes, from, to)
        else sink.blob(bytes, from, to)
        return to
      }
      default:
        throw new TidemarkError('SOURCE_CORRUPT_RESULT', 'The stream holds an unknown cell.')
    }
  }

  #key(start: number, end: number): readonly string[] {
    const parts: string[] = []
    for (let at = start; at < end;) {
      const from = at + 1 + LENGTH_BYTES
      const to = from + this.#pending.view.getUint32(at + 1)
      parts.push(this.#utf8.decode(this.#pending.bytes.subarray(from, to)))
      at = to
    }
    return parts
  }
}

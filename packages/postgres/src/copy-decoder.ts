import { TidemarkError } from '@tidemark/core/adapter'
import type { ColumnSchema, Cursor, RowDecoder, RowSink } from '@tidemark/core/adapter'
import { compileCellReader, type CellReader } from './copy-cell-reader.ts'
import { BACKSLASH, CAPITAL_N, fieldEnd, NEWLINE, TAB, unescapeField } from './copy-text.ts'

export interface CopyDecoderOptions {
  readonly columns: readonly ColumnSchema[]
  /** Fields behind the columns that only serve the cursor. */
  readonly extraFields: number
  /** Where the key's own texts stand among the fields; empty: the stream has no cursor. */
  readonly keyFields: readonly number[]
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/**
 * COPY text to cells. What each column needs is compiled once; a row costs one call per column and no object.
 *
 * A row that is cut by the end of a chunk waits in pieces, so that a very long row is joined once and not once per chunk.
 */
export class CopyDecoder implements RowDecoder {
  readonly #readers: readonly CellReader[]
  readonly #keyFields: readonly number[]
  readonly #cells: number
  #pieces: Uint8Array[] = []
  #rows = 0
  #lastBytes: Uint8Array = new Uint8Array(0)
  #lastStart = 0
  #last: Cursor | undefined

  constructor(options: CopyDecoderOptions) {
    const skip: CellReader = (bytes, at) => fieldEnd(bytes, at)
    this.#readers = [...options.columns.map(compileCellReader), ...Array.from({ length: options.extraFields }, () => skip)]
    this.#keyFields = options.keyFields
    this.#cells = options.columns.length
  }

  get rows(): number {
    return this.#rows
  }

  /** Found only when asked for: the sink takes millions of rows and asks once per commit. */
  get last(): Cursor | undefined {
    if (this.#rows === 0 || this.#keyFields.length === 0) return undefined
    this.#last ??= readKey(this.#lastBytes, this.#lastStart, this.#keyFields)
    return this.#last
  }

  push(chunk: Uint8Array, sink: RowSink): void {
    let from = 0
    if (this.#pieces.length > 0) {
      from = chunk.indexOf(NEWLINE) + 1
      if (from === 0) return void this.#pieces.push(new Uint8Array(chunk))
      const row = join([...this.#pieces, chunk.subarray(0, from)])
      this.#pieces = []
      this.#decode(row, { from: 0, to: row.length }, sink)
    }
    const to = chunk.lastIndexOf(NEWLINE) + 1
    if (to > from) this.#decode(chunk, { from, to }, sink)
    const rest = Math.max(from, to)
    if (rest < chunk.length) this.#pieces.push(new Uint8Array(chunk.subarray(rest)))
  }

  end(): void {
    if (this.#pieces.length > 0) throw corrupt('ends inside a row')
  }

  /** Whole rows only, so no read below can run over the end. */
  #decode(bytes: Uint8Array, range: { readonly from: number; readonly to: number }, sink: RowSink): void {
    const readers = this.#readers
    const lastField = readers.length - 1
    const cells = this.#cells
    this.#lastBytes = bytes
    let at = range.from
    while (at < range.to) {
      const start = at
      for (let field = 0; field <= lastField; field += 1) {
        if (field < cells && bytes[at] === BACKSLASH && bytes[at + 1] === CAPITAL_N) {
          // A value `\N` would begin with two backslashes.
          sink.null()
          at += 2
        } else {
          // `field` is in range by the loop.
          at = (readers[field] as CellReader)(bytes, at, sink)
        }
        if (bytes[at] !== (field === lastField ? NEWLINE : TAB)) throw corrupt('has a row with the wrong number of fields')
        at += 1
      }
      if (lastField === -1) at += 1
      this.#rows += 1
      this.#lastStart = start
      this.#last = undefined
      sink.endRow()
    }
    // The caller may reuse the chunk: the last row is all that is still needed. Not by slice(), which copies nothing of a Buffer.
    this.#lastBytes = new Uint8Array(bytes.subarray(this.#lastStart, range.to))
    this.#lastStart = 0
  }
}

function readKey(bytes: Uint8Array, start: number, fields: readonly number[]): Cursor {
  const bounds: number[] = [start]
  for (let field = 0; field <= Math.max(...fields); field += 1) bounds.push(fieldEnd(bytes, bounds[field] ?? 0) + 1)
  return { key: fields.map((field) => keyText(bytes, bounds[field] ?? 0, (bounds[field + 1] ?? 0) - 1)) }
}

function keyText(bytes: Uint8Array, from: number, to: number): string {
  if (bytes[from] === BACKSLASH && bytes[from + 1] === CAPITAL_N) {
    throw new TidemarkError('KEY_REQUIRED', 'A key column holds a NULL, so it can\'t identify rows.')
  }
  return fieldText(bytes, from, to)
}

function fieldText(bytes: Uint8Array, from: number, to: number): string {
  const field = new Uint8Array(to - from)
  return decoder.decode(field.subarray(0, unescapeField(bytes, { from, to }, field)))
}

function join(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}

function corrupt(fault: string): TidemarkError {
  return new TidemarkError('SOURCE_CORRUPT_RESULT', `A COPY of the source ${fault}.`)
}

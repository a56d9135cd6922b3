import { MemoryPool, TidemarkError, type ExportBlock } from '@tidemark/core/adapter'
import { CellRanges } from '../cell-ranges.ts'
import { PacketFramer } from '../packet-framer.ts'
import { variableName, type BlockCell, type BlockLayout } from './block-layout.ts'
import { quoteInto } from './quote-into.ts'
import { printPosition, type ScanPosition } from './scan-position.ts'

const FIRST_BUFFER_BYTES = 1 << 14
/** The row that is one too many for a statement is written behind it at first, with as much room as a statement has where that is less. */
const OVERFLOW_BYTES = 1 << 14
/** A page of the exporter has half of it at most, and most statements are half of their memory at least. */
const MAX_FREE_BYTES = 1 << 23
const ROW_SEPARATOR = Buffer.from(',\n')
const END = Buffer.from(';\n')
const OPEN = 0x28
const CLOSE = 0x29
const COMMA = 0x2c
/** Shorter ranges are copied here: a call of the runtime's own copy costs as much as so many bytes. */
const SHORT_COPY_BYTES = 64
const NULL = Buffer.from('NULL')

/**
 * Packs rows, which come as literals and texts, into statements. Where a statement ends depends on the rows from
 * its beginning on and on `maxBytes`, and on nothing else.
 */
export class BlockBuilder {
  readonly #layout: BlockLayout
  readonly #framer: PacketFramer
  readonly #ranges = new CellRanges()
  #ready: ExportBlock[] = []
  readonly #memory: MemoryPool
  #buffer = Buffer.allocUnsafe(FIRST_BUFFER_BYTES)
  #length = 0
  #rows = 0
  #position: ScanPosition
  /** The last row, whose key is only looked at where a statement ends. Not an object: one for each row is a good part of all garbage. */
  #lastBytes: Buffer | undefined
  #lastStart = 0
  #lastEnd = 0

  constructor(layout: BlockLayout, from: ScanPosition) {
    this.#layout = layout
    this.#position = from
    this.#memory = new MemoryPool({ size: layout.maxBytes + Math.min(layout.maxBytes, OVERFLOW_BYTES), maxFreeBytes: MAX_FREE_BYTES })
    this.#framer = new PacketFramer((bytes, start, end) => this.#row(bytes, start, end))
  }

  /** Nothing refers to the chunk's memory afterwards. */
  push(chunk: Uint8Array): void {
    this.#framer.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
    const last = this.#lastBytes
    if (last?.buffer === chunk.buffer) this.#keep(Buffer.from(last.subarray(this.#lastStart, this.#lastEnd)), 0, this.#lastEnd - this.#lastStart)
  }

  end(): void {
    if (!this.#framer.isBetweenRows) throw new TidemarkError('SOURCE_CORRUPT_RESULT', 'The MySQL result ends within a row.')
    this.#close()
  }

  /** Statements that are complete. */
  take(): readonly ExportBlock[] {
    const ready = this.#ready
    this.#ready = []
    return ready
  }

  /** Nobody needs these statements any more: what follows is written where they are. */
  recycle(blocks: readonly ExportBlock[]): void {
    for (const { bytes } of blocks) this.#memory.recycle(bytes)
  }

  #row(bytes: Buffer, start: number, end: number): void {
    this.#ranges.read(bytes, start, end)
    if (this.#hasLong()) this.#longRow(bytes, start, end)
    else this.#append(bytes)
    this.#keep(bytes, start, end)
  }

  #keep(bytes: Buffer, start: number, end: number): void {
    this.#lastBytes = bytes
    this.#lastStart = start
    this.#lastEnd = end
  }

  #hasLong(): boolean {
    const { keyCells, longCells } = this.#layout
    for (let cell = keyCells; cell < keyCells + longCells; cell++) if (this.#ranges.starts[cell] !== -1) return true
    return false
  }

  #append(bytes: Buffer): void {
    const { prefix, maxBytes } = this.#layout
    const mark = this.#length
    this.#write(this.#rows === 0 ? prefix : ROW_SEPARATOR)
    const from = this.#length
    this.#writeRow(bytes)
    if (this.#rows > 0 && this.#length + END.length > maxBytes) {
      const row = Buffer.from(this.#buffer.subarray(from, this.#length))
      this.#length = mark
      this.#close()
      this.#write(prefix)
      this.#write(row)
    }
    this.#rows += 1
    if (this.#length + END.length > maxBytes) throw longerThanStatement()
  }

  #writeRow(bytes: Buffer): void {
    const { keyCells, longCells, cells } = this.#layout
    const { starts, ends } = this.#ranges
    for (let i = 0; i < cells.length; i++) {
      this.#writeByte(i === 0 ? OPEN : COMMA)
      const cell = cells[i]
      const start = starts[keyCells + longCells + i] ?? -1
      const end = ends[keyCells + longCells + i] ?? start
      if (cell?.kind === 'text') this.#writeText(cell, bytes, start, end)
      else if (start === -1) throw longerThanPacket()
      else this.#write(bytes, start, end)
    }
    this.#writeByte(CLOSE)
  }

  #writeText(cell: Extract<BlockCell, { readonly kind: 'text' }>, bytes: Buffer, start: number, end: number): void {
    if (start === -1) return this.#writeAbsent(cell)
    this.#reserve(2 * (end - start) + 2)
    const length = quoteInto(this.#buffer, this.#length, { bytes, start, end })
    if (length === -1) this.#write(Buffer.from(`_utf8mb4 X'${bytes.toString('hex', start, end)}'`))
    else this.#length = length
  }

  /** NULL, or a value that is in a variable. */
  #writeAbsent({ long, longLiteral }: Extract<BlockCell, { readonly kind: 'text' }>): void {
    const at = this.#layout.keyCells + (long ?? 0)
    const start = long === undefined ? -1 : this.#ranges.starts[at] ?? -1
    this.#write(start === -1 ? NULL : Buffer.from(longLiteral((this.#ranges.ends[at] ?? start) - start)))
  }

  /** Values into variables, piece by piece, and then the row that uses them. */
  #longRow(bytes: Buffer, rowStart: number, rowEnd: number): void {
    const { keyCells, longCells } = this.#layout
    this.#close()
    const { pieces: skipped } = this.#position
    let piece = 0
    for (let index = 0; index < longCells; index++) {
      const start = this.#ranges.starts[keyCells + index] ?? -1
      if (start === -1) continue
      for (const statement of setStatements(bytes.subarray(start, this.#ranges.ends[keyCells + index]), variableName(index), this.#layout.maxBytes)) {
        piece += 1
        if (piece > skipped) this.#ready.push({ bytes: statement, rows: 0, last: printPosition({ ...this.#position, pieces: piece }), continues: true })
      }
    }
    this.#append(bytes)
    this.#keep(bytes, rowStart, rowEnd)
    this.#close()
  }

  #close(): void {
    if (this.#rows === 0) return
    this.#write(END)
    this.#position = { rows: this.#position.rows + this.#rows, pieces: 0, key: this.#key() }
    this.#ready.push({ bytes: this.#buffer.subarray(0, this.#length), rows: this.#rows, last: printPosition(this.#position) })
    this.#buffer = Buffer.from(this.#memory.take())
    this.#length = 0
    this.#rows = 0
  }

  #key(): readonly string[] {
    const bytes = this.#lastBytes
    if (bytes === undefined) return []
    const ranges = new CellRanges()
    ranges.read(bytes, this.#lastStart, this.#lastEnd)
    return Array.from({ length: this.#layout.keyCells }, (_, cell) => ranges.text(bytes, cell) ?? '')
  }

  #write(bytes: Buffer, from = 0, to = bytes.length): void {
    this.#reserve(to - from)
    if (to - from > SHORT_COPY_BYTES) {
      bytes.copy(this.#buffer, this.#length, from, to)
      this.#length += to - from
      return
    }
    const buffer = this.#buffer
    let length = this.#length
    for (let i = from; i < to; i++) buffer[length++] = bytes[i] ?? 0
    this.#length = length
  }

  #writeByte(byte: number): void {
    this.#reserve(1)
    this.#buffer[this.#length++] = byte
  }

  #reserve(size: number): void {
    const needed = this.#length + size
    if (needed <= this.#buffer.length) return
    const larger = needed <= this.#memory.size ? Buffer.from(this.#memory.take()) : Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2))
    this.#buffer.copy(larger, 0, 0, this.#length)
    this.#buffer = larger
  }
}

function* setStatements(value: Buffer, variable: string, maxBytes: number): Generator<Buffer> {
  const step = Math.floor((maxBytes - 2 * variable.length - 32) / 2)
  for (let at = 0; at < value.length; at += step) {
    const piece = `X'${value.toString('hex', at, Math.min(value.length, at + step))}'`
    yield Buffer.from(`SET ${variable} = ${at === 0 ? piece : `CONCAT(${variable}, ${piece})`};\n`)
  }
}

function longerThanPacket(): TidemarkError {
  return new TidemarkError('VALUE_UNREPRESENTABLE', 'A row is longer as a statement than the server\'s max_allowed_packet.', { remedy: 'Raise max_allowed_packet on the server.' })
}

function longerThanStatement(): TidemarkError {
  return new TidemarkError('VALUE_UNREPRESENTABLE', 'A row is longer than a statement may be.', { remedy: 'Raise `maxStatementBytes`.' })
}

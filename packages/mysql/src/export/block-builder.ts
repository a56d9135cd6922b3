import { TidemarkError, type ExportBlock } from '@tidemark/core/adapter'
import { CellRanges } from '../cell-ranges.ts'
import { PacketFramer } from '../packet-framer.ts'
import { variableName, type BlockCell, type BlockLayout } from './block-layout.ts'
import { quoteInto } from './quote-into.ts'
import { printPosition, type ScanPosition } from './scan-position.ts'

const FIRST_BUFFER_BYTES = 1 << 14
const ROW_SEPARATOR = Buffer.from(',\n')
const END = Buffer.from(';\n')
const OPEN = Buffer.from('(')
const CLOSE = Buffer.from(')')
const COMMA = Buffer.from(',')
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
  #buffer = Buffer.allocUnsafe(FIRST_BUFFER_BYTES)
  #length = 0
  #rows = 0
  #position: ScanPosition
  /** The last row, whose key is only looked at where a statement ends. */
  #last: { readonly bytes: Buffer; readonly start: number; readonly end: number } | undefined

  constructor(layout: BlockLayout, from: ScanPosition) {
    this.#layout = layout
    this.#position = from
    this.#framer = new PacketFramer((bytes, start, end) => this.#row(bytes, start, end))
  }

  push(chunk: Uint8Array): void {
    this.#framer.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
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

  #row(bytes: Buffer, start: number, end: number): void {
    this.#ranges.read(bytes, start, end)
    if (this.#hasLong()) this.#longRow(bytes, start, end)
    else this.#append(bytes)
    this.#last = { bytes, start, end }
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
    this.#write(OPEN)
    for (let i = 0; i < cells.length; i++) {
      if (i > 0) this.#write(COMMA)
      const cell = cells[i]
      const start = starts[keyCells + longCells + i] ?? -1
      const end = ends[keyCells + longCells + i] ?? start
      if (cell?.kind === 'text') this.#writeText(cell, bytes, { start, end })
      else if (start === -1) throw longerThanPacket()
      else this.#write(bytes, start, end)
    }
    this.#write(CLOSE)
  }

  #writeText(cell: Extract<BlockCell, { readonly kind: 'text' }>, bytes: Buffer, { start, end }: { readonly start: number; readonly end: number }): void {
    const { keyCells } = this.#layout
    const long = cell.long === undefined ? -1 : this.#ranges.starts[keyCells + cell.long] ?? -1
    if (long !== -1) return this.#write(Buffer.from(cell.longLiteral((this.#ranges.ends[keyCells + (cell.long ?? 0)] ?? long) - long)))
    if (start === -1) return this.#write(NULL)
    this.#reserve(2 * (end - start) + 2)
    const length = quoteInto(this.#buffer, this.#length, bytes.subarray(start, end))
    if (length !== undefined) this.#length = length
    else this.#write(Buffer.from(`_utf8mb4 X'${bytes.toString('hex', start, end)}'`))
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
    this.#last = { bytes, start: rowStart, end: rowEnd }
    this.#close()
  }

  #close(): void {
    if (this.#rows === 0) return
    this.#write(END)
    this.#position = { rows: this.#position.rows + this.#rows, pieces: 0, key: this.#key() }
    this.#ready.push({ bytes: this.#buffer.subarray(0, this.#length), rows: this.#rows, last: printPosition(this.#position) })
    this.#buffer = Buffer.allocUnsafe(Math.min(Math.max(this.#length, FIRST_BUFFER_BYTES), this.#layout.maxBytes + END.length))
    this.#length = 0
    this.#rows = 0
  }

  #key(): readonly string[] {
    if (this.#last === undefined) return []
    const { bytes, start, end } = this.#last
    const ranges = new CellRanges()
    ranges.read(bytes, start, end)
    return Array.from({ length: this.#layout.keyCells }, (_, cell) => ranges.text(bytes, cell) ?? '')
  }

  #write(bytes: Buffer, from = 0, to = bytes.length): void {
    this.#reserve(to - from)
    bytes.copy(this.#buffer, this.#length, from, to)
    this.#length += to - from
  }

  #reserve(size: number): void {
    const needed = this.#length + size
    if (needed <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2))
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

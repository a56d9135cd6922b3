import { TidemarkError, type ExportBlock } from '@tidemark/core/adapter'
import { CellRanges } from '../cell-ranges.ts'
import { PacketFramer } from '../packet-framer.ts'
import { variableName, type BlockLayout } from './block-layout.ts'
import { printPosition, type ScanPosition } from './scan-position.ts'

const FIRST_BUFFER_BYTES = 1 << 14
const ROW_SEPARATOR = Buffer.from(',\n')
const END = Buffer.from(';\n')

/**
 * Packs rows, which come as literals, into statements. A row costs one copy of its bytes. Where a statement ends depends on the rows from
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
    const { keyCells, longCells } = this.#layout
    this.#ranges.read(bytes, start, end)
    const { starts, ends } = this.#ranges
    const from = starts[keyCells + longCells] ?? -1
    if (from === -1) throw longerThanPacket()
    const to = ends[keyCells + longCells] ?? from
    if (longCells > 0 && this.#hasLong()) this.#longRow(bytes, { start, end, from, to })
    else this.#append(bytes, from, to)
    this.#last = { bytes, start, end }
  }

  #hasLong(): boolean {
    const { keyCells, longCells } = this.#layout
    for (let cell = keyCells; cell < keyCells + longCells; cell++) if (this.#ranges.starts[cell] !== -1) return true
    return false
  }

  #append(bytes: Buffer, from: number, to: number): void {
    const size = to - from
    if (this.#rows > 0 && this.#length + ROW_SEPARATOR.length + size + END.length > this.#layout.maxBytes) this.#close()
    this.#write(this.#rows === 0 ? this.#layout.prefix : ROW_SEPARATOR)
    this.#write(bytes, from, to)
    this.#rows += 1
    if (this.#length + END.length > this.#layout.maxBytes) throw longerThanStatement()
  }

  /** Values into variables, piece by piece, and then the row that uses them. */
  #longRow(bytes: Buffer, row: { readonly start: number; readonly end: number; readonly from: number; readonly to: number }): void {
    const { keyCells, longCells } = this.#layout
    this.#close()
    const { pieces: skipped } = this.#position
    let piece = 0
    for (let index = 0; index < longCells; index++) {
      const start = this.#ranges.starts[keyCells + index] ?? -1
      if (start === -1) continue
      for (const statement of setStatements(bytes.subarray(start, this.#ranges.ends[keyCells + index]), variableName(index), this.#layout.maxBytes)) {
        piece += 1
        if (piece > skipped) this.#ready.push({ bytes: statement, rows: 0, last: printPosition({ ...this.#position, pieces: piece }) })
      }
    }
    this.#append(bytes, row.from, row.to)
    this.#last = { bytes, start: row.start, end: row.end }
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
    const needed = this.#length + to - from
    if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2))
      this.#buffer.copy(larger, 0, 0, this.#length)
      this.#buffer = larger
    }
    bytes.copy(this.#buffer, this.#length, from, to)
    this.#length = needed
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

import { TidemarkError, type RowSink, type StorageClass, type Value } from '@tidemark/core/adapter'
import { localBytes, MAX_LOCAL_BYTES, PAGE_BYTES, PageBuilder } from './page-builder.ts'
import { rowidBytes, varintBytes, writeRowid, writeVarint } from './varint.ts'

/** Serial types of the record format ("Record Format" in sqlite.org's file-format document). */
const NULL_TYPE = 0
const INT48_TYPE = 5
const INT64_TYPE = 6
const REAL_TYPE = 7
const ZERO_TYPE = 8
const BLOB_TYPE = 12
const TEXT_TYPE = 13

/** Up to this length a plain loop beats making a view for `set`. */
const LOOP_BYTES = 64
const LEAF_ROOM_BYTES = PAGE_BYTES - 8
const TWO_32 = 4_294_967_296
const IS_LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1
/** Name of the one table of an image. */
export const IMAGE_TABLE = 't'

export interface ImageBuilderOptions {
  readonly columns: readonly StorageClass[]
  /** Index of the column that is the rowid, if the key is one integer. */
  readonly rowidColumn: number | undefined
  /** Bytes of one row; a longer one is `TARGET_ROW_TOO_LARGE`. */
  readonly maxRowBytes: number
}

/**
 * Writes rows as a complete SQLite database with one table `t`, in memory and without SQLite.
 *
 * Binding values one by one is most of the cost of a bulk load. Here the bytes of a cell go from the decoder into a
 * record, and a full page of records into the image; SQLite then moves the records from b-tree to b-tree. A byte is
 * copied twice in all and nothing is allocated per row.
 *
 * A row is composed in place: its body begins where the cell's head (payload size, rowid, record header) would end if
 * it were as long as the previous row's, which it nearly always is; otherwise the body is moved by the difference.
 */
export class ImageBuilder implements RowSink {
  readonly #pages = new PageBuilder()
  readonly #columns: number
  readonly #rowidColumn: number
  readonly #maxRowBytes: number
  /** Whether a column has no affinity and so can hold both 1 and 1.0. */
  readonly #untyped: readonly boolean[]
  readonly #sql: string
  /** Room kept free behind the body, so that fixed-size cells never check. */
  readonly #slack: number
  readonly #types: Uint32Array
  readonly #offsets = new Uint16Array(LEAF_ROOM_BYTES >>> 2)
  readonly #encoder = new TextEncoder()
  readonly #float = new Float64Array(1)
  readonly #floatBytes = new Uint8Array(this.#float.buffer)

  /** Cells of the leaf being filled, then the row being composed. */
  #buffer: Uint8Array
  #cellStart = 0
  #headGuess: number
  #at: number
  #column = 0
  /** The row being composed is above the limit: its bytes are not kept, and `endRow` refuses it. */
  #isTooLarge = false
  #count = 0
  #rows = 0
  #rowidHi = 0
  #rowidLo = 0
  /** Rowid of the last finished row. */
  #lastHi = -2_147_483_649
  #lastLo = 0

  constructor(options: ImageBuilderOptions) {
    this.#columns = options.columns.length
    this.#rowidColumn = options.rowidColumn ?? -1
    this.#untyped = options.columns.map((storage) => storage === 'blob')
    this.#maxRowBytes = options.maxRowBytes
    this.#sql = imageTableSql(options)
    this.#types = new Uint32Array(this.#columns)
    this.#slack = this.#columns * 16 + 64
    this.#headGuess = this.#columns + 4
    this.#buffer = new Uint8Array(PAGE_BYTES * 2 + this.#slack * 2)
    this.#at = this.#headGuess
  }

  /** Rows since the last reset. */
  get rows(): number {
    return this.#rows
  }

  /** Bytes of the image so far, roughly. */
  get bytes(): number {
    return this.#pages.bytes - PAGE_BYTES + this.#cellStart
  }

  null(): void {
    // A NULL in the rowid's place is no key: SQLite would number the row itself.
    if (this.#column === this.#rowidColumn) throw unordered()
    this.#types[this.#column] = NULL_TYPE
    this.#column += 1
  }

  integer(value: number): void {
    const small = value | 0
    if (small === value) this.#int32(small)
    else this.#int64(Math.floor(value / TWO_32), value >>> 0)
  }

  bigint(value: bigint): void {
    const hi = Number(value >> 32n)
    if (hi !== (hi | 0)) throw new TypeError('A bigint cell is beyond 64 bits.')
    const lo = Number(value & 0xff_ff_ff_ffn)
    if (hi === (lo | 0) >> 31) this.#int32(lo | 0)
    else this.#int64(hi, lo)
  }

  real(value: number): void {
    // A bound -0.0 loses its sign in a REAL column; both ways must give the same bytes.
    if (value === 0 && this.#untyped[this.#column] !== true) return this.#int32(0)
    this.#float[0] = value
    const buffer = this.#buffer
    const at = this.#at
    if (IS_LITTLE_ENDIAN) for (let index = 0; index < 8; index += 1) buffer[at + index] = this.#floatBytes[7 - index] ?? 0
    else buffer.set(this.#floatBytes, at)
    this.#at = at + 8
    this.#types[this.#column] = REAL_TYPE
    this.#column += 1
  }

  text(bytes: Uint8Array, start: number, end: number): void {
    this.#append(bytes, start, end)
    this.#types[this.#column] = TEXT_TYPE + 2 * (end - start)
    this.#column += 1
  }

  blob(bytes: Uint8Array, start: number, end: number): void {
    this.#append(bytes, start, end)
    this.#types[this.#column] = BLOB_TYPE + 2 * (end - start)
    this.#column += 1
  }

  value(value: Value): void {
    if (value === null) this.null()
    else if (typeof value === 'string') this.#string(value)
    else if (typeof value === 'number') this.#number(value)
    else if (typeof value === 'boolean') this.integer(value ? 1 : 0)
    else if (typeof value === 'bigint') this.bigint(value)
    else this.blob(value, 0, value.length)
  }

  endRow(): void {
    if (this.#column !== this.#columns) throw new TypeError(`A row has ${this.#column} cells, the table ${this.#columns} columns.`)
    this.#nextRowid()
    let typeBytes = 0
    for (let index = 0; index < this.#columns; index += 1) typeBytes += varintBytes(this.#types[index] ?? 0)
    // The header's size counts its own varint.
    const headerBytes = typeBytes + (typeBytes < 127 ? 1 : 2)
    const bodyBytes = this.#at - this.#cellStart - this.#headGuess
    const payloadBytes = headerBytes + bodyBytes
    if (this.#isTooLarge || payloadBytes > this.#maxRowBytes) this.#refuse()
    const head = varintBytes(payloadBytes) + rowidBytes(this.#rowidHi, this.#rowidLo) + headerBytes
    if (head !== this.#headGuess) {
      this.#buffer.copyWithin(this.#cellStart + head, this.#cellStart + this.#headGuess, this.#at)
      this.#headGuess = head
    }
    this.#putHead(payloadBytes, headerBytes)
    this.#endCell(head - headerBytes, payloadBytes)
  }

  /** The finished file: a view that stays valid until `reset`. Nothing may be written in between. */
  finish(): Uint8Array {
    this.#endLeaf()
    return this.#pages.finish({ name: IMAGE_TABLE, sql: this.#sql })
  }

  /** Begins the next image; rowids still have to grow. */
  reset(): void {
    this.#pages.reset()
    this.#rows = 0
  }

  #int32(value: number): void {
    if (this.#column === this.#rowidColumn) return this.#setRowid(value < 0 ? -1 : 0, value >>> 0)
    const type = value === 0 ? ZERO_TYPE : value === 1 ? ZERO_TYPE + 1 : intBytes(value)
    for (let shift = type < ZERO_TYPE ? (type - 1) * 8 : -1; shift >= 0; shift -= 8) {
      this.#buffer[this.#at] = value >> shift
      this.#at += 1
    }
    this.#types[this.#column] = type
    this.#column += 1
  }

  /** `lo` is unsigned, and the value does not fit in 32 bits. */
  #int64(hi: number, lo: number): void {
    if (this.#column === this.#rowidColumn) return this.#setRowid(hi, lo)
    const isShort = hi >= -32_768 && hi <= 32_767
    for (let shift = isShort ? 8 : 24; shift >= 0; shift -= 8) {
      this.#buffer[this.#at] = hi >> shift
      this.#at += 1
    }
    for (let shift = 24; shift >= 0; shift -= 8) {
      this.#buffer[this.#at] = lo >>> shift
      this.#at += 1
    }
    this.#types[this.#column] = isShort ? INT48_TYPE : INT64_TYPE
    this.#column += 1
  }

  /** The record holds NULL in the rowid's place; readers take the value from the cell's key. */
  #setRowid(hi: number, lo: number): void {
    this.#rowidHi = hi
    this.#rowidLo = lo
    this.#types[this.#column] = NULL_TYPE
    this.#column += 1
  }

  #number(value: number): void {
    // Bound values do so: without affinity nothing turns a number, which is bound as a double, into an integer.
    if (Number.isSafeInteger(value) && this.#untyped[this.#column] !== true) this.integer(value)
    else this.real(value)
  }

  #string(value: string): void {
    // UTF-8 takes at most three bytes per UTF-16 unit.
    if (this.#reserve(value.length * 3)) {
      const { written } = this.#encoder.encodeInto(value, this.#buffer.subarray(this.#at))
      this.#at += written
      this.#types[this.#column] = TEXT_TYPE + 2 * written
    }
    this.#column += 1
  }

  #append(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start
    if (!this.#reserve(length)) return
    if (length <= LOOP_BYTES) {
      const buffer = this.#buffer
      for (let from = start, to = this.#at; from < end; from += 1, to += 1) buffer[to] = bytes[from] ?? 0
    } else this.#buffer.set(bytes.subarray(start, end), this.#at)
    this.#at += length
  }

  /** Makes room; false where the row grows beyond the limit, and its bytes are of no use any more. */
  #reserve(length: number): boolean {
    const needed = this.#at + length + this.#slack
    if (needed <= this.#buffer.length) return true
    if (needed - this.#cellStart > this.#maxRowBytes + this.#slack * 2) {
      this.#isTooLarge = true
      return false
    }
    const grown = new Uint8Array(Math.max(needed, this.#buffer.length * 2))
    grown.set(this.#buffer.subarray(0, this.#at))
    this.#buffer = grown
    return true
  }

  #nextRowid(): void {
    if (this.#rowidColumn < 0) {
      this.#rowidLo = (this.#rowidLo + 1) >>> 0
      if (this.#rowidLo === 0) this.#rowidHi += 1
    } else if (this.#rowidHi < this.#lastHi || (this.#rowidHi === this.#lastHi && this.#rowidLo <= this.#lastLo)) throw unordered()
  }

  #putHead(payloadBytes: number, headerBytes: number): void {
    const buffer = this.#buffer
    let at = writeVarint(buffer, this.#cellStart, payloadBytes)
    at = writeRowid(buffer, at, this.#rowidHi, this.#rowidLo)
    at = writeVarint(buffer, at, headerBytes)
    for (let index = 0; index < this.#columns; index += 1) at = writeVarint(buffer, at, this.#types[index] ?? 0)
  }

  /** The cell is whole in the buffer; `prefixBytes` of it stand before the payload. */
  #endCell(prefixBytes: number, payloadBytes: number): void {
    const payload = this.#cellStart + prefixBytes
    const isSpilled = payloadBytes > MAX_LOCAL_BYTES
    const kept = isSpilled ? localBytes(payloadBytes) : payloadBytes
    const cellEnd = payload + kept + (isSpilled ? 4 : 0)
    if (cellEnd + (this.#count + 1) * 2 > LEAF_ROOM_BYTES) this.#endLeafBeforeCell(payload + payloadBytes)
    const start = this.#cellStart
    let end = start + prefixBytes + kept
    if (isSpilled) end = this.#spill(start + prefixBytes, { kept, payloadBytes })
    this.#offsets[this.#count] = start
    this.#count += 1
    this.#rows += 1
    this.#lastHi = this.#rowidHi
    this.#lastLo = this.#rowidLo
    this.#cellStart = end
    this.#column = 0
    this.#at = end + this.#headGuess
    if (this.#at + this.#slack > this.#buffer.length) this.#reserve(0)
  }

  /** Moves a payload's tail to overflow pages and returns the end of the cell. */
  #spill(payload: number, size: { readonly kept: number; readonly payloadBytes: number }): number {
    const first = this.#pages.spill(this.#buffer, payload + size.kept, payload + size.payloadBytes)
    const end = payload + size.kept
    for (let index = 0; index < 4; index += 1) this.#buffer[end + index] = first >>> (24 - index * 8)
    return end + 4
  }

  /** The page is full without the cell at its end: the cell begins the next one. */
  #endLeafBeforeCell(cellEnd: number): void {
    const start = this.#cellStart
    this.#addLeaf()
    this.#buffer.copyWithin(0, start, cellEnd)
    this.#cellStart = 0
  }

  #endLeaf(): void {
    if (this.#count > 0) this.#addLeaf()
    this.#cellStart = 0
    this.#at = this.#headGuess
  }

  #addLeaf(): void {
    this.#pages.addLeaf({
      cells: this.#buffer, cellBytes: this.#cellStart, offsets: this.#offsets, count: this.#count, lastHi: this.#lastHi, lastLo: this.#lastLo,
    })
    this.#count = 0
  }

  /** Forgets the row: those before it can still be written. */
  #refuse(): never {
    this.#isTooLarge = false
    this.#column = 0
    this.#at = this.#cellStart + this.#headGuess
    throw new TidemarkError('TARGET_ROW_TOO_LARGE', `A row is larger than ${this.#maxRowBytes} bytes.`)
  }
}

/** Serial types 1 to 4 are integers of as many bytes. */
function intBytes(value: number): number {
  if (value === (value << 24) >> 24) return 1
  if (value === (value << 16) >> 16) return 2
  return value === (value << 8) >> 8 ? 3 : 4
}

/** Rows come in key order from every source; anything else is a source that has lost its way. */
function unordered(): TidemarkError {
  return new TidemarkError('SOURCE_CORRUPT_RESULT', 'The rows of a load do not come in the order of a unique key.')
}

/**
 * The CREATE TABLE of the image, shaped so that SQLite moves records to the staged table without decoding them. Its
 * transfer optimization (`xferOptimization` in insert.c) needs `INSERT INTO stage SELECT * FROM image.t` word for word, the
 * same number of columns with the same affinities, INTEGER PRIMARY KEY at the same place, and a staged table without
 * unique index, trigger, CHECK, DEFAULT or generated column. Where a table can't have that, the same statement
 * still works, decoding each row inside SQLite.
 */
function imageTableSql(options: ImageBuilderOptions): string {
  const columns = options.columns.map((storage, index) =>
    `c${index} ${storage.toUpperCase()}${index === options.rowidColumn ? ' PRIMARY KEY' : ''}`)
  return `CREATE TABLE ${IMAGE_TABLE}(${columns.join(',')})`
}

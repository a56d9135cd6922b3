import type { ManifestTable, RowEncoder, RowValues, Value } from '@tidemark/core/adapter'
import { parquetWriteBuffer } from 'hyparquet-writer/src/index.js'
import { kindsFor, KINDS, type Column, type KindName, type Physical } from './column-kind.ts'
import { FILE_NOTE, fileNote } from './file-note.ts'

/** Rows that a reader has to hold at once. */
const GROUP_ROWS = 50_000

export type ParquetCodec = 'SNAPPY' | 'UNCOMPRESSED'

/** The rows of one file, by column: its types are those that all of its rows have. */
export class ParquetEncoder implements RowEncoder {
  readonly #columns: readonly Column[]
  readonly #codec: ParquetCodec
  #data: Value[][]
  #rows = 0
  #size = 0

  constructor({ columns }: ManifestTable, codec: ParquetCodec) {
    this.#columns = columns
    this.#codec = codec
    this.#data = columns.map(() => [])
  }

  get size(): number {
    return this.#size
  }

  add(row: RowValues): void {
    for (const [index, cells] of this.#data.entries()) {
      const value = row[index] ?? null
      cells.push(value)
      this.#size += widthOf(value)
    }
    this.#rows += 1
  }

  take(): Uint8Array {
    const kinds = this.#columns.map((column, index) => kindOf(column, this.#data[index] ?? []))
    const bytes = parquetWriteBuffer({
      schema: [{ name: 'row', num_children: this.#columns.length }, ...this.#columns.map(({ name }, index) => ({ ...KINDS[kinds[index] ?? 'json'].element, name, repetition_type: 'OPTIONAL' as const }))],
      columnData: this.#columns.map((column, index) => ({ name: column.name, data: physical(column, kinds[index] ?? 'json', this.#data[index] ?? []), ...encodingOf(kinds[index] ?? 'json') })),
      codec: this.#codec,
      rowGroupSize: GROUP_ROWS,
      kvMetadata: [{ key: FILE_NOTE, value: fileNote({ kinds, rows: this.#rows }) }],
      createdBy: 'tidemark',
    })
    this.#data = this.#columns.map(() => [])
    this.#rows = 0
    this.#size = 0
    return new Uint8Array(bytes)
  }
}

function kindOf(column: Column, values: readonly Value[]): KindName {
  return kindsFor(column).find((name) => values.every((value) => value === null || KINDS[name].fits(value, column))) ?? 'json'
}

function physical(column: Column, name: KindName, values: readonly Value[]): Physical[] {
  const { encode } = KINDS[name]
  return encode === undefined ? [...values] : values.map((value) => (value === null ? null : encode(value, column)))
}

/** A dictionary of doubles takes -0 for 0. */
function encodingOf(name: KindName): { readonly encoding?: 'PLAIN' } {
  return KINDS[name].element.type === 'DOUBLE' ? { encoding: 'PLAIN' } : {}
}

function widthOf(value: Value): number {
  if (typeof value === 'string' || value instanceof Uint8Array) return value.length + 4
  return value === null ? 1 : 8
}

import type { ColumnSchema, RowValues, Value } from '@tidemark/core/adapter'
import { compileCell, type CellCodec, type TextReading } from './cell-codec.ts'

export interface RowLayoutOptions {
  /** The columns asked for. */
  readonly columns: readonly ColumnSchema[]
  /** The columns that make up the cursor; selected behind the others where they are not among them. */
  readonly order: readonly ColumnSchema[]
  /** How many expressions stand in front. */
  readonly offset: number
  readonly text: TextReading
}

interface PlacedCell {
  readonly codec: CellCodec
  readonly at: number
}

/** What a row is selected as, and how its values are read from that. */
export class RowLayout {
  readonly expressions: readonly string[]
  readonly #cells: readonly PlacedCell[]
  readonly #order: readonly PlacedCell[]

  constructor(options: RowLayoutOptions) {
    const { columns, order, offset, text } = options
    const extra = order.filter((column) => !columns.some((wanted) => wanted.name === column.name))
    const expressions: string[] = []
    const placed = [...columns, ...extra].map((column) => {
      const codec = compileCell(column, text)
      const at = offset + expressions.length
      expressions.push(...codec.expressions)
      return { name: column.name, codec, at }
    })
    this.expressions = expressions
    this.#cells = placed.slice(0, columns.length)
    this.#order = order.flatMap((column) => placed.filter((cell) => cell.name === column.name).slice(0, 1))
  }

  values(row: RowValues): Value[] {
    return this.#cells.map(({ codec, at }) => codec.read(row, at))
  }

  /** The values of `order`, as they are in the database: no policy applies to a cursor. */
  orderValues(row: RowValues): Value[] {
    return this.#order.map(({ codec, at }) => codec.readExact(row, at))
  }
}

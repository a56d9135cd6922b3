import type { RowValues } from '../../change/value.ts'
import { ByteWriter } from '../../util/byte-writer.ts'
import { isWellFormed } from '../../util/is-well-formed.ts'
import type { RowEncoder } from '../dump-format.ts'
import type { ManifestTable } from '../manifest.ts'
import { unrepresentable } from '../unrepresentable.ts'
import { csvCell } from './csv-cell.ts'
import { guardFormula } from './formula-guard.ts'

export class CsvEncoder implements RowEncoder {
  readonly #columns: ManifestTable['columns']
  readonly #guardFormulas: boolean
  readonly #writer = new ByteWriter()

  constructor({ columns }: ManifestTable, guardFormulas: boolean) {
    this.#columns = columns
    this.#guardFormulas = guardFormulas
  }

  get size(): number {
    return this.#writer.length
  }

  add(row: RowValues): void {
    let line = ''
    for (const [index, { name, storage }] of this.#columns.entries()) {
      const value = row[index] ?? null
      if (typeof value === 'string' && !isWellFormed(value)) throw unrepresentable(name, 'CSV')
      const field = csvCell(this.#guardFormulas && typeof value === 'string' ? guardFormula(value) : value, storage)
      line += index === 0 ? field : `,${field}`
    }
    this.#writer.write(`${line}\r\n`)
  }

  take(): Uint8Array {
    return this.#writer.take()
  }
}

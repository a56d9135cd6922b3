import type { RowValues } from '../../change/value.ts'
import { ByteWriter } from '../../util/byte-writer.ts'
import { isWellFormed } from '../../util/is-well-formed.ts'
import type { RowEncoder } from '../dump-format.ts'
import type { ManifestTable } from '../manifest.ts'
import { unrepresentable } from '../unrepresentable.ts'
import { csvCell } from './csv-cell.ts'

export class CsvEncoder implements RowEncoder {
  readonly #columns: ManifestTable['columns']
  readonly #writer = new ByteWriter()

  constructor({ columns }: ManifestTable) {
    this.#columns = columns
  }

  get size(): number {
    return this.#writer.length
  }

  add(row: RowValues): void {
    let line = ''
    for (const [index, { name, storage }] of this.#columns.entries()) {
      const value = row[index] ?? null
      if (typeof value === 'string' && !isWellFormed(value)) throw unrepresentable(name, 'CSV')
      line += index === 0 ? csvCell(value, storage) : `,${csvCell(value, storage)}`
    }
    this.#writer.write(`${line}\r\n`)
  }

  take(): Uint8Array {
    return this.#writer.take()
  }
}

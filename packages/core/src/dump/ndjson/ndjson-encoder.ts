import type { RowValues } from '../../change/value.ts'
import type { StorageClass } from '../../dialect/table.ts'
import { ByteWriter } from '../../util/byte-writer.ts'
import type { RowEncoder } from '../dump-format.ts'
import type { ManifestTable } from '../manifest.ts'
import { jsonCell } from './json-cell.ts'

export class NdjsonEncoder implements RowEncoder {
  /** What stands before each value. */
  readonly #columns: readonly { readonly lead: string; readonly storage: StorageClass }[]
  readonly #writer = new ByteWriter()

  constructor({ columns }: ManifestTable) {
    this.#columns = columns.map(({ name, storage }, index) => ({ lead: `${index === 0 ? '' : ','}${JSON.stringify(name)}:`, storage }))
  }

  get size(): number {
    return this.#writer.length
  }

  add(row: RowValues): void {
    let line = '{'
    for (const [index, { lead, storage }] of this.#columns.entries()) line += lead + jsonCell(row[index] ?? null, storage)
    this.#writer.write(`${line}}\n`)
  }

  take(): Uint8Array {
    return this.#writer.take()
  }
}

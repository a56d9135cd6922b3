import type { RowSink, StorageClass, Value } from '@tidemark/core/adapter'
import { cell, hex, type Cell } from './cell.ts'

/**
 * A sink that keeps rows as lines of cells, for comparing a stream with a page. As in SQLite, an integer in a `real`
 * column is the same cell as the float.
 */
export class CellSink implements RowSink {
  readonly rows: string[] = []
  #row: Cell[] = []
  readonly #columns: readonly { readonly storage: StorageClass }[]
  readonly #text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

  constructor(columns: readonly { readonly storage: StorageClass }[]) {
    this.#columns = columns
  }

  null(): void {
    this.#row.push('null')
  }

  integer(value: number): void {
    this.value(value)
  }

  bigint(value: bigint): void {
    this.#row.push(`integer:${value}`)
  }

  real(value: number): void {
    this.#row.push(`real:${value}`)
  }

  text(bytes: Uint8Array, start: number, end: number): void {
    this.#row.push(`text:${JSON.stringify(this.#text.decode(bytes.subarray(start, end)))}`)
  }

  blob(bytes: Uint8Array, start: number, end: number): void {
    this.#row.push(`blob:${hex(bytes.subarray(start, end))}`)
  }

  value(value: Value): void {
    this.#row.push(cell(value, this.#columns[this.#row.length]?.storage ?? 'text'))
  }

  endRow(): void {
    this.rows.push(this.#row.join(' | '))
    this.#row = []
  }
}

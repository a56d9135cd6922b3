import type { RowSink, Value } from '@tidemark/core/adapter'

/** Makes rows of values from cells, as a target would store them. */
export class CollectingSink implements RowSink {
  readonly rows: Value[][] = []
  #row: Value[] = []

  null(): void {
    this.#row.push(null)
  }

  integer(value: number): void {
    if (!Number.isSafeInteger(value)) throw new TypeError('not a safe integer')
    this.#row.push(value)
  }

  bigint(value: bigint): void {
    this.#row.push(value)
  }

  real(value: number): void {
    if (!Number.isFinite(value)) throw new TypeError('not a finite number')
    this.#row.push(value)
  }

  text(bytes: Uint8Array, start: number, end: number): void {
    this.#row.push(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.slice(start, end)))
  }

  blob(bytes: Uint8Array, start: number, end: number): void {
    this.#row.push(bytes.slice(start, end))
  }

  value(value: Value): void {
    this.#row.push(typeof value === 'boolean' ? Number(value) : value)
  }

  endRow(): void {
    this.rows.push(this.#row)
    this.#row = []
  }
}

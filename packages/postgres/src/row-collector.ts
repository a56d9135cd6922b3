import { TidemarkError, type RowSink, type RowValues, type Value } from '@tidemark/core/adapter'

/** Gathers cells into rows, for pages. Copies out of the network buffer. */
export class RowCollector implements RowSink {
  readonly rows: RowValues[] = []
  readonly #width: number
  #row: Value[] = []

  constructor(width: number) {
    this.#width = width
  }

  null(): void {
    this.#row.push(null)
  }

  integer(value: number): void {
    this.#row.push(value)
  }

  bigint(value: bigint): void {
    this.#row.push(value)
  }

  real(value: number): void {
    this.#row.push(value)
  }

  text(bytes: Uint8Array, start: number, end: number): void {
    this.#row.push(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8'))
  }

  blob(bytes: Uint8Array, start: number, end: number): void {
    this.#row.push(new Uint8Array(bytes.subarray(start, end)))
  }

  value(value: Value): void {
    this.#row.push(value)
  }

  endRow(): void {
    if (this.#row.length !== this.#width) throw new TidemarkError('INTERNAL', 'A decoder wrote a wrong number of cells.')
    this.rows.push(this.#row)
    this.#row = []
  }
}

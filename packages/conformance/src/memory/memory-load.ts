import { TidemarkError, type Commit, type RowValues, type TableLoad, type Value } from '@tidemark/core/adapter'
import { bytesOf } from './memory-table-rows.ts'

interface MemoryLoadConfig {
  readonly maxRowBytes: number
  readonly commit: (rows: readonly RowValues[], commit: Commit) => Promise<void>
}

/** Keeps rows aside until `commit`. */
export class MemoryLoad implements TableLoad {
  readonly #config: MemoryLoadConfig
  #rows: RowValues[] = []
  #row: Value[] = []
  #bytes = 0

  constructor(config: MemoryLoadConfig) {
    this.#config = config
  }

  get pendingRows(): number {
    return this.#rows.length
  }

  get pendingBytes(): number {
    return this.#bytes
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
    this.#row.push(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(start, end)))
  }

  blob(bytes: Uint8Array, start: number, end: number): void {
    this.#row.push(bytes.slice(start, end))
  }

  value(value: Value): void {
    this.#row.push(value)
  }

  endRow(): void {
    const row = this.#row
    this.#row = []
    const bytes = bytesOf(row)
    if (bytes > this.#config.maxRowBytes) throw new TidemarkError('TARGET_ROW_TOO_LARGE', 'A row is too large for this target.')
    this.#rows.push(row)
    this.#bytes += bytes
  }

  async commit(commit: Commit): Promise<void> {
    await this.#config.commit(this.#rows, commit)
    this.#rows = []
    this.#bytes = 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#rows = []
  }
}

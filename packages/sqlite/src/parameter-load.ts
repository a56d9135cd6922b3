import type { AbortOptions, Commit, TableLoad, Value } from '@tidemark/core/adapter'
import { requireCommit, writeCheckpoint } from './commit.ts'
import type { SqliteValue } from './driver.ts'
import type { LoadContext } from './load-context.ts'
import { rowTooLarge, valueBytes } from './row-limit.ts'
import { runEach } from './run-each.ts'
import { throwIfAborted } from './throw-if-aborted.ts'
import { toSqliteValue, upsertSql } from './upsert.ts'

/** Rows of one multi-row statement; more gains nothing. */
const ROWS_PER_STATEMENT = 50
/** A number's size, and what every value takes besides its bytes in the byte budget. */
const CELL_BYTES = 8

/** Bulk load by bound parameters: the way that works on every driver. */
export class ParameterLoad implements TableLoad {
  readonly #context: LoadContext
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  #cells: SqliteValue[] = []
  #bytes = 0
  #rows = 0
  /** Bytes of the values of the row that is being given. */
  #rowBytes = 0

  constructor(context: LoadContext) {
    // A staged table takes plain inserts: nothing in it can conflict.
    this.#context = { ...context, stage: { ...context.stage, key: [] } }
  }

  get pendingRows(): number {
    return this.#rows
  }

  get pendingBytes(): number {
    return this.#bytes
  }

  null(): void {
    this.#push(null, 0)
  }

  integer(value: number): void {
    this.#push(value, CELL_BYTES)
  }

  bigint(value: bigint): void {
    this.#push(value, CELL_BYTES)
  }

  real(value: number): void {
    this.#push(value, CELL_BYTES)
  }

  text(bytes: Uint8Array, start: number, end: number): void {
    // What is refused anyway is not decoded.
    this.#push(this.#isTooLarge(end - start) ? null : this.#decoder.decode(bytes.subarray(start, end)), end - start)
  }

  blob(bytes: Uint8Array, start: number, end: number): void {
    // A copy in any case: the slice() of a Buffer would share its memory.
    this.#push(this.#isTooLarge(end - start) ? null : new Uint8Array(bytes.subarray(start, end)), end - start)
  }

  value(value: Value): void {
    this.#push(toSqliteValue(value), valueBytes(value))
  }

  endRow(): void {
    const bytes = this.#rowBytes
    this.#rowBytes = 0
    const { stage, maxRowBytes } = this.#context
    if (bytes > maxRowBytes) {
      // The rows before it can still be committed.
      this.#cells.length = this.#rows * stage.columns.length
      throw rowTooLarge(maxRowBytes)
    }
    this.#rows += 1
    this.#bytes += bytes + stage.columns.length * CELL_BYTES
  }

  async commit(commit: Commit, options: AbortOptions = {}): Promise<void> {
    const { driver, ledger, exclusive } = this.#context
    await exclusive(() => driver.transaction(async (transaction) => {
      throwIfAborted(options.signal)
      await requireCommit(transaction, ledger, commit)
      const { stage, maxParameters } = this.#context
      const width = stage.columns.length
      const full = Math.max(1, Math.min(ROWS_PER_STATEMENT, Math.floor(maxParameters / width))) * width
      const rest = this.#cells.length - this.#cells.length % full
      if (rest > 0) await runEach(transaction, { sql: upsertSql(stage, full / width), lists: slices(this.#cells, { from: 0, to: rest, size: full }) })
      if (rest < this.#cells.length) await runEach(transaction, { sql: upsertSql(stage, 1), lists: slices(this.#cells, { from: rest, to: this.#cells.length, size: width }) })
      await writeCheckpoint(transaction, ledger, commit.checkpoint)
    }))
    this.#clear()
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#clear()
    return Promise.resolve()
  }

  #push(value: SqliteValue, bytes: number): void {
    this.#cells.push(value)
    this.#rowBytes += bytes
  }

  #isTooLarge(bytes: number): boolean {
    return this.#rowBytes + bytes > this.#context.maxRowBytes
  }

  #clear(): void {
    this.#cells = []
    this.#bytes = 0
    this.#rows = 0
    this.#rowBytes = 0
  }
}

function* slices(cells: readonly SqliteValue[], part: { readonly from: number; readonly to: number; readonly size: number }): Generator<readonly SqliteValue[]> {
  for (let at = part.from; at < part.to; at += part.size) yield cells.slice(at, at + part.size)
}

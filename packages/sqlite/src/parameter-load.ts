import type { AbortOptions, Commit, TableLoad, Value } from '@tidemark/core/adapter'
import { requireFence, writeCommit } from './commit.ts'
import type { SqliteValue } from './driver.ts'
import type { LoadContext } from './load-context.ts'
import { runEach } from './run-each.ts'
import { toSqliteValue, upsertSql } from './upsert.ts'

/** Rows of one multi-row statement; more gains nothing. */
const ROWS_PER_STATEMENT = 50
/** A value's own size besides its bytes, for the byte budget only. */
const CELL_BYTES = 8

/** Bulk load by bound parameters: the way that works on every driver. */
export class ParameterLoad implements TableLoad {
  readonly #context: LoadContext
  readonly #decoder = new TextDecoder()
  #cells: SqliteValue[] = []
  #bytes = 0
  #rows = 0

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
    this.#push(value, 0)
  }

  bigint(value: bigint): void {
    this.#push(value, 0)
  }

  real(value: number): void {
    this.#push(value, 0)
  }

  text(bytes: Uint8Array, start: number, end: number): void {
    this.#push(this.#decoder.decode(bytes.subarray(start, end)), end - start)
  }

  blob(bytes: Uint8Array, start: number, end: number): void {
    this.#push(bytes.slice(start, end), end - start)
  }

  value(value: Value): void {
    const size = typeof value === 'string' || value instanceof Uint8Array ? value.length : 0
    this.#push(toSqliteValue(value), size)
  }

  endRow(): void {
    this.#rows += 1
  }

  async commit(commit: Commit, options: AbortOptions = {}): Promise<void> {
    options.signal?.throwIfAborted()
    const { driver, ledger, exclusive } = this.#context
    await exclusive(() => driver.transaction(async (transaction) => {
      await requireFence(transaction, ledger, commit.fence)
      const { stage, maxParameters } = this.#context
      const width = stage.columns.length
      const full = Math.max(1, Math.min(ROWS_PER_STATEMENT, Math.floor(maxParameters / width))) * width
      const rest = this.#cells.length - this.#cells.length % full
      if (rest > 0) await runEach(transaction, upsertSql(stage, full / width), slices(this.#cells, { from: 0, to: rest, size: full }))
      if (rest < this.#cells.length) await runEach(transaction, upsertSql(stage, 1), slices(this.#cells, { from: rest, to: this.#cells.length, size: width }))
      await writeCommit(transaction, ledger, commit)
    }))
    this.#clear()
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#clear()
    return Promise.resolve()
  }

  #push(value: SqliteValue, bytes: number): void {
    this.#cells.push(value)
    this.#bytes += bytes + CELL_BYTES
  }

  #clear(): void {
    this.#cells = []
    this.#bytes = 0
    this.#rows = 0
  }
}

function* slices(cells: readonly SqliteValue[], part: { readonly from: number; readonly to: number; readonly size: number }): Generator<readonly SqliteValue[]> {
  for (let at = part.from; at < part.to; at += part.size) yield cells.slice(at, at + part.size)
}

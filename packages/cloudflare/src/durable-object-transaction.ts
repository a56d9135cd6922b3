import type { RowValues } from '@tidemark/core/adapter'
import { Changed, type BatchTransaction, type RowTally, type SqliteQuery, type SqliteValue } from '@tidemark/sqlite'
import { durableObjectError } from './cloudflare-error.ts'
import type { DurableObjectStorage } from './durable-object-storage.ts'
import { sameRows } from './same-rows.ts'
import { toBindings, toValue } from './to-binding.ts'

interface Step extends SqliteQuery {
  /** What it read; `undefined` for a write. */
  readonly rows: readonly RowValues[] | undefined
  readonly tally?: RowTally | undefined
}

/** What the writes of a replay changed, where somebody counts it. */
type Counts = (readonly [tally: RowTally, rows: number])[]

/** Thrown to take back what was only tried. */
export class TakenBack extends Error {}

/**
 * The statements of a transaction, kept until its end and then run in one synchronous turn. A transaction that stayed open meanwhile
 * would take in, and with an error take back, what the application writes between two of its steps: all of an
 * object shares one connection.
 */
export class DurableObjectTransaction implements BatchTransaction {
  readonly #storage: DurableObjectStorage
  readonly #steps: Step[] = []

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
  }

  /** Behind writes, these are run for it and taken back: each such query costs as much as all of them. */
  async query(sql: string, parameters: readonly SqliteValue[] = []): Promise<readonly RowValues[]> {
    const hasWrites = this.#steps.some((step) => step.rows === undefined)
    const read = (): readonly RowValues[] => readRows(this.#storage, { sql, parameters })
    const rows = hasWrites ? this.#preview(read) : read()
    this.#steps.push({ sql, parameters, rows })
    return rows
  }

  async run(sql: string, parameters: readonly SqliteValue[] = [], tally?: RowTally): Promise<void> {
    this.#steps.push({ sql, parameters, rows: undefined, tally })
  }

  async attempt(sql: string): Promise<boolean> {
    const isAccepted = this.#preview(() => {
      try {
        this.#storage.sql.exec(sql)
        return true
      } catch {
        return false
      }
    })
    if (isAccepted) await this.run(sql)
    return isAccepted
  }

  /** All of it, or nothing. Throws `Changed` when something that was read is another now. */
  commit(): void {
    const counts: Counts = []
    try {
      this.#storage.transactionSync(() => this.replay(counts))
    } catch (error) {
      throw error instanceof Changed ? error : durableObjectError(error)
    }
    for (const [tally, rows] of counts) tally.add(rows)
  }

  #preview<T>(work: () => T): T {
    const found: T[] = []
    try {
      this.#storage.transactionSync(() => {
        this.replay()
        found.push(work())
        throw new TakenBack()
      })
    } catch (error) {
      if (error instanceof Changed) throw error
      if (!(error instanceof TakenBack)) throw durableObjectError(error)
    }
    const [result] = found
    return result as T // the work was done, or its error thrown
  }

  /** What has been read must be so still, and what is written follows in its order. Called inside of a transaction. */
  protected replay(counts?: Counts): void {
    for (const { sql, parameters = [], rows, tally } of this.#steps) {
      if (rows === undefined) {
        this.#storage.sql.exec(sql, ...toBindings(parameters))
        if (tally !== undefined) counts?.push([tally, Number(readRows(this.#storage, { sql: 'SELECT changes()' })[0]?.[0])])
      } else if (!sameRows(rows, readRows(this.#storage, { sql, parameters }))) throw new Changed()
    }
  }
}

export function readRows(storage: DurableObjectStorage, { sql, parameters = [] }: SqliteQuery): readonly RowValues[] {
  try {
    return Array.from(storage.sql.exec(sql, ...toBindings(parameters)).raw(), (row) => row.map(toValue))
  } catch (error) {
    throw durableObjectError(error)
  }
}

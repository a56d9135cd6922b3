import type { Value } from '@tidemark/core/adapter'
import { hex } from '../assert/cell.ts'
import type { OpenTransaction } from '../harness/source-harness.ts'
import type { CreatedTable, RowRecord, TableSpec } from '../harness/table-spec.ts'

export interface MemoryTable {
  spec: TableSpec
  /** Grows with every change of the columns. */
  version: number
  /** By key, or by a running number where there is no key. */
  readonly rows: Map<string, RowRecord>
  /** While present, reads wait for it. */
  gate: Promise<void> | undefined
}

type Change = (table: MemoryTable) => void

/**
 * A small transactional row store: changes of a transaction are kept aside until its commit, and transactions have
 * numbers, so that a reader can tell which were open at the time of a read.
 */
export class MemoryDatabase {
  readonly tables = new Map<string, MemoryTable>()
  #nextTransaction = 1
  #nextRow = 1
  readonly #open = new Set<number>()

  /** The number that the next transaction will get. */
  get nextTransaction(): number {
    return this.#nextTransaction
  }

  /** Every transaction below this number has ended. */
  get oldestOpen(): number {
    return Math.min(this.#nextTransaction, ...this.#open)
  }

  createTable(spec: TableSpec): CreatedTable {
    this.tables.set(spec.name, { spec, version: 1, rows: new Map(), gate: undefined })
    return { ref: { name: spec.name }, spec }
  }

  begin(): OpenTransaction {
    const number = this.#nextTransaction
    this.#nextTransaction += 1
    this.#open.add(number)
    const changes: { readonly table: CreatedTable; readonly change: Change }[] = []
    const end = (): void => void this.#open.delete(number)
    return {
      insert: async (table, rows) => void changes.push({ table, change: (stored) => this.#insert(stored, rows) }),
      update: async (table, key, change) => void changes.push({ table, change: (stored) => update(stored, key, change) }),
      delete: async (table, key) => void changes.push({ table, change: (stored) => void stored.rows.delete(keyText(stored.spec, key)) }),
      commit: async () => {
        for (const { table, change } of changes) change(this.table(table.ref.name))
        end()
      },
      rollback: async () => end(),
    }
  }

  table(name: string): MemoryTable {
    const table = this.tables.get(name)
    if (table === undefined) throw new TypeError(`The harness made no table ${JSON.stringify(name)}.`)
    return table
  }

  #insert(table: MemoryTable, rows: readonly RowRecord[]): void {
    for (const row of rows) {
      table.rows.set(table.spec.key.length === 0 ? `row ${this.#nextRow}` : keyText(table.spec, row), row)
      this.#nextRow += 1
    }
  }
}

function update(table: MemoryTable, key: RowRecord, change: RowRecord): void {
  const from = keyText(table.spec, key)
  const row = table.rows.get(from)
  if (row === undefined) return
  table.rows.delete(from)
  const changed = { ...row, ...change }
  table.rows.set(keyText(table.spec, changed), changed)
}

function keyText(spec: TableSpec, row: RowRecord): string {
  return JSON.stringify(spec.key.map((name) => valueText(row[name] ?? null)))
}

/** A value's own text, as cursors carry it. */
export function valueText(value: Value): string {
  return value instanceof Uint8Array ? hex(value) : String(value)
}

import { TidemarkError, type ColumnSchema, type TargetDialect } from '@tidemark/core/adapter'
import { cell, type Cell } from '../assert/cell.ts'
import type { TargetFacts, TargetHarness, TargetSubject, WriteCounts } from '../harness/target-harness.ts'
import { indexOf } from './memory-table-rows.ts'
import { MEMORY_STATE_VERSION, MEMORY_TARGET_CAPABILITIES, memoryTarget } from './memory-target.ts'
import { ledgerOf, MemoryTargetStore, type StoredRow, type StoredTable } from './memory-target-store.ts'

const FACTS: TargetFacts = { reconnects: true, userTriggers: true, unreachable: true }

/** The memory target as a subject of the suite; `wrap` is how the broken ones are made. */
export function memoryTargetSubject(options: {
  readonly name?: string | undefined
  readonly wrap?: ((target: TargetDialect, store: MemoryTargetStore) => TargetDialect) | undefined
} = {}): TargetSubject {
  return {
    name: options.name ?? 'memory',
    traits: { capabilities: MEMORY_TARGET_CAPABILITIES, facts: FACTS },
    open: async () => new MemoryTargetHarness(options.wrap ?? ((target) => target)),
  }
}

class MemoryTargetHarness implements TargetHarness {
  readonly #store = new MemoryTargetStore()
  readonly #wrap: (target: TargetDialect, store: MemoryTargetStore) => TargetDialect

  constructor(wrap: (target: TargetDialect, store: MemoryTargetStore) => TargetDialect) {
    this.#wrap = wrap
  }

  target(): TargetDialect {
    return this.#wrap(memoryTarget(this.#store), this.#store)
  }

  async tableNames(): Promise<readonly string[]> {
    return [...this.#store.state.tables.keys()]
  }

  async columnNames(table: string): Promise<readonly string[]> {
    const { table: schema } = this.#table(table)
    return [...schema.columns.map((column) => column.name), ...(schema.deletedAtColumn === undefined ? [] : [schema.deletedAtColumn])]
  }

  async rows(table: string, columns: readonly string[]): Promise<readonly (readonly Cell[])[]> {
    const stored = this.#table(table)
    return [...stored.rows.values()].map((row) => columns.map((name) => cellOf(stored, row, name)))
  }

  async indexColumns(table: string): Promise<readonly (readonly string[])[]> {
    const stored = this.#table(table)
    return [...stored.table.indexes.map((index) => index.columns), ...stored.userIndexes]
  }

  async createForeignTable(name: string): Promise<void> {
    const id: ColumnSchema = {
      name: 'id', ordinal: 1, sourceType: 'int', logicalType: 'integer', storage: 'integer', scale: 0, nullable: true, onUnrepresentable: 'error',
    }
    const table = { name, columns: [id], key: [], indexes: [], enforceUniques: false, deletedAtColumn: undefined, origin: '' }
    const rows = new Map([['row', { values: [7], deletedAtMs: undefined }]])
    this.#store.transaction((draft) => void draft.tables.set(name, { table, owner: undefined, rows, userIndexes: [], triggers: [] }))
  }

  async addUserIndex(table: string, columns: readonly string[]): Promise<void> {
    this.#change(table, (stored) => ({ ...stored, userIndexes: [...stored.userIndexes, columns] }))
  }

  async watch(table: string): Promise<() => Promise<WriteCounts>> {
    const trigger = { counts: { inserts: 0, updates: 0, deletes: 0 } }
    this.#change(table, (stored) => ({ ...stored, triggers: [...stored.triggers, trigger] }))
    return async () => trigger.counts
  }

  async makeStateNewer(tablePrefix: string): Promise<void> {
    this.#store.transaction((draft) => {
      draft.ledgers.set(tablePrefix, { ...ledgerOf(draft, tablePrefix), version: MEMORY_STATE_VERSION + 1 })
    })
  }

  async stateDigest(tablePrefix: string): Promise<string> {
    const { version, replications, runs, leases } = ledgerOf(this.#store.state, tablePrefix)
    return JSON.stringify([version, [...replications], runs, [...leases]])
  }

  unreachable(): TargetDialect {
    return { ...this.target(), connect: async () => { throw new TidemarkError('TARGET_UNREACHABLE', 'There is no such memory.') } }
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #table(name: string): StoredTable {
    const stored = this.#store.state.tables.get(name)
    if (stored === undefined) throw new TypeError(`There is no table ${name}.`)
    return stored
  }

  #change(name: string, change: (stored: StoredTable) => StoredTable): void {
    this.#store.transaction((draft) => void draft.tables.set(name, change(this.#table(name))))
  }
}

function cellOf(stored: StoredTable, row: StoredRow, name: string): Cell {
  const { table } = stored
  if (name === table.deletedAtColumn) return cell(row.deletedAtMs ?? null, 'integer')
  const index = indexOf(table, name)
  return cell(row.values[index] ?? null, table.columns[index]?.storage ?? 'text')
}

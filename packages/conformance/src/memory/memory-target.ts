import {
  TidemarkError, type AbortOptions, type ApplyResult, type ColumnSchema, type Commit, type Fence, type FindTargetRowsRequest, type Ledger,
  type OpenLoadOptions, type ReadTargetRowsRequest,
  type RowValues, type TableLoad, type TargetCapabilities, type TargetConnection, type TargetDialect, type TargetTable, type TargetTableStatus, type Value,
  type WriteBatch,
} from '@tidemark/core/adapter'
import { compareLists } from './compare-values.ts'
import { Lifetime } from './lifetime.ts'
import { MemoryLedger } from './memory-ledger.ts'
import { MemoryLoad } from './memory-load.ts'
import { bytesOf, checkUniques, deleteRow, indexOf, keyCells, keyOfRow, upsertRow } from './memory-table-rows.ts'
import { ledgerOf, type MemoryTargetStore, type StoredRow, type StoredState, type StoredTable } from './memory-target-store.ts'

export const MEMORY_STATE_VERSION = 1

export const MEMORY_TARGET_CAPABILITIES: TargetCapabilities = { maxParameters: 100, maxRowBytes: 1_000_000, shared: true, synchronous: false }

/** A target in memory, with everything that the seam asks of one. */
export function memoryTarget(store: MemoryTargetStore): TargetDialect {
  return {
    name: 'memory',
    capabilities: MEMORY_TARGET_CAPABILITIES,
    address: 'memory://target',
    connect: async ({ tablePrefix, signal }) => {
      if (signal?.aborted === true) throw new TidemarkError('ABORTED', 'Connecting was aborted.')
      store.transaction((draft) => openLedger(draft, tablePrefix))
      return new MemoryTargetConnection(store, tablePrefix)
    },
  }
}

function openLedger(draft: StoredState, prefix: string): void {
  const version = draft.ledgers.get(prefix)?.version ?? MEMORY_STATE_VERSION
  if (version > MEMORY_STATE_VERSION) throw new TidemarkError('STATE_NEWER', 'A newer version wrote this target.')
  if (!draft.ledgers.has(prefix)) draft.ledgers.set(prefix, { version, replications: new Map(), runs: [], leases: new Map() })
}

class MemoryTargetConnection implements TargetConnection {
  readonly ledger: Ledger
  readonly #store: MemoryTargetStore
  readonly #prefix: string
  readonly #lifetime = new Lifetime()

  constructor(store: MemoryTargetStore, prefix: string) {
    this.#store = store
    this.#prefix = prefix
    this.ledger = new MemoryLedger(store, prefix, this.#lifetime)
  }

  async inspectTable(name: string, options: AbortOptions = {}): Promise<TargetTableStatus> {
    await this.#lifetime.turn(options.signal)
    const stored = this.#store.state.tables.get(name)
    return stored === undefined ? 'absent' : stored.owner === this.#prefix ? 'owned' : 'foreign'
  }

  createTable(table: TargetTable, commit: Commit, options: AbortOptions = {}): Promise<void> {
    return this.#commit(commit, options, (draft) => {
      this.#refuseForeign(draft, table.name)
      draft.tables.set(table.name, this.#emptyTable(table))
    })
  }

  apply(batch: WriteBatch, commit: Commit, options: AbortOptions = {}): Promise<ApplyResult> {
    return this.#commit(commit, options, (draft) => {
      const stored = tableOf(draft, batch.table.name)
      if (batch.upserts.some((row) => bytesOf(row) > MEMORY_TARGET_CAPABILITIES.maxRowBytes)) throw new TidemarkError('TARGET_ROW_TOO_LARGE', 'A row is too large.')
      const deleted = batch.deletes.filter((key) => deleteRow(stored, key, batch.atMs)).length
      const changed = batch.upserts.filter((row) => upsertRow(stored, row)).length
      checkUniques(stored)
      return { changed, deleted }
    })
  }

  save(commit: Commit, options: AbortOptions = {}): Promise<void> {
    return this.#commit(commit, options, () => {})
  }

  async openLoad(table: TargetTable, options: OpenLoadOptions): Promise<TableLoad> {
    await this.#lifetime.turn(options.signal)
    this.#store.transaction((draft) => {
      if (options.fence !== undefined) this.#requireFence(draft, options.fence)
      this.#refuseForeign(draft, table.name)
      if (!options.resume) draft.staged.set(table.name, this.#emptyTable(table))
      stagedOf(draft, table.name)
    })
    return new MemoryLoad({
      maxRowBytes: MEMORY_TARGET_CAPABILITIES.maxRowBytes,
      commit: (rows, commit) => this.#commit(commit, options, (draft) => {
        const staged = stagedOf(draft, table.name)
        for (const row of rows) upsertRow(staged, row)
      }),
    })
  }

  publishLoad(table: TargetTable, commit: Commit, options: AbortOptions = {}): Promise<void> {
    return this.#commit(commit, options, (draft) => {
      this.#refuseForeign(draft, table.name)
      const staged = stagedOf(draft, table.name)
      checkUniques(staged)
      const before = draft.tables.get(table.name)
      draft.tables.set(table.name, { ...staged, table, userIndexes: before?.userIndexes ?? [], triggers: before?.triggers ?? [] })
      draft.staged.delete(table.name)
    })
  }

  async discardLoad(tableName: string): Promise<void> {
    await this.#lifetime.turn()
    this.#store.transaction((draft) => void draft.staged.delete(tableName))
  }

  addColumns(table: TargetTable, added: readonly ColumnSchema[], commit: Commit, options: AbortOptions = {}): Promise<void> {
    const before = table.columns.filter((column) => !added.some((one) => one.name === column.name))
    return this.alterColumns(table, before, commit, options)
  }

  alterColumns(table: TargetTable, previous: readonly ColumnSchema[], commit: Commit, options: AbortOptions = {}): Promise<void> {
    return this.#commit(commit, options, (draft) => {
      const stored = tableOf(draft, table.name)
      const rows = new Map<string, StoredRow>()
      for (const row of stored.rows.values()) {
        const values = table.columns.map((column) => row.values[previous.findIndex((one) => one.ordinal === column.ordinal)] ?? null)
        rows.set(table.key.length === 0 ? `row ${rows.size}` : keyOfRow(table, values), { ...row, values })
      }
      draft.tables.set(table.name, { ...stored, table, rows })
    })
  }

  async readRows(request: ReadTargetRowsRequest): Promise<readonly RowValues[]> {
    const stored = await this.#read(request)
    const keyOf = (values: RowValues): readonly Value[] => stored.table.key.map((name) => widen(values[indexOf(stored.table, name)] ?? null))
    const after = request.after?.map(widen)
    return live(stored)
      .filter((values) => after === undefined || compareLists(keyOf(values), after) > 0)
      .toSorted((left, right) => compareLists(keyOf(left), keyOf(right)))
      .slice(0, request.limit)
      .map((values) => project(stored.table, values, request.columns))
  }

  async findRows(request: FindTargetRowsRequest): Promise<readonly RowValues[]> {
    const stored = await this.#read(request)
    const wanted = new Set(request.keys.map((key) => keyCells(stored.table, key)))
    return live(stored).filter((values) => wanted.has(keyOfRow(stored.table, values))).map((values) => project(stored.table, values, request.columns))
  }

  async dropTable(name: string): Promise<void> {
    await this.#lifetime.turn()
    this.#store.transaction((draft) => {
      this.#refuseForeign(draft, name)
      draft.tables.delete(name)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lifetime.close()
  }

  async #read(request: { readonly table: TargetTable } & AbortOptions): Promise<StoredTable> {
    await this.#lifetime.turn(request.signal)
    return tableOf(this.#store.state, request.table.name)
  }

  /** One transaction: the fence, the work, the checkpoint. */
  async #commit<T>({ checkpoint, fence }: Commit, { signal }: AbortOptions, work: (draft: StoredState) => T): Promise<T> {
    await this.#lifetime.turn(signal)
    return this.#store.transaction((draft) => {
      this.#requireFence(draft, fence)
      const { replications } = ledgerOf(draft, this.#prefix)
      const result = work(draft)
      const record = replications.get(checkpoint.name)
      if (record !== undefined) replications.set(checkpoint.name, { ...record, ...checkpoint })
      return result
    })
  }

  #requireFence(state: StoredState, fence: Fence): void {
    if (ledgerOf(state, this.#prefix).leases.get(fence.lease)?.token === fence.token) return
    throw new TidemarkError('LEASE_LOST', 'Another worker holds the lease.')
  }

  #refuseForeign(state: StoredState, name: string): void {
    const stored = state.tables.get(name)
    if (stored !== undefined && stored.owner !== this.#prefix) throw new TidemarkError('TARGET_NOT_OWNED', 'Tidemark did not make this table.')
  }

  #emptyTable(table: TargetTable): StoredTable {
    return { table, owner: this.#prefix, rows: new Map(), userIndexes: [], triggers: [] }
  }
}

function tableOf(state: StoredState, name: string): StoredTable {
  const stored = state.tables.get(name)
  if (stored === undefined) throw new TidemarkError('TARGET_FAILED', 'There is no such table.')
  return stored
}

function stagedOf(state: StoredState, name: string): StoredTable {
  const staged = state.staged.get(name)
  if (staged === undefined) throw new TidemarkError('STATE_CORRUPT', 'The staged table is gone.')
  return staged
}

/** Rows that are not marked as deleted. */
function live(stored: StoredTable): readonly RowValues[] {
  return [...stored.rows.values()].filter((row) => row.deletedAtMs === undefined).map((row) => row.values)
}

function project(table: TargetTable, values: RowValues, names: readonly string[]): RowValues {
  return names.map((name) => values[indexOf(table, name)] ?? null)
}

/** Keys compare as stored: `1`, `1n` and `true` are one integer. */
function widen(value: Value): Value {
  return typeof value === 'boolean' || (typeof value === 'number' && Number.isInteger(value)) ? BigInt(value) : value
}

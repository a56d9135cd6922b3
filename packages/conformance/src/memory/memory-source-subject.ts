import { TidemarkError, type SourceCapabilities, type SourceDialect } from '@tidemark/core/adapter'
import type { OpenTransaction, SourceFacts, SourceHarness, SourceSubject } from '../harness/source-harness.ts'
import { COLUMN_KINDS, type ColumnSpec, type CreatedTable, type RowRecord, type TableSpec } from '../harness/table-spec.ts'
import { MemoryDatabase } from './memory-database.ts'
import { MEMORY_SOURCE_CAPABILITIES, memorySource } from './memory-source.ts'

const GRACE_MS = 5_000

const FACTS: SourceFacts = {
  kinds: COLUMN_KINDS,
  textHoldsNul: true,
  maxNameLength: 63,
  reportsIndexes: true,
  openTransactions: true,
  blocksReads: true,
  killsConnections: false,
  unreachable: true,
  wrongPassword: true,
  holdsMarksBack: true, settlesNextToWriter: true,
}

export interface MemorySubjectOptions {
  readonly name?: string | undefined
  /** Replaces single answers, to run the suite's negative cases. */
  readonly capabilities?: Partial<SourceCapabilities> | undefined
  readonly facts?: Partial<SourceFacts> | undefined
  /** Puts something between the suite and the source: how the broken ones are made. */
  readonly wrap?: ((source: SourceDialect) => SourceDialect) | undefined
}

/** The memory source as a subject of the suite. */
export function memorySourceSubject(options: MemorySubjectOptions = {}): SourceSubject {
  const capabilities = { ...MEMORY_SOURCE_CAPABILITIES, ...options.capabilities }
  return {
    name: options.name ?? 'memory',
    traits: { capabilities, facts: { ...FACTS, ...options.facts } },
    open: async () => new MemorySourceHarness(capabilities, options.wrap ?? ((source) => source)),
  }
}

class MemorySourceHarness implements SourceHarness {
  readonly #database = new MemoryDatabase()
  readonly #capabilities: SourceCapabilities
  readonly #wrap: (source: SourceDialect) => SourceDialect
  #nowMs = Date.UTC(2024, 0, 1)

  constructor(capabilities: SourceCapabilities, wrap: (source: SourceDialect) => SourceDialect) {
    this.#capabilities = capabilities
    this.#wrap = wrap
  }

  source(): SourceDialect {
    return this.#wrap(memorySource({
      database: this.#database,
      capabilities: this.#capabilities,
      graceMs: GRACE_MS,
      nowMs: () => this.#nowMs,
    }))
  }

  async createTable(spec: TableSpec): Promise<CreatedTable> {
    return this.#database.createTable(spec)
  }

  async dropTable(table: CreatedTable): Promise<void> {
    this.#database.tables.delete(table.ref.name)
  }

  async addColumn(table: CreatedTable, column: ColumnSpec): Promise<CreatedTable> {
    const stored = this.#database.table(table.ref.name)
    stored.spec = { ...stored.spec, columns: [...stored.spec.columns, column] }
    stored.version += 1
    return { ref: table.ref, spec: stored.spec }
  }

  insert(table: CreatedTable, rows: readonly RowRecord[]): Promise<void> {
    return this.#commit((transaction) => transaction.insert(table, rows))
  }

  update(table: CreatedTable, key: RowRecord, change: RowRecord): Promise<void> {
    return this.#commit((transaction) => transaction.update(table, key, change))
  }

  delete(table: CreatedTable, key: RowRecord): Promise<void> {
    return this.#commit((transaction) => transaction.delete(table, key))
  }

  nowMs(): number {
    return this.#nowMs
  }

  async passGrace(): Promise<void> {
    this.#nowMs += GRACE_MS
  }

  async begin(): Promise<OpenTransaction> {
    return this.#database.begin()
  }

  async blockReads(table: CreatedTable): Promise<AsyncDisposable> {
    const stored = this.#database.table(table.ref.name)
    let open = (): void => {}
    stored.gate = new Promise<void>((resolve) => { open = resolve })
    return {
      [Symbol.asyncDispose]: async () => {
        stored.gate = undefined
        open()
      },
    }
  }

  unreachable(): { readonly source: SourceDialect; readonly secret: string } {
    return this.#failing('SOURCE_UNREACHABLE')
  }

  wrongPassword(): { readonly source: SourceDialect; readonly secret: string } {
    return this.#failing('SOURCE_AUTH_FAILED')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#database.tables.clear()
  }

  #failing(code: 'SOURCE_UNREACHABLE' | 'SOURCE_AUTH_FAILED'): { readonly source: SourceDialect; readonly secret: string } {
    const connect = async (): Promise<never> => {
      throw new TidemarkError(code, 'The memory is out of reach.')
    }
    return { source: this.#wrap({ ...this.source(), connect }), secret: 'correct horse' }
  }

  async #commit(work: (transaction: OpenTransaction) => Promise<void>): Promise<void> {
    const transaction = this.#database.begin()
    await work(transaction)
    await transaction.commit()
  }
}

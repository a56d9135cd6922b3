import { TidemarkError, type ChangeSource, type ChangeSourceCapabilities, type TableRef } from '@tidemark/core/adapter'
import type { Cell } from '../assert/cell.ts'
import { changeCell } from '../changes/change-image.ts'
import type { ChangeClient, ChangeFacts, ChangeHarness, ChangeSourceOptions, ChangeSubject, FailingChangeSource } from '../harness/change-harness.ts'
import { altered, type CapturedTable, type ChangeTableSpec, type TableAlteration } from '../harness/change-spec.ts'
import { COLUMN_KINDS } from '../harness/table-spec.ts'
import { MemoryChangeClient } from './memory-change-client.ts'
import { MemoryChangeDatabase } from './memory-change-database.ts'
import { MemoryChangeLog, type MemoryFlaw } from './memory-change-log.ts'
import { MEMORY_CHANGE_CAPABILITIES, memoryChanges } from './memory-change-source.ts'

const FACTS: ChangeFacts = {
  kinds: COLUMN_KINDS,
  textHoldsNul: true,
  blobHoldsAny: true,
  maxNameLength: 63,
  clients: true,
  openTransactions: true,
  outlivesFailure: true,
  replaces: ['insert', 'update'],
  cascades: true,
  truncates: true,
  generated: ['stored', 'virtual'],
  withoutRowid: true,
  alters: ['add', 'rename', 'drop', 'recreate'],
  views: true,
  virtualTables: true,
  purges: true,
  restores: true,
  replacesDatabase: true,
  consumers: 'many',
  wakes: true,
  unreachable: true,
  wrongPassword: true,
}

export interface MemoryChangeSubjectOptions {
  readonly name?: string | undefined
  /** Replaces single answers, to run the suite's negative cases. */
  readonly capabilities?: Partial<ChangeSourceCapabilities> | undefined
  readonly facts?: Partial<ChangeFacts> | undefined
  /** Puts something between the suite and the source: how the broken ones are made. */
  readonly wrap?: ((source: ChangeSource) => ChangeSource) | undefined
  /** A broken database: how the mistakes are made that no wrapper can make. */
  readonly flaw?: MemoryFlaw | undefined
}

/** The memory source as a subject of the suite. */
export function memoryChangeSubject(options: MemoryChangeSubjectOptions = {}): ChangeSubject {
  const capabilities = { ...MEMORY_CHANGE_CAPABILITIES, ...options.capabilities }
  return {
    name: options.name ?? 'memory',
    traits: { capabilities, facts: { ...FACTS, ...options.facts } },
    open: async () => new MemoryChangeHarness(capabilities, options),
  }
}

class MemoryChangeHarness implements ChangeHarness {
  readonly client: ChangeClient
  readonly #capabilities: ChangeSourceCapabilities
  readonly #wrap: (source: ChangeSource) => ChangeSource
  readonly #flaw: MemoryFlaw | undefined
  #database: MemoryChangeDatabase
  #backup: MemoryChangeDatabase | undefined
  #nowMs = Date.UTC(2024, 0, 1)
  #stamps = 0

  constructor(capabilities: ChangeSourceCapabilities, { wrap = (source) => source, flaw }: MemoryChangeSubjectOptions) {
    this.#capabilities = capabilities
    this.#wrap = wrap
    this.#flaw = flaw
    this.#database = this.#fresh()
    this.client = new MemoryChangeClient(() => this.#database, false)
  }

  source({ name, tables }: ChangeSourceOptions): ChangeSource {
    return this.#wrap(memoryChanges({ name, tables, capabilities: this.#capabilities, database: () => this.#database, nowMs: () => this.#nowMs }))
  }

  async createTable(spec: ChangeTableSpec): Promise<CapturedTable> {
    this.#database.define(spec.name, spec)
    return { ref: { name: spec.name }, spec }
  }

  async alterTable(table: CapturedTable, alteration: TableAlteration): Promise<CapturedTable> {
    const spec = altered(table.spec, alteration)
    this.#database.define(spec.name, spec, (row) => Object.fromEntries(spec.columns.map(({ name }) => {
      const old = alteration.kind === 'rename' && name === alteration.to ? alteration.from : name
      return [name, row[old] ?? null]
    })))
    return { ref: table.ref, spec }
  }

  async dropTable(table: CapturedTable): Promise<void> {
    this.#database.define(table.spec.name, undefined)
  }

  async cells(table: CapturedTable): Promise<readonly (readonly Cell[])[]> {
    const rows = this.#database.tables.get(table.spec.name)?.rows.values() ?? []
    return [...rows].map((row) => table.spec.columns.map(({ name, kind }) => changeCell(row[name] ?? null, kind)))
  }

  async schemaDigest(): Promise<string> {
    return JSON.stringify([[...this.#database.tables].map(([name, { spec }]) => [name, spec]), [...this.#database.log.retained.keys()]])
  }

  async openClient(): Promise<ChangeClient> {
    return new MemoryChangeClient(() => this.#database, !this.#capabilities.seesAllWriters)
  }

  async createView(name: string): Promise<TableRef> {
    this.#database.views.add(name)
    return { name }
  }

  async createVirtualTable(name: string): Promise<TableRef> {
    this.#database.virtualTables.add(name)
    return { name }
  }

  async backup(): Promise<void> {
    this.#backup = this.#database.clone()
  }

  async restore(): Promise<void> {
    this.#database = this.#backup?.clone() ?? this.#fresh()
  }

  async replaceDatabase(): Promise<void> {
    this.#database = this.#fresh()
  }

  unreachable(): FailingChangeSource {
    return this.#failing('SOURCE_UNREACHABLE')
  }

  wrongPassword(): FailingChangeSource {
    return this.#failing('SOURCE_AUTH_FAILED')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#database.tables.clear()
  }

  #fresh(): MemoryChangeDatabase {
    return new MemoryChangeDatabase({ changes: this.#capabilities.changes, flaw: this.#flaw }, new MemoryChangeLog({
      nowMs: () => (this.#nowMs += 1),
      stamp: () => String(this.#stamps += 1),
    }, this.#flaw))
  }

  #failing(code: 'SOURCE_UNREACHABLE' | 'SOURCE_AUTH_FAILED'): FailingChangeSource {
    const connect = async (): Promise<never> => {
      throw new TidemarkError(code, 'The memory is out of reach.')
    }
    return { source: this.#wrap({ ...this.source({ tables: [], name: 'unreachable' }), connect }), secret: 'correct horse' }
  }
}

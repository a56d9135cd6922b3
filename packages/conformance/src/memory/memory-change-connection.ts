import {
  TidemarkError, type AbortOptions, type ChangeColumn, type ChangeConnection, type ChangeLag, type ChangeSlice, type ChangeTable, type LeaseStore,
  type LogPosition, type ReadChangesRequest, type ReadChunkRequest, type RetainRequest, type SchemaChange, type SnapshotChunk, type Unsubscribe,
} from '@tidemark/core/adapter'
import type { ChangeTableSpec } from '../harness/change-spec.ts'
import { Lifetime } from './lifetime.ts'
import type { MemoryChangeDatabase } from './memory-change-database.ts'
import { changeEvent, snapshotEvent, type EventFrame } from './memory-change-events.ts'
import type { MemoryChangeLog, MemorySchemaRecord } from './memory-change-log.ts'
import { toLogPosition, toMemoryPlace, type MemoryPlace } from './memory-change-position.ts'
import { cutSlice, rowBytes } from './memory-change-slice.ts'
import type { MemoryChangeSourceConfig } from './memory-change-source.ts'
import { rowsAfter } from './memory-chunk.ts'
import { MemoryLeases } from './memory-leases.ts'

let connections = 0

export class MemoryChangeConnection implements ChangeConnection {
  readonly leases: LeaseStore
  readonly readChunk?: (request: ReadChunkRequest) => Promise<SnapshotChunk>
  readonly #config: MemoryChangeSourceConfig
  readonly #lifetime = new Lifetime(() => Promise.resolve())
  readonly #memoryLeases: MemoryLeases
  readonly #unsubscribes = new Set<Unsubscribe>()
  readonly #epoch: string
  /** Where the log is read once, what lies before the last request is gone. */
  #consumed = 0

  constructor(config: MemoryChangeSourceConfig) {
    this.#config = config
    connections += 1
    this.#epoch = config.capabilities.resumes ? this.#log.epoch : `${this.#log.epoch}-${connections}`
    this.#memoryLeases = new MemoryLeases(() => this.#log.leases, this.#lifetime)
    this.leases = this.#memoryLeases
    if (config.capabilities.snapshots) this.readChunk = (request) => this.#readChunk(request)
  }

  async tables(options: AbortOptions = {}): Promise<readonly ChangeTable[]> {
    await this.#lifetime.turn(options.signal)
    return [...this.#database.tables]
      .filter(([name]) => this.#isCaptured(name))
      .map(([name, { spec, version }]) => ({ schema: null, name, columns: columnsOf(spec), key: spec.key, version }))
  }

  async head(options: AbortOptions = {}): Promise<LogPosition> {
    await this.#lifetime.turn(options.signal)
    return this.#toPosition(this.#log.head)
  }

  async verify(position: LogPosition, options: AbortOptions = {}): Promise<void> {
    await this.#lifetime.turn(options.signal)
    this.#locate(position)
  }

  async readChanges({ after, through, limit, signal }: ReadChangesRequest): Promise<ChangeSlice> {
    await this.#lifetime.turn(signal)
    const from = this.#locate(after)
    if (from.number < this.#consumed) throw new TidemarkError('CHANGE_GAP', 'What follows the position has been read already.')
    if (!this.#config.capabilities.rereads) this.#consumed = from.number
    const until = through === undefined ? Number.MAX_SAFE_INTEGER : toMemoryPlace(through).number
    const { transactions, schemaChanges } = this.#config.capabilities
    const slice = cutSlice({
      from, limit, transactions,
      records: this.#log.after(-1).filter((record) => record.number <= until),
      isCaptured: (table) => this.#isCaptured(table),
    })
    const frame = this.#frame()
    const { changes, schemas, bytes, end, isLast } = slice
    return {
      events: changes.map((change) => changeEvent(frame, this.#log.specOf(change.record.version), change)),
      schemas: schemaChanges ? schemas.map(schemaChange) : [],
      begin: changes[0]?.sequence === 0,
      commit: changes.at(-1)?.last === true,
      position: this.#toPosition(end),
      bytes, isLast,
    }
  }

  onWake(listener: () => void): Unsubscribe {
    const unsubscribe = this.#database.onWrite(listener)
    this.#unsubscribes.add(unsubscribe)
    return unsubscribe
  }

  async retain({ consumer, position, fence, signal }: RetainRequest): Promise<void> {
    await this.#lifetime.turn(signal)
    this.#memoryLeases.require(fence)
    this.#log.retained.set(consumer, { number: this.#locate(position).number, position })
  }

  async release(consumer: string, options: AbortOptions = {}): Promise<void> {
    await this.#lifetime.turn(options.signal)
    this.#log.retained.delete(consumer)
  }

  async retained(consumer: string, options: AbortOptions = {}): Promise<LogPosition | undefined> {
    await this.#lifetime.turn(options.signal)
    return this.#log.retained.get(consumer)?.position
  }

  async purge(options: AbortOptions = {}): Promise<boolean> {
    await this.#lifetime.turn(options.signal)
    return this.#log.purge()
  }

  async lag(position: LogPosition, options: AbortOptions = {}): Promise<ChangeLag> {
    await this.#lifetime.turn(options.signal)
    return { events: this.#log.after(this.#locate(position).number).length, bytes: undefined, ms: undefined }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lifetime.close()
    for (const unsubscribe of this.#unsubscribes) unsubscribe()
  }

  async #readChunk({ table, after, limit, signal }: ReadChunkRequest): Promise<SnapshotChunk> {
    await this.#lifetime.turn(signal)
    const stored = this.#isCaptured(table) ? this.#database.tables.get(table) : undefined
    if (stored === undefined) throw new TidemarkError('TABLE_UNKNOWN', 'There is no such table.')
    const { rows, last, isLast } = rowsAfter(stored, after, limit)
    const { number } = this.#log.head
    const frame = this.#frame()
    return {
      events: rows.map(({ place, row }, sequence) => snapshotEvent(frame, { ...stored, number }, { place, row, sequence, last: sequence === rows.length - 1 })),
      through: this.#toPosition(this.#log.head),
      last, isLast,
      bytes: rows.reduce((sum, { row }) => sum + rowBytes(row), 0),
    }
  }

  /** Errors: `CHANGE_GAP`, `CHECKPOINT_FOREIGN`. */
  #locate(position: LogPosition): MemoryPlace {
    const { resumes } = this.#config.capabilities
    if (position.epoch !== this.#epoch) throw new TidemarkError(resumes ? 'CHECKPOINT_FOREIGN' : 'CHANGE_GAP', 'The position is of another log.')
    const place = toMemoryPlace(position)
    if (!this.#log.holds(place.number, place.stamp)) throw new TidemarkError('CHANGE_GAP', 'What follows the position is gone.')
    if (this.#log.after(place.number).some((record) => record.kind === 'unseen')) throw new TidemarkError('CHANGE_GAP', 'Another client has written.')
    return place
  }

  get #database(): MemoryChangeDatabase {
    return this.#config.database()
  }

  get #log(): MemoryChangeLog {
    return this.#database.log
  }

  #toPosition(place: MemoryPlace): LogPosition {
    return toLogPosition(this.#epoch, place)
  }

  #frame(): EventFrame {
    const { name, capabilities, nowMs } = this.#config
    return { name, epoch: this.#epoch, before: capabilities.before, receivedAtMs: nowMs() }
  }

  #isCaptured(table: string): boolean {
    return this.#config.tables.some(({ name }) => name === table)
  }
}

function schemaChange({ table, spec, version }: MemorySchemaRecord): SchemaChange {
  return { type: 'schema', schema: null, table, columns: spec === undefined ? undefined : columnsOf(spec), key: spec?.key ?? [], version }
}

function columnsOf(spec: ChangeTableSpec): readonly ChangeColumn[] {
  return spec.columns.map(({ name, kind, nullable, generated }) => ({
    name, type: kind, nullable: nullable === true && !spec.key.includes(name), generated: generated !== undefined,
  }))
}

import type { ChangeColumn, SchemaChange } from '../../change/change-batch.ts'
import type { ChangeEvent, ChangeRow } from '../../change/change-event.ts'
import { fromSequence, printPosition, toSequence, type LogPosition } from '../../change/log-position.ts'
import type {
  ChangeConnection, ChangeSlice, ChangeSource, ChangeSourceCapabilities, ReadChangesRequest, ReadChunkRequest, SnapshotChunk,
} from '../../dialect/change-source.ts'
import { TidemarkError } from '../../errors/tidemark-error.ts'
import type { ErrorCode } from '../../errors/error-codes.ts'
import type { Fence, LeaseStore } from '../../state/lease.ts'

/** A write: the row's new value, or `null` for a delete. */
export interface Write {
  readonly table: string
  readonly id: number
  readonly value: string | null
}

interface Entry {
  readonly at: number
  readonly event: ChangeEvent
  readonly isCommit: boolean
  readonly schemas: readonly SchemaChange[]
}

type Method = 'connect' | 'readChanges' | 'readChunk' | 'head' | 'tables' | 'verify' | 'retain' | 'purge'

const COLUMNS: readonly ChangeColumn[] = [
  { name: 'id', type: 'INTEGER', nullable: false, generated: false },
  { name: 'value', type: 'TEXT', nullable: true, generated: false },
]

export interface ScriptedLogOptions {
  readonly name?: string
  readonly rereads?: boolean
  readonly resumes?: boolean
  readonly snapshots?: boolean
  readonly bytesPerEvent?: number
  readonly pollIntervalMs?: number
  readonly tables?: readonly string[]
}

/** A database with a log, in memory, as the seam describes them: what a stream does with it can be looked at from all sides. */
export class ScriptedLog {
  readonly name: string
  readonly capabilities: ChangeSourceCapabilities
  readonly calls: Record<Method, number> = { connect: 0, readChanges: 0, readChunk: 0, head: 0, tables: 0, verify: 0, retain: 0, purge: 0 }
  readonly retained = new Map<string, LogPosition>()
  readonly leases = new MemoryLeases()
  readonly rows = new Map<string, Map<number, string>>()
  readonly listeners = new Set<() => void>()
  /** Where the readers of the chunks were, as they said. */
  readonly reached: (LogPosition | undefined)[] = []
  open = 0
  epoch = 'e1'
  #entries: Entry[] = []
  #last = 0
  #purgedThrough = 0
  #transactions = 0
  #pendingSchemas: SchemaChange[] = []
  #faults: { readonly method: Method; readonly code: ErrorCode }[] = []
  #gate: Promise<void> | undefined
  readonly #options: ScriptedLogOptions
  /** Where the one reader of a log that can't be read again has come to. */
  #consumed: number | undefined

  constructor(options: ScriptedLogOptions = {}) {
    this.#options = options
    this.name = options.name ?? 'db'
    this.capabilities = {
      resumes: options.resumes ?? true, rereads: options.rereads ?? true, seesAllWriters: true, changes: 'every', transactions: 'exact',
      before: 'full', keylessTables: true, snapshots: options.snapshots ?? true, schemaChanges: true, messages: false,
    }
    for (const table of options.tables ?? ['users', 'orders']) this.rows.set(table, new Map())
  }

  get source(): ChangeSource {
    return {
      name: this.name, connector: 'sqlite', address: `memory:${this.name}`, capabilities: this.capabilities,
      pollIntervalMs: this.#options.pollIntervalMs ?? 1_000,
      connect: async () => {
        await this.#call('connect')
        return this.#connection()
      },
    }
  }

  get head(): LogPosition {
    return this.position(this.#last)
  }

  get events(): readonly ChangeEvent[] {
    return this.#entries.map(({ event }) => event)
  }

  /** Also those that are purged. */
  readonly allEvents: ChangeEvent[] = []

  position(at: number): LogPosition {
    return { epoch: this.epoch, sequence: toSequence(at), detail: '' }
  }

  /** One transaction. Wakes whoever listens. */
  commit(...writes: readonly Write[]): void {
    this.#transactions += 1
    writes.forEach((write, index) => this.#write(write, { sequence: index, isCommit: index === writes.length - 1 }))
    for (const listener of this.listeners) listener()
  }

  /** The log goes on without a change of these tables. */
  pass(): void {
    this.#last += 1
    for (const listener of this.listeners) listener()
  }

  addTable(table: string): void {
    this.rows.set(table, new Map())
    this.#pendingSchemas.push({ type: 'schema', schema: 'main', table, columns: COLUMNS, key: ['id'], version: 1 })
  }

  dropTable(table: string): void {
    this.rows.delete(table)
  }

  /** The next calls of the method fail, once each. */
  fail(method: Method, code: ErrorCode, times = 1): void {
    for (let index = 0; index < times; index += 1) this.#faults.push({ method, code })
  }

  heal(): void {
    this.#faults = []
  }

  /** Calls wait until the returned function is called. */
  block(): () => void {
    let open: () => void = () => undefined
    this.#gate = new Promise((resolve) => { open = resolve })
    return () => {
      this.#gate = undefined
      open()
    }
  }

  /** Deletes everything up to here, whoever still needs it. */
  purgeThrough(at: number): void {
    this.#purgedThrough = Math.max(this.#purgedThrough, at)
    this.#entries = this.#entries.filter((entry) => entry.at > at)
  }

  /** The database is one of before again, under the same name. */
  setBack(at: number): void {
    this.#entries = this.#entries.filter((entry) => entry.at <= at)
    this.#last = at
    for (const listener of this.listeners) listener()
  }

  get purgedThrough(): number {
    return this.#purgedThrough
  }

  #write({ table, id, value }: Write, { sequence, isCommit }: { readonly sequence: number; readonly isCommit: boolean }): void {
    const rows = this.rows.get(table)
    if (rows === undefined) throw new Error(`no table ${table}`)
    const before = rows.get(id)
    if (value === null) rows.delete(id)
    else rows.set(id, value)
    if (value === null && before === undefined) throw new Error(`no row ${id}`)
    this.#last += 1
    const event = this.#event({ table, id, before, after: value }, { at: this.#last, sequence, last: isCommit })
    this.allEvents.push(event)
    this.#entries.push({ at: this.#last, event, isCommit, schemas: this.#pendingSchemas })
    this.#pendingSchemas = []
  }

  #event(
    change: { readonly table: string; readonly id: number; readonly before: string | undefined; readonly after: string | null },
    place: { readonly at: number; readonly sequence: number; readonly last: boolean },
  ): ChangeEvent {
    const { table, id, before, after } = change
    const base = {
      id: `${this.name}:${this.epoch}:${place.at}`, schema: 'main', table, key: { id }, unavailable: [],
      tx: { id: `${this.epoch}:${this.#transactions}`, sequence: place.sequence, last: place.last, committedAtMs: 0, origin: undefined },
      source: { connector: 'sqlite', name: this.name, snapshot: false, position: printPosition(this.position(place.at)), schemaVersion: 1, receivedAtMs: 0 },
    } as const
    const old: ChangeRow | null = before === undefined ? null : { id, value: before }
    if (after === null) return { ...base, op: 'delete', before: old, beforeKind: 'full', after: null }
    if (old === null) return { ...base, op: 'insert', before: null, beforeKind: 'none', after: { id, value: after } }
    return { ...base, op: 'update', before: old, beforeKind: 'full', after: { id, value: after }, changed: ['value'] }
  }

  async #call(method: Method): Promise<void> {
    this.calls[method] += 1
    await this.#gate
    const index = this.#faults.findIndex((fault) => fault.method === method)
    const fault = this.#faults[index]
    if (fault === undefined) return
    this.#faults.splice(index, 1)
    throw new TidemarkError(fault.code, 'An injected fault.')
  }

  #connection(): ChangeConnection {
    this.open += 1
    this.#consumed = undefined
    return {
      leases: this.leases,
      tables: async () => {
        await this.#call('tables')
        return [...this.rows.keys()].map((name) => ({ schema: 'main', name, columns: COLUMNS, key: ['id'], version: 1 }))
      },
      head: async () => {
        await this.#call('head')
        return this.head
      },
      verify: async (position) => {
        await this.#call('verify')
        this.#verify(position)
      },
      readChanges: async (request) => {
        await this.#call('readChanges')
        return this.#readChanges(request)
      },
      ...(this.capabilities.snapshots ? {
        readChunk: async (request: ReadChunkRequest) => {
          await this.#call('readChunk')
          this.reached.push(request.reached)
          return this.#readChunk(request)
        },
      } : {}),
      onWake: (listener) => {
        this.listeners.add(listener)
        return () => void this.listeners.delete(listener)
      },
      retain: async ({ consumer, position, fence }) => {
        await this.#call('retain')
        if (!this.leases.isCurrent(fence)) throw new TidemarkError('LEASE_LOST', 'The fence is stale.')
        this.retained.set(consumer, position)
      },
      release: (consumer) => Promise.resolve(void this.retained.delete(consumer)),
      retained: (consumer) => Promise.resolve(this.retained.get(consumer)),
      purge: async () => {
        await this.#call('purge')
        if (this.retained.size > 0) this.purgeThrough(Math.min(...[...this.retained.values()].map(({ sequence }) => Number(fromSequence(sequence)))))
        return false
      },
      lag: (position) => Promise.resolve({ events: this.#last - Number(fromSequence(position.sequence)), bytes: undefined, ms: undefined }),
      [Symbol.asyncDispose]: () => {
        this.open -= 1
        return Promise.resolve()
      },
    }
  }

  #verify({ epoch, sequence }: LogPosition): number {
    const at = Number(fromSequence(sequence))
    if (epoch !== this.epoch) throw new TidemarkError('CHANGE_GAP', 'The log was made anew.')
    if (at > this.#last) throw new TidemarkError('CHANGE_GAP', 'The database was restored.')
    const lowest = this.capabilities.rereads || this.capabilities.resumes ? this.#purgedThrough : this.#consumed ?? 0
    if (at < lowest) throw new TidemarkError('CHANGE_GAP', 'The log was purged.')
    return at
  }

  #readChanges({ after, through, limit }: ReadChangesRequest): ChangeSlice {
    const from = this.#verify(after)
    if (!this.capabilities.rereads) {
      if (through !== undefined) throw new Error('a log that is read once has no `through`')
      if (!this.capabilities.resumes && this.#consumed !== undefined && this.#consumed !== from) throw new Error('two readers of a log that is read once')
    }
    const end = through === undefined ? this.#last : Number(fromSequence(through.sequence))
    const available = this.#entries.filter(({ at }) => at > from && at <= end)
    const taken = wholeTransactions(available, limit.events)
    const last = taken.at(-1)
    this.#consumed = last?.at ?? Math.max(from, end)
    return {
      events: taken.map(({ event }) => event),
      schemas: taken.flatMap(({ schemas }) => schemas),
      begin: taken[0]?.event.tx.sequence === 0 || taken.length === 0,
      commit: last?.isCommit ?? true,
      position: this.position(last?.at ?? Math.max(from, end)),
      bytes: taken.length * (this.#options.bytesPerEvent ?? 100),
      isLast: taken.length === available.length,
    }
  }

  #readChunk({ table, after, limit }: ReadChunkRequest): SnapshotChunk {
    const rows = this.rows.get(table)
    if (rows === undefined) throw new TidemarkError('TABLE_UNKNOWN', 'There is no such table.')
    const rest = [...rows].sort(([a], [b]) => a - b).filter(([id]) => after === undefined || id > Number(after))
    const taken = rest.slice(0, limit.events)
    return {
      events: taken.map(([id, value]) => this.#snapshotEvent(table, id, value)),
      through: this.head,
      last: taken.at(-1)?.[0].toString(),
      bytes: taken.length * (this.#options.bytesPerEvent ?? 100),
      isLast: taken.length === rest.length,
    }
  }

  #snapshotEvent(table: string, id: number, value: string): ChangeEvent {
    return {
      id: `${this.name}:snap:${this.epoch}:${table}:${id}`, op: 'snapshot', schema: 'main', table, key: { id }, unavailable: [],
      before: null, beforeKind: 'none', after: { id, value },
      tx: { id: `snap:${this.#last}`, sequence: 0, last: false, committedAtMs: undefined, origin: undefined },
      source: { connector: 'sqlite', name: this.name, snapshot: 'initial', position: printPosition(this.head), schemaVersion: 1, receivedAtMs: 0 },
    }
  }
}

function wholeTransactions(entries: readonly Entry[], limit: number): readonly Entry[] {
  const taken = entries.slice(0, limit)
  const end = taken.findLastIndex(({ isCommit }) => isCommit)
  // A part of a transaction comes alone: its beginning, or what follows up to its end.
  if (taken[0]?.event.tx.sequence !== 0 && end !== -1) return taken.slice(0, taken.findIndex(({ isCommit }) => isCommit) + 1)
  return end === -1 ? taken : taken.slice(0, end + 1)
}

class MemoryLeases implements LeaseStore {
  readonly #held = new Map<string, { readonly holder: string; readonly token: number; readonly untilMs: number }>()
  #token = 0

  acquireLease({ lease, holder, nowMs, ttlMs }: Parameters<LeaseStore['acquireLease']>[0]): Promise<Fence | undefined> {
    const held = this.#held.get(lease)
    if (held !== undefined && held.holder !== holder && held.untilMs > nowMs) return Promise.resolve(undefined)
    this.#token += 1
    this.#held.set(lease, { holder, token: this.#token, untilMs: nowMs + ttlMs })
    return Promise.resolve({ lease, token: this.#token })
  }

  renewLease(fence: Fence, { holder, nowMs, ttlMs }: Parameters<LeaseStore['renewLease']>[1]): Promise<boolean> {
    if (!this.isCurrent(fence)) return Promise.resolve(false)
    this.#held.set(fence.lease, { holder, token: fence.token, untilMs: nowMs + ttlMs })
    return Promise.resolve(true)
  }

  releaseLease(fence: Fence): Promise<void> {
    if (this.isCurrent(fence)) this.#held.delete(fence.lease)
    return Promise.resolve()
  }

  isCurrent({ lease, token }: Fence): boolean {
    return this.#held.get(lease)?.token === token
  }

  /** Somebody else takes it, whoever has it. */
  steal(lease: string): void {
    this.#token += 1
    this.#held.set(lease, { holder: 'thief', token: this.#token, untilMs: Infinity })
  }

  isHeld(lease: string): boolean {
    return this.#held.has(lease)
  }
}

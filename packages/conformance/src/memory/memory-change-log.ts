import type { LogPosition } from '@tidemark/core/adapter'
import type { ChangeTableSpec } from '../harness/change-spec.ts'
import type { MemoryChange } from './memory-change-table.ts'

export interface MemorySchemaRecord {
  readonly table: string
  /** `undefined`: the table is gone. */
  readonly spec: ChangeTableSpec | undefined
  readonly version: number
}

/** One line of the log. Numbers are never used again; the stamp is unique even across restored backups. */
export type MemoryLogRecord = { readonly number: number; readonly stamp: string } & (
  | { readonly kind: 'change'; readonly transaction: number; readonly change: MemoryChange; readonly version: number; readonly atMs: number }
  | { readonly kind: 'schema'; readonly schema: MemorySchemaRecord }
  | { readonly kind: 'unseen' }
)

type Body = MemoryLogRecord extends infer Each ? Each extends MemoryLogRecord ? Omit<Each, 'number' | 'stamp'> : never : never

/**
 * Mistakes of a log. `hooks`: it has what hooks on rows saw, also of statements that fail and of savepoints that are rolled back.
 * `uncommitted`: it has every statement at once. `numbers`: an empty log begins anew with the first number. `stamps`: a place is known by
 * its number alone.
 */
export type MemoryFlaw = 'hooks' | 'uncommitted' | 'numbers' | 'stamps'

export interface MemoryLogClock {
  nowMs(): number
  /** A text that was never given before, whatever has been restored. */
  stamp(): string
}

/** A log in memory. It begins behind a number and a stamp of its own, so that the place before the first record can be told too. */
export class MemoryChangeLog {
  readonly epoch: string
  readonly #clock: MemoryLogClock
  readonly #flaw: MemoryFlaw | undefined
  #records: MemoryLogRecord[] = []
  #floor: { readonly number: number; readonly stamp: string }
  #version = 0
  /** Every version of every table, for telling changes that were made under it. */
  readonly #specs = new Map<number, ChangeTableSpec>()
  /** By consumer: the last number that it needs no longer. */
  readonly retained = new Map<string, { readonly number: number; readonly position: LogPosition }>()
  readonly leases = new Map<string, { readonly holder: string; readonly token: number; readonly untilMs: number }>()

  constructor(clock: MemoryLogClock, flaw: MemoryFlaw | undefined, epoch: string = clock.stamp()) {
    this.epoch = epoch
    this.#clock = clock
    this.#flaw = flaw
    this.#floor = { number: 0, stamp: clock.stamp() }
  }

  clone(): MemoryChangeLog {
    const copy = new MemoryChangeLog(this.#clock, this.#flaw, this.epoch)
    copy.#records = [...this.#records]
    copy.#floor = this.#floor
    copy.#version = this.#version
    for (const [version, spec] of this.#specs) copy.#specs.set(version, spec)
    for (const [name, entry] of this.retained) copy.retained.set(name, entry)
    for (const [name, entry] of this.leases) copy.leases.set(name, entry)
    return copy
  }

  get head(): { readonly number: number; readonly stamp: string } {
    return this.#records.at(-1) ?? this.#floor
  }

  nextVersion(): number {
    this.#version += 1
    return this.#version
  }

  appendTransaction(changes: readonly MemoryChange[], versionOf: (table: string) => number): void {
    const transaction = this.head.number + 1
    const atMs = this.#clock.nowMs()
    for (const change of changes) this.#append({ kind: 'change', transaction, change, version: versionOf(change.table), atMs })
  }

  appendSchema(schema: MemorySchemaRecord): void {
    if (schema.spec !== undefined) this.#specs.set(schema.version, schema.spec)
    this.#append({ kind: 'schema', schema })
  }

  specOf(version: number): ChangeTableSpec {
    const spec = this.#specs.get(version)
    if (spec === undefined) throw new TypeError(`The log has no version ${version}.`)
    return spec
  }

  appendUnseen(): void {
    this.#append({ kind: 'unseen' })
  }

  /** Records after a number. */
  after(number: number): readonly MemoryLogRecord[] {
    return this.#records.filter((record) => record.number > number)
  }

  /** Whether everything after this place is still here, and the place is one of this very history. */
  holds(number: number, stamp: string): boolean {
    if (this.#flaw === 'stamps') return number >= this.#floor.number && number <= this.head.number
    if (number === this.#floor.number) return stamp === this.#floor.stamp
    return this.#records.some((record) => record.number === number && record.stamp === stamp)
  }

  /** Takes one transaction away that nobody needs. Returns whether there is more. */
  purge(): boolean {
    if (this.retained.size === 0) return false
    const limit = Math.min(...[...this.retained.values()].map((entry) => entry.number))
    const [first] = this.#records
    if (first === undefined || first.number > limit) return false
    const isSame = (record: MemoryLogRecord): boolean => first.kind === 'change' && record.kind === 'change' && record.transaction === first.transaction
    const last = this.#records.findLast((record) => record === first || isSame(record)) ?? first
    if (last.number > limit) return false
    this.#floor = last
    this.#records = this.#records.filter((record) => record.number > last.number)
    if (this.#flaw === 'numbers' && this.#records.length === 0) this.#floor = { ...last, number: 0 }
    return this.#records.some((record) => record.number <= limit)
  }

  #append(body: Body): void {
    this.#records.push({ ...body, number: this.head.number + 1, stamp: this.#clock.stamp() })
  }
}

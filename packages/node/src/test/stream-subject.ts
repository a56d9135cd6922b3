import { DatabaseSync } from 'node:sqlite'
import { ChangeStream, type ChangeBatch, type ChangeEvent, type ChangeRow, type ChangeStreamOptions, type SubscribeOptions, type Subscription } from '@tidemark/core'
import type { ChangeSource } from '@tidemark/core/adapter'
import { memoryStateStore } from '@tidemark/core/testing'
import { sessionChanges, type SessionChanges } from '../session/session-changes.ts'
import { sqliteChanges } from '../sqlite-changes.ts'

export const STREAM_SOURCES = ['triggers', 'session'] as const

export type StreamSourceKind = (typeof STREAM_SOURCES)[number]

export interface StreamSubjectOptions extends Omit<ChangeStreamOptions, 'source' | 'sources'> {
  readonly kind: StreamSourceKind
  readonly path: string
  readonly sql: string
  readonly tables: readonly string[]
}

/** A stream over one database file, with the application's connection beside it. */
export class StreamSubject implements AsyncDisposable {
  readonly database: DatabaseSync
  readonly source: ChangeSource
  readonly stream: ChangeStream
  readonly #session: SessionChanges | undefined
  #marks = 0

  constructor({ kind, path, sql, tables, ...options }: StreamSubjectOptions) {
    this.database = new DatabaseSync(path)
    this.database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; CREATE TABLE marks (id INTEGER PRIMARY KEY); ${sql}`)
    const captured = [...tables, 'marks']
    this.#session = kind === 'session' ? sessionChanges(this.database, { tables: captured, pollIntervalMs: 5 }) : undefined
    this.source = this.#session ?? sqliteChanges(this.database, { tables: captured, pollIntervalMs: 5 })
    this.stream = new ChangeStream({ source: this.source, checkpoints: memoryStateStore(), ...options })
  }

  /** In one transaction, as the source wants it; what of it failed and was caught inside is the caller's. */
  write(work: string | (() => void)): void {
    const run = typeof work === 'string' ? () => this.database.exec(work) : work
    if (this.#session !== undefined) return this.#session.transaction(run)
    this.database.exec('BEGIN IMMEDIATE')
    try {
      run()
      this.database.exec('COMMIT')
    } finally {
      if (this.database.isTransaction) this.database.exec('ROLLBACK')
    }
  }

  /** Runs what is expected to fail. */
  fail(sql: string): string {
    try {
      this.database.exec(sql)
    } catch (error) {
      return String(error)
    }
    throw new Error('The statement did not fail.')
  }

  async follow(options: Partial<SubscribeOptions> = {}): Promise<Follower> {
    const follower = new Follower()
    follower.subscription = await this.stream.subscribe({ id: 'follower', ...options }, (batch) => follower.take(batch))
    return follower
  }

  /**
   * The follower, once it has been given everything up to now: it has seen a row that was written last. A row that comes before the
   * snapshot is complete does not say so.
   */
  async settled(follower: Follower): Promise<Follower> {
    do {
      const id = this.#marks += 1
      this.write(`INSERT INTO marks VALUES (${id})`)
      await follower.until(({ events }) => events.some(({ table, after }) => table === 'marks' && after?.['id'] === id))
    } while (follower.subscription?.status() === 'snapshot')
    return follower
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stream.stop()
    if (this.database.isOpen) this.database.close()
  }
}

/** A handler that keeps what it gets. */
export class Follower {
  readonly batches: ChangeBatch[] = []
  subscription: Subscription | undefined
  /** Runs in the handler's turn, before the batch counts as received. */
  onBatch: ((batch: ChangeBatch) => unknown) | undefined
  #waiters: (() => void)[] = []

  async take(batch: ChangeBatch): Promise<void> {
    await this.onBatch?.(batch)
    this.batches.push(batch)
    const waiters = this.#waiters
    this.#waiters = []
    for (const wake of waiters) wake()
  }

  get events(): readonly ChangeEvent[] {
    return this.batches.flatMap(({ events }) => events)
  }

  /** `[op, before, after]` of every event of the tables under test. */
  get changes(): readonly (readonly [op: string, before: Partial<ChangeRow> | null, after: Partial<ChangeRow> | null])[] {
    return this.events.filter(({ table }) => table !== 'marks').map(({ op, before, after }) => [op, before && { ...before }, after && { ...after }])
  }

  /** The rows that the events lead to, by the key `id`. */
  get rows(): ReadonlyMap<unknown, Partial<ChangeRow>> {
    const rows = new Map<unknown, Partial<ChangeRow>>()
    for (const { table, op, before, after, key } of this.events) {
      if (table === 'marks') continue
      if (op === 'update') rows.delete(before?.['id'])
      if (after === null) rows.delete(key?.['id'])
      else rows.set(key?.['id'], after)
    }
    return rows
  }

  async until(isMet: (follower: Follower) => boolean): Promise<void> {
    const done = this.subscription?.done ?? Promise.resolve()
    // What ends the subscriber ends the waiting too.
    while (!isMet(this)) await Promise.race([done, new Promise<void>((resolve) => void this.#waiters.push(resolve))])
  }
}

import { DatabaseSync } from 'node:sqlite'
import type { ChangeConnection, ChangeEvent, ChangeSlice, LogPosition, SnapshotChunk } from '@tidemark/core/adapter'
import { sessionChanges, type SessionChanges } from '../session-changes.ts'
import type { SessionChangesOptions } from '../session-options.ts'

const LIMIT = { events: 1_000, bytes: 1e9 }

/** A connected source with one reader that remembers where it is. */
export class SessionSubject implements AsyncDisposable {
  readonly database: DatabaseSync
  readonly source: SessionChanges
  readonly connection: ChangeConnection
  position: LogPosition

  private constructor(database: DatabaseSync, source: SessionChanges, connection: ChangeConnection, position: LogPosition) {
    this.database = database
    this.source = source
    this.connection = connection
    this.position = position
  }

  static async open(sql: string, options: Partial<SessionChangesOptions> & { readonly path?: string } = {}): Promise<SessionSubject> {
    const { path, ...rest } = options
    const database = new DatabaseSync(path ?? ':memory:')
    if (path !== undefined) database.exec('PRAGMA journal_mode = WAL')
    database.exec(sql)
    const source = sessionChanges(database, { tables: ['t'], pollIntervalMs: 1e6, ...rest })
    const connection = await source.connect()
    return new SessionSubject(database, source, connection, await connection.head())
  }

  /** Runs in transaction(). */
  write(sql: string): void {
    this.source.transaction(() => this.database.exec(sql))
  }

  async slice(limit = LIMIT): Promise<ChangeSlice> {
    const slice = await this.connection.readChanges({ after: this.position, limit })
    this.position = slice.position
    return slice
  }

  async events(): Promise<readonly ChangeEvent[]> {
    const events: ChangeEvent[] = []
    for (;;) {
      const slice = await this.slice()
      events.push(...slice.events)
      if (slice.isLast) return events
    }
  }

  /** `[op, before, after]` of each. */
  async changes(): Promise<readonly (readonly unknown[])[]> {
    return (await this.events()).map(({ op, before, after }) => [op, before && { ...before }, after && { ...after }])
  }

  async chunk(table = 't', after?: string, limit = LIMIT): Promise<SnapshotChunk> {
    const chunk = await this.connection.readChunk?.({ table, after, limit })
    if (chunk === undefined) throw new TypeError('The source has no snapshots.')
    return chunk
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection[Symbol.asyncDispose]()
    if (this.database.isOpen) this.database.close()
  }
}

/** The subset of a cursor of `storage.sql.exec` that is used. */
export interface DurableObjectCursor {
  raw(): Iterable<readonly unknown[]>
}

/** The subset of `ctx.storage` of a SQLite-backed Durable Object that is used. */
export interface DurableObjectStorage {
  readonly sql: { exec(query: string, ...bindings: unknown[]): DurableObjectCursor }
  /** Resolves once everything that was written is stored. */
  sync(): Promise<void>
  transactionSync<T>(closure: () => T): T
}

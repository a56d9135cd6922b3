/** The subset of a prepared statement of D1 that is used. */
export interface D1Statement {
  bind(...values: unknown[]): D1Statement
  raw(): Promise<readonly (readonly unknown[])[]>
}

export interface D1Result {
  readonly results: readonly unknown[]
  /** `changes`: rows that the statement inserted, updated or deleted. */
  readonly meta?: { readonly changes?: number | undefined } | undefined
}

/** The subset of a D1 binding, or of a session of one, that is used. */
export interface D1Database {
  prepare(query: string): D1Statement
  /** All statements in one transaction. */
  batch(statements: D1Statement[]): Promise<readonly D1Result[]>
}

/** The subset of a prepared statement of D1 that is used. */
export interface D1Statement {
  bind(...values: unknown[]): D1Statement
  raw(): Promise<readonly (readonly unknown[])[]>
}

/** The subset of a D1 binding, or of a session of one, that is used. */
export interface D1Database {
  prepare(query: string): D1Statement
  /** All statements in one transaction. */
  batch(statements: D1Statement[]): Promise<readonly { readonly results: readonly unknown[] }[]>
}

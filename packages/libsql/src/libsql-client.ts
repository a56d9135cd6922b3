/** What a statement may be bound to in `@libsql/client`. */
export type LibsqlArgument = null | number | bigint | string | Uint8Array

export interface LibsqlStatement {
  readonly sql: string
  readonly args: LibsqlArgument[]
}

export interface LibsqlRow {
  readonly length: number
  readonly [index: number]: unknown
}

export interface LibsqlResult {
  readonly rows: readonly LibsqlRow[]
  readonly rowsAffected: number
}

/** The subset of an interactive transaction of `@libsql/client` that is used. */
export interface LibsqlTransaction {
  execute(statement: LibsqlStatement): Promise<LibsqlResult>
  batch(statements: LibsqlStatement[]): Promise<readonly LibsqlResult[]>
  commit(): Promise<void>
  /** Rolls back what is still open and gives the connection back. */
  executeMultiple(sql: string): Promise<void>
  close(): void
  rollback(): Promise<void>
}

/** The subset of a client of `@libsql/client` that is used. */
export interface LibsqlClient {
  /** `file`, `http` or `ws`. */
  readonly protocol: string
  execute(statement: LibsqlStatement): Promise<LibsqlResult>
  /** All of them in one transaction. */
  batch(statements: LibsqlStatement[], mode: 'read'): Promise<readonly LibsqlResult[]>
  transaction(mode: 'write'): Promise<LibsqlTransaction>
  executeMultiple(sql: string): Promise<void>
  close(): void
}

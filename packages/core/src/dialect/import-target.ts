import type { RowValues } from '../change/value.ts'
import type { ManifestTable } from '../dump/manifest.ts'
import type { TidemarkError } from '../errors/tidemark-error.ts'
import type { SqlRules } from './sql-rules.ts'
import type { AbortOptions } from './source.ts'

/** A database to restore into; its object may be an export source too. Opens nothing by itself. */
export interface ImportTarget {
  /** Engine: `sqlite`. A dump of statements for another is refused. */
  readonly name: string
  /** Without credentials. */
  readonly address: string
  readonly rules: SqlRules
  /** Errors: `TARGET_*`. */
  connectImport(options?: AbortOptions): Promise<ImportConnection>
}

/** A statement of a dump, as it stands there: from its first word on, without the semicolon. */
export interface ImportStatement {
  readonly sql: string
  /** Where it begins in its object, in bytes. */
  readonly offset: number
}

/** Where an import stands: stored in the target with what it stands behind. Opaque to the target. */
export interface ImportProgress {
  readonly importId: string
  /** What is stored now, as the one who asks knows it; `undefined`: nothing. Anything else there is `LEASE_LOST`, and nothing is written. */
  readonly previous: string | undefined
  /** What to store, once it is known how many rows were changed. */
  value(rows: number): string
}

export interface RunStatementsRequest extends AbortOptions {
  readonly statements: readonly ImportStatement[]
  readonly progress: ImportProgress
}

/**
 * - `done`: all were run; `rows` is how many rows they changed.
 * - `refused`: the engine, or the target, would not run that one; nothing was.
 */
export type RunStatementsOutcome =
  | { readonly kind: 'done'; readonly rows: number }
  | { readonly kind: 'refused'; readonly statement: ImportStatement; readonly error: TidemarkError }

export interface InsertRowsRequest extends AbortOptions {
  readonly table: ManifestTable
  readonly rows: readonly RowValues[]
  readonly progress: ImportProgress
}

export interface CreateTableRequest extends AbortOptions {
  readonly table: ManifestTable
  readonly progress: ImportProgress
}

/** Not safe for concurrent calls. */
export interface ImportConnection extends AsyncDisposable {
  /** `undefined` when that import has not begun, or has been forgotten. */
  readProgress(importId: string, options?: AbortOptions): Promise<string | undefined>
  /** Those of the names that are taken, by a table or a view. */
  existing(names: readonly string[], options?: AbortOptions): Promise<readonly string[]>
  /**
   * Runs the statements and stores the progress, all or nothing. Those that begin or end transactions are left out; those that can't stand
   * in one are run before. Errors: `LEASE_LOST`, `TARGET_*` for what is not the statements' fault.
   */
  runStatements(request: RunStatementsRequest): Promise<RunStatementsOutcome>
  /** For a dump without definitions in this engine's words. Errors: `LEASE_LOST`, `TARGET_NOT_OWNED`, `TARGET_*`. */
  createTable(request: CreateTableRequest): Promise<void>
  /** Inserts the rows and stores the progress, all or nothing. Errors: `LEASE_LOST`, `TARGET_CONSTRAINT`, `TARGET_*`. */
  insertRows(request: InsertRowsRequest): Promise<void>
  /** Looks at what could not be held while loading, such as foreign keys, and forgets the progress. Returns what people should know, a line each. */
  finish(importId: string, options?: AbortOptions): Promise<readonly string[]>
}

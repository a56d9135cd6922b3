import type { RowValues } from '../change/value.ts'
import type { ManifestTable } from '../dump/manifest.ts'
import type { AbortOptions } from './source.ts'

/** A database to restore into; its object may be an export source too. Opens nothing by itself. */
export interface ImportTarget {
  /** Engine: `sqlite`. A dump of statements for another is refused. */
  readonly name: string
  readonly address: string
  connectImport(options?: AbortOptions): Promise<ImportConnection>
}

/** A statement of a dump, as it stands there. */
export interface ImportStatement {
  /** Without the final semicolon. */
  readonly sql: string
  /** Where it begins in its object, from 1. */
  readonly line: number
}

/** Where an import stands: stored in the target with what it stands behind. Opaque to the target. */
export interface ImportProgress {
  readonly importId: string
  readonly value: string
}

export interface RunStatementsRequest extends AbortOptions {
  readonly statements: readonly ImportStatement[]
  readonly progress: ImportProgress
}

export interface InsertRowsRequest extends AbortOptions {
  readonly table: ManifestTable
  readonly rows: readonly RowValues[]
  readonly progress: ImportProgress
}

/** Not safe for concurrent calls. */
export interface ImportConnection extends AsyncDisposable {
  /** `undefined` when that import has not begun, or has been forgotten. */
  readProgress(importId: string, options?: AbortOptions): Promise<string | undefined>
  /**
   * Runs the statements and stores the progress, all or nothing. Statements that begin or end transactions are left out; those that can't stand
   * in one are run before. Errors: `STATEMENT_FAILED` with the line and the beginning of the statement's first words, never its values; `TARGET_*`.
   */
  runStatements(request: RunStatementsRequest): Promise<void>
  /** For a dump without definitions in this engine's words. Errors: `TARGET_NOT_OWNED` when a table of that name exists. */
  createTable(table: ManifestTable, progress: ImportProgress, options?: AbortOptions): Promise<void>
  /** Inserts the rows and stores the progress, all or nothing. Errors: `TARGET_CONSTRAINT`, `TARGET_*`. */
  insertRows(request: InsertRowsRequest): Promise<void>
  /** What the last slice left to do (such as checking foreign keys), and forgets the progress. */
  finish(importId: string, options?: AbortOptions): Promise<void>
}

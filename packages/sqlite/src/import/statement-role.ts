import { TidemarkError } from '@tidemark/core/adapter'

/**
 * What becomes of a statement of a dump.
 *
 * - `run`: it is run.
 * - `before`: it is run outside of the transaction, where alone it has an effect.
 * - `omit`: it is for the shell that the dump was written for, and what it asks for is seen to here, or does not outlive a connection.
 * - `refuse`: it reaches beyond the database, or says that the dump is broken.
 */
export type StatementRole = 'run' | 'before' | 'omit' | 'refuse'

const FIRST_WORD = /^[a-z]+/i

const ROLES: Readonly<Record<string, StatementRole>> = {
  BEGIN: 'omit', COMMIT: 'omit', END: 'omit', SAVEPOINT: 'omit', RELEASE: 'omit',
  // `sqlite3 .dump` ends with it when it could not read everything.
  ROLLBACK: 'refuse',
  ATTACH: 'refuse', DETACH: 'refuse', VACUUM: 'refuse',
}

const PRAGMA = /^pragma\s+(?:main\s*\.\s*)?(\w+)/i

/** Those that change the database rather than the connection. */
const PRAGMAS: Readonly<Record<string, StatementRole>> = {
  encoding: 'before', page_size: 'before', auto_vacuum: 'before', application_id: 'run', user_version: 'run',
}

const SCHEMA_WRITE = /^insert\s+into\s+(?:main\s*\.\s*)?sqlite_(?:schema|master)\b/i

/** Dumps of the shell write virtual tables straight to the schema. Leave is given for that statement only: it would not outlive a kill. */
export function withLeave(sql: string): string {
  return SCHEMA_WRITE.test(sql) ? `PRAGMA writable_schema=ON;${sql};PRAGMA writable_schema=OFF` : sql
}

export function isPragma(sql: string): boolean {
  return PRAGMA.test(sql)
}

export function notForDumps(): TidemarkError {
  return new TidemarkError('NOT_SUPPORTED', 'It would reach beyond the database, or says that the dump is not whole.')
}

export function statementRole(sql: string): StatementRole {
  const word = FIRST_WORD.exec(sql)?.[0].toUpperCase() ?? ''
  if (word === 'PRAGMA') return PRAGMAS[PRAGMA.exec(sql)?.[1]?.toLowerCase() ?? ''] ?? 'omit'
  return ROLES[word] ?? 'run'
}

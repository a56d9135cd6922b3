import { TidemarkError } from '@tidemark/core/adapter'
import { sqliteError } from '@tidemark/sqlite'

/**
 * Neither host gives SQLite's code anywhere but at the end of the message, as `…: SQLITE_CONSTRAINT` with or without
 * `(extended: SQLITE_CONSTRAINT_UNIQUE)`. Only that is taken from it.
 */
const CODE = /: (SQLITE_[A-Z]+)(?: \(extended: SQLITE_[A-Z_]+\))?$/

/** What `storage.sql` threw. */
export function durableObjectError(error: unknown): TidemarkError {
  return error instanceof TidemarkError ? error : sqliteError(coded(error) ?? error)
}

/** What a D1 binding threw. What is no answer of SQLite's is taken for a fault of the way there, and tried again. */
export function d1Error(error: unknown): TidemarkError {
  if (error instanceof TidemarkError) return error
  const answer = coded(error)
  return answer === undefined ? new TidemarkError('TARGET_UNREACHABLE', 'The D1 database did not answer.', { detail: 'D1' }) : sqliteError(answer)
}

function coded(error: unknown): Error | undefined {
  const code = error instanceof Error ? CODE.exec(error.message)?.[1] : undefined
  return error instanceof Error && code !== undefined ? Object.assign(new Error(code), { code, stack: error.stack }) : undefined
}

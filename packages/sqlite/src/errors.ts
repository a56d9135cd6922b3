import { TidemarkError, type ErrorCode } from '@tidemark/core/adapter'

/**
 * SQLite's primary result codes, by number. Source: sqlite.org, "Result and Error Codes".
 * Extended codes carry the primary one in their lowest byte.
 */
const CODES: Readonly<Record<number, ErrorCode>> = {
  5: 'TARGET_BUSY',
  6: 'TARGET_BUSY',
  8: 'TARGET_READ_ONLY',
  10: 'TARGET_FULL',
  11: 'TARGET_CORRUPT',
  13: 'TARGET_FULL',
  14: 'TARGET_UNREACHABLE',
  18: 'TARGET_ROW_TOO_LARGE',
  19: 'TARGET_CONSTRAINT',
  23: 'TARGET_READ_ONLY',
  26: 'TARGET_CORRUPT',
}

const NAMES: Readonly<Record<string, number>> = {
  BUSY: 5, LOCKED: 6, READONLY: 8, IOERR: 10, CORRUPT: 11, FULL: 13, CANTOPEN: 14, TOOBIG: 18, CONSTRAINT: 19, AUTH: 23, NOTADB: 26,
}

const SENTENCES: Partial<Record<ErrorCode, string>> = {
  TARGET_BUSY: 'The target is locked by another writer.',
  TARGET_READ_ONLY: 'The target can not be written to.',
  TARGET_FULL: 'The target has no room left or its disk failed.',
  TARGET_CORRUPT: 'The target is damaged or not a database.',
  TARGET_UNREACHABLE: 'The target could not be opened.',
  TARGET_ROW_TOO_LARGE: 'A row is larger than the target accepts.',
  TARGET_CONSTRAINT: 'A constraint of the target refused the rows.',
}

/**
 * Maps what a SQLite driver threw. Drivers tell the code in three shapes: `errcode` (node:sqlite),
 * `rawCode` (@libsql/client) and `code: 'SQLITE_BUSY'` (better-sqlite3, libsql).
 *
 * SQLite's messages can quote a value of a CHECK expression, so the cause keeps the code only.
 */
export function sqliteError(error: unknown): TidemarkError {
  if (error instanceof TidemarkError) return error
  const resultCode = resultCodeOf(error)
  const code = (resultCode === undefined ? undefined : CODES[resultCode & 0xff]) ?? 'TARGET_FAILED'
  const detail = resultCode === undefined ? nameOf(error) : `SQLITE ${resultCode}`
  return new TidemarkError(code, SENTENCES[code] ?? `The target failed (${detail}).`, { detail, cause: stripped(error) })
}

function resultCodeOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  if ('errcode' in error && typeof error.errcode === 'number') return error.errcode
  if ('rawCode' in error && typeof error.rawCode === 'number') return error.rawCode
  if ('code' in error && typeof error.code === 'string') return codeOfName(error.code)
  return undefined
}

function codeOfName(name: string): number | undefined {
  const primary = /^SQLITE_([A-Z]+)/.exec(name)?.[1]
  return primary === undefined ? undefined : NAMES[primary]
}

function nameOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string') return error.code
  return error instanceof Error ? error.name : typeof error
}

/** The stack without the message: where it happened, not what was in the row. */
function stripped(error: unknown): Error {
  const cause = new Error(nameOf(error))
  if (error instanceof Error && error.stack !== undefined) {
    cause.stack = [nameOf(error), ...error.stack.split('\n').filter((line) => line.startsWith('    at '))].join('\n')
  }
  return cause
}

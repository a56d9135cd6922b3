import { TidemarkError } from '@tidemark/core/adapter'
import { isPinned } from './session-parameters.ts'

/** A row as the server's own text, in column order. */
export type TextRow = readonly (string | null)[]

/** `array_subscript_handler`, multiranges and `client_connection_check_interval` came with 14. */
const MIN_SERVER_MAJOR = 14

/**
 * Looks at what the server reported about itself by now, which costs no query. Errors: `SERVER_UNSUPPORTED` for an old
 * server, `SOURCE_FAILED` for a session that is not pinned, whose values would have other texts.
 */
export function checkSession(reported: Readonly<Record<string, unknown>>): void {
  requireSupported(Number.parseInt(String(reported['server_version']), 10))
  if (isPinned(reported)) return
  throw new TidemarkError('SOURCE_FAILED', 'The session lost its time zone, date style or interval style.', {
    remedy: 'Connect to the server itself, or through a pooler that keeps a transaction on one connection.',
  })
}

/** Errors: `SERVER_UNSUPPORTED`. */
export function requireSupported(major: number): void {
  if (major < MIN_SERVER_MAJOR) throw new TidemarkError('SERVER_UNSUPPORTED', `The source runs a PostgreSQL older than ${MIN_SERVER_MAJOR}.`)
}

/**
 * Errors: `SOURCE_CORRUPT_RESULT` for a result that can't be right. A connection that broke while rows arrived has been
 * seen to resolve with holes or with rows of an earlier query (porsager/postgres#1181).
 */
export function checkRows(rows: unknown): readonly TextRow[] {
  if (!Array.isArray(rows)) throw corrupt('is no list of rows')
  // The driver's result is an array with the server's own count beside it.
  const { count } = rows as { readonly count?: unknown }
  if (count !== rows.length) throw corrupt('has another length than the server counted')
  const width = Array.isArray(rows[0]) ? rows[0].length : 0
  for (let i = 0; i < rows.length; i += 1) {
    const row: unknown = rows[i]
    if (!Array.isArray(row) || row.length !== width) throw corrupt('has a hole')
  }
  return rows
}

function corrupt(fault: string): TidemarkError {
  return new TidemarkError('SOURCE_CORRUPT_RESULT', `A result of the source ${fault}.`)
}

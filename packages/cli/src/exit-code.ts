import type { ErrorCode } from '@tidemark/core'

/** What the process ends with. Stable: scripts decide by it. */
export const EXIT = {
  ok: 0,
  /** At least one table failed. */
  failed: 1,
  /** Options or environment are wrong; nothing was opened. */
  usage: 2,
  /** The source can not be reached, or refused the connection. */
  source: 3,
  /** The target, or the storage of dumps, can not be opened, read or written. */
  target: 4,
  /** Stopped by SIGINT or SIGTERM. */
  interrupted: 130,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** Codes whose exit code does not follow from their prefix. All others are a failed sync. */
const EXITS: Partial<Record<ErrorCode, ExitCode>> = {
  CONFIG_INVALID: EXIT.usage,
  SECRET_MISSING: EXIT.usage,
  NOT_SUPPORTED: EXIT.usage,
  SOURCE_UNREACHABLE: EXIT.source,
  SOURCE_AUTH_FAILED: EXIT.source,
  SOURCE_TLS_FAILED: EXIT.source,
  SERVER_UNSUPPORTED: EXIT.source,
  STATE_NEWER: EXIT.target,
  STATE_CORRUPT: EXIT.target,
  ABORTED: EXIT.interrupted,
}

export function exitCodeOf(code: ErrorCode): ExitCode {
  return EXITS[code] ?? (/^(TARGET|STORAGE)_/.test(code) ? EXIT.target : EXIT.failed)
}

/** The exit code of several failures: their own where they agree, otherwise that of a failed sync. */
export function exitCodeOfAll(codes: readonly ErrorCode[]): ExitCode {
  const [first = EXIT.ok, ...rest] = new Set(codes.map(exitCodeOf))
  return rest.length === 0 ? first : EXIT.failed
}

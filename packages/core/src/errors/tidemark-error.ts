import { ERRORS, type ErrorCode } from './error-codes.ts'

/** One fault in options: where it is and what is wrong with it. */
export interface ConfigIssue {
  /** Path of the option, such as `replications[0].trackingColumn`. */
  readonly path: string
  readonly message: string
}

export interface TidemarkErrorOptions {
  /** What underlies it. Adapters must have removed credentials and row values from it. */
  readonly cause?: unknown
  /** A more exact way out than the table's. */
  readonly remedy?: string | undefined
  /** The engine's own code: a SQLSTATE, an errno name. Never a message. */
  readonly detail?: string | undefined
  /** Only for `CONFIG_INVALID`: every fault, not just the first. */
  readonly issues?: readonly ConfigIssue[] | undefined
}

/**
 * The one error class. Decide by `code`; the message is for people and may change.
 *
 * Programming mistakes (a wrong argument type, a method called twice) are `TypeError` instead.
 */
export class TidemarkError extends Error {
  override readonly name: string = 'TidemarkError'
  readonly code: ErrorCode
  readonly retryable: boolean
  readonly remedy: string
  readonly detail: string | undefined
  readonly issues: readonly ConfigIssue[]

  constructor(code: ErrorCode, message: string, options: TidemarkErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.retryable = ERRORS[code].retryable
    this.remedy = options.remedy ?? ERRORS[code].remedy
    this.detail = options.detail
    this.issues = options.issues ?? []
    // Web convention: what an AbortSignal ended is an AbortError by name.
    if (code === 'ABORTED') this.name = 'AbortError'
  }

  /** What status, logs and events carry: no cause, no stack. */
  toJSON(): ErrorReport {
    return { code: this.code, message: this.message, retryable: this.retryable, remedy: this.remedy, detail: this.detail }
  }
}

/** An error as plain data. */
export interface ErrorReport {
  readonly code: ErrorCode
  readonly message: string
  readonly retryable: boolean
  readonly remedy: string
  readonly detail: string | undefined
}

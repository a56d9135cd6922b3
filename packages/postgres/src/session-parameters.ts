import { quoteLiteral } from './quote.ts'

/** What every session is pinned to: the same value has the same text, whatever server, role or database say. */
export const PINNED = {
  default_transaction_read_only: 'on',
  // A policy on a table must stop the copy, not silently thin it out.
  row_security: 'off',
  bytea_output: 'hex',
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'iso_8601',
  TimeZone: 'UTC',
  extra_float_digits: '1',
} as const

/**
 * How a session is pinned. `startup`: by start-up parameters, at no cost and with no moment before. `transaction`: anew
 * in each transaction, for poolers that refuse such parameters or give every transaction another server connection.
 */
export type Pinning = 'startup' | 'transaction'

export interface SessionOptions {
  readonly applicationName: string
  /** Ends a statement on the server; 0: never. */
  readonly statementTimeoutMs: number
}

export function startupParameters(pinning: Pinning, options: SessionOptions): Record<string, string> {
  const named = { application_name: options.applicationName }
  if (pinning === 'transaction') return named
  return {
    ...named,
    ...PINNED,
    statement_timeout: String(options.statementTimeoutMs),
    // The server notices a lost client while its query runs, instead of at the first row it sends.
    client_connection_check_interval: '2000',
  }
}

/** The same inside a transaction, as one batch of statements. None of them takes a snapshot. */
export function pinTransaction(statementTimeoutMs: number): string {
  return Object.entries({ ...PINNED, statement_timeout: String(statementTimeoutMs) })
    .map(([name, value]) => `SET LOCAL ${name} = ${quoteLiteral(value)}`)
    .join('; ')
}

/**
 * Whether a connection failed because of its parameters: 08P01 is PgBouncer's refusal, the others are a server's that
 * does not know one (42704) or can't do it on its platform (22023).
 */
export function refusesParameters(sqlState: string | undefined): boolean {
  return sqlState === '08P01' || sqlState === '42704' || sqlState === '22023'
}

/** Parameters that the server reports by itself, and what they must say. */
export function isPinned(reported: Readonly<Record<string, unknown>>): boolean {
  return reported['TimeZone'] === 'UTC'
    && reported['DateStyle'] === 'ISO, YMD'
    && reported['IntervalStyle'] === 'iso_8601'
}

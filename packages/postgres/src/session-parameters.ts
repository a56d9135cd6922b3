/** What every session is pinned to: the same value has the same text, whatever server, role or database say. */
const PINNED = {
  default_transaction_read_only: 'on',
  // A policy on a table must stop the copy, not silently thin it out.
  row_security: 'off',
  bytea_output: 'hex',
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'iso_8601',
  TimeZone: 'UTC',
  extra_float_digits: '1',
  // With no limit of its own, a lost client's query would run on.
  client_connection_check_interval: '2000',
} as const

export interface SessionOptions {
  readonly applicationName: string
  readonly statementTimeoutMs: number
}

/** As start-up parameters, so that there is no moment at which a session is not pinned and no extra round trip. */
export function sessionParameters(options: SessionOptions): Record<string, string> {
  return { ...PINNED, application_name: options.applicationName, statement_timeout: String(options.statementTimeoutMs) }
}

/** Parameters that the server reports by itself, and what they must say. A pooler may have lost them. */
export function isPinned(reported: Readonly<Record<string, unknown>>): boolean {
  return reported['TimeZone'] === 'UTC'
    && reported['DateStyle'] === 'ISO, YMD'
    && reported['IntervalStyle'] === 'iso_8601'
}

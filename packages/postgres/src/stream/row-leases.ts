import { type Fence, type LeaseRequest, type LeaseStore } from '@tidemark/core/adapter'
import { quoteTable } from '../quote.ts'
import type { SqlSession } from '../sql-session.ts'

/** The table of leases in the source. Not published, and a row a slot. */
export const LEASE_TABLE = { schema: 'public', name: 'tidemark_leases' }
const TABLE = quoteTable(LEASE_TABLE)

export const CREATE_LEASES = `CREATE TABLE IF NOT EXISTS ${TABLE} (slot text PRIMARY KEY, holder text NOT NULL, token int8 NOT NULL, expires_at_ms int8 NOT NULL)`

const ACQUIRE = `INSERT INTO ${TABLE} AS l (slot, holder, token, expires_at_ms) VALUES ($1::pg_catalog.text, $2::pg_catalog.text, 1, $3::pg_catalog.text::pg_catalog.int8)
ON CONFLICT (slot) DO UPDATE SET holder = excluded.holder, token = l.token + 1, expires_at_ms = excluded.expires_at_ms
WHERE l.expires_at_ms <= $4::pg_catalog.text::pg_catalog.int8 OR l.holder = excluded.holder RETURNING token`
const RENEW = `UPDATE ${TABLE} SET expires_at_ms = $3::pg_catalog.text::pg_catalog.int8 WHERE slot = $1::pg_catalog.text AND token = $2::pg_catalog.text::pg_catalog.int8 RETURNING token`
const RELEASE = `UPDATE ${TABLE} SET expires_at_ms = 0 WHERE slot = $1::pg_catalog.text AND token = $2::pg_catalog.text::pg_catalog.int8 RETURNING token`
/** A fence is checked in the statement that does what it guards. */
export const IS_CURRENT = `SELECT slot FROM ${TABLE} WHERE slot = $1::pg_catalog.text AND token = $2::pg_catalog.text::pg_catalog.int8`

/**
 * Leases of those who poll a slot: nobody holds it between two polls, so that a row says whose it is. Whatever lease is asked for, there is one a slot: it has
 * one place.
 */
export class RowLeases implements LeaseStore {
  readonly #session: SqlSession
  readonly #slot: string

  constructor(session: SqlSession, slot: string) {
    this.#session = session
    this.#slot = slot
  }

  async acquireLease({ lease, holder, nowMs, ttlMs }: LeaseRequest): Promise<Fence | undefined> {
    const parameters = [this.#slot, `${lease} ${holder}`, String(Math.ceil(nowMs + ttlMs)), String(Math.floor(nowMs))]
    const [row] = await this.#session.query({ text: ACQUIRE, parameters })
    return row === undefined ? undefined : { lease, token: Number(row[0]) }
  }

  async renewLease({ token }: Fence, { nowMs, ttlMs }: LeaseRequest): Promise<boolean> {
    return (await this.#session.query({ text: RENEW, parameters: [this.#slot, String(token), String(Math.ceil(nowMs + ttlMs))] })).length > 0
  }

  async releaseLease({ token }: Fence): Promise<void> {
    await this.#session.query({ text: RELEASE, parameters: [this.#slot, String(token)] })
  }
}

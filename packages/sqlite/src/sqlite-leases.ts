import type { Fence, LeaseRequest, LeaseStore } from '@tidemark/core/adapter'
import type { SqliteTransaction } from './driver.ts'

/** Runs work in a write transaction of its own. */
export type WriteTransaction = <T>(work: (transaction: SqliteTransaction) => Promise<T>) => Promise<T>

/** Leases as rows `(lease, holder, token, expires_at_ms)` of a table, beside the data that the fence protects. */
export class SqliteLeases implements LeaseStore {
  readonly #table: string
  readonly #write: WriteTransaction

  /** `table` is quoted already. */
  constructor(table: string, write: WriteTransaction) {
    this.#table = table
    this.#write = write
  }

  async acquireLease(request: LeaseRequest): Promise<Fence | undefined> {
    // The holder itself also gets a new token: what an earlier life of it still has in flight is fenced off.
    const rows = await this.#write((transaction) => transaction.query(
      `INSERT INTO ${this.#table} VALUES (?, ?, 1, ?)
       ON CONFLICT (lease) DO UPDATE SET holder = excluded.holder, token = token + 1, expires_at_ms = excluded.expires_at_ms
         WHERE expires_at_ms <= ? OR holder = excluded.holder
       RETURNING token`,
      [request.lease, request.holder, request.nowMs + request.ttlMs, request.nowMs],
    ))
    const token = rows[0]?.[0]
    return token === undefined ? undefined : { lease: request.lease, token: Number(token) }
  }

  async renewLease(fence: Fence, request: LeaseRequest): Promise<boolean> {
    const changed = await this.#write((transaction) => transaction.run(
      `UPDATE ${this.#table} SET expires_at_ms = ? WHERE lease = ? AND token = ?`,
      [request.nowMs + request.ttlMs, fence.lease, fence.token],
    ))
    return changed === 1
  }

  async releaseLease(fence: Fence): Promise<void> {
    await this.#write((transaction) => transaction.run(
      `UPDATE ${this.#table} SET expires_at_ms = 0 WHERE lease = ? AND token = ?`, [fence.lease, fence.token],
    ))
  }
}

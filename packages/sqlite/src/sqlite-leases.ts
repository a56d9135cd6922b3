import type { Fence, LeaseRequest, LeaseStore } from '@tidemark/core/adapter'
import type { BatchTransaction } from './driver.ts'

/** Runs work in a write transaction of its own. */
export type WriteTransaction = <T>(work: (transaction: BatchTransaction) => Promise<T>) => Promise<T>

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
    const { lease, holder, nowMs, ttlMs } = request
    return this.#write(async (transaction) => {
      const [row] = await transaction.query(`SELECT holder, token, expires_at_ms FROM ${this.#table} WHERE lease = ?`, [lease])
      const [owner, last = 0, expiresAtMs = 0] = row ?? []
      // The holder itself also gets a new token: what an earlier life of it still has in flight is fenced off.
      if (row !== undefined && owner !== holder && Number(expiresAtMs) > nowMs) return undefined
      const token = Number(last) + 1
      await transaction.run(
        `INSERT INTO ${this.#table} VALUES (?, ?, ?, ?)
         ON CONFLICT (lease) DO UPDATE SET holder = excluded.holder, token = excluded.token, expires_at_ms = excluded.expires_at_ms`,
        [lease, holder, token, nowMs + ttlMs],
      )
      return { lease, token }
    })
  }

  async renewLease(fence: Fence, request: LeaseRequest): Promise<boolean> {
    return this.#write(async (transaction) => {
      const [row] = await transaction.query(`SELECT token FROM ${this.#table} WHERE lease = ?`, [fence.lease])
      if (Number(row?.[0]) !== fence.token) return false
      await transaction.run(`UPDATE ${this.#table} SET expires_at_ms = ? WHERE lease = ?`, [request.nowMs + request.ttlMs, fence.lease])
      return true
    })
  }

  async releaseLease(fence: Fence): Promise<void> {
    await this.#write((transaction) => transaction.run(
      `UPDATE ${this.#table} SET expires_at_ms = 0 WHERE lease = ? AND token = ?`, [fence.lease, fence.token],
    ))
  }
}

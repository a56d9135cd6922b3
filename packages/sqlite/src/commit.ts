import { TidemarkError, type Commit, type Fence } from '@tidemark/core/adapter'
import type { SqliteTransaction } from './driver.ts'
import type { LedgerTables } from './migrations.ts'
import { isoTime } from './sqlite-ledger.ts'

/**
 * The fence check and the checkpoint, inside the caller's transaction. BEGIN IMMEDIATE already holds the write lock,
 * so no other worker can take the lease between this check and the commit.
 */
export async function writeCommit(transaction: SqliteTransaction, ledger: LedgerTables, commit: Commit): Promise<void> {
  const { checkpoint, fence } = commit
  await requireFence(transaction, ledger, fence)
  const changed = await transaction.run(
    `UPDATE ${ledger.configs} SET state = ?, last_sync_value = ?, last_sync_timestamp = ? WHERE name = ?`,
    [checkpoint.state, checkpoint.lastSyncValue ?? null, checkpoint.lastSyncAtMs === undefined ? null : isoTime(checkpoint.lastSyncAtMs), checkpoint.name],
  )
  if (changed !== 1) throw new TidemarkError('NAME_UNKNOWN', `The target has no replication named "${checkpoint.name}".`)
}

/**
 * The fence check alone. First thing in a transaction on a staged copy: a worker that was taken over from finds the
 * stage of its successor there, or none, and must neither touch it nor report what it stumbles over.
 * Errors: `LEASE_LOST`.
 */
export async function requireFence(transaction: Pick<SqliteTransaction, 'query'>, ledger: Pick<LedgerTables, 'leases'>, fence: Fence): Promise<void> {
  const rows = await transaction.query(`SELECT token FROM ${ledger.leases} WHERE lease = ?`, [fence.lease])
  if (Number(rows[0]?.[0]) === fence.token) return
  throw new TidemarkError('LEASE_LOST', `Another worker holds the lease "${fence.lease}"; nothing was written.`)
}

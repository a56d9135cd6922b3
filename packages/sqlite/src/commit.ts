import { TidemarkError, type Checkpoint, type Commit, type Fence } from '@tidemark/core/adapter'
import type { BatchTransaction } from './driver.ts'
import type { LedgerTables } from './migrations.ts'
import { isoTime } from './sqlite-ledger.ts'
import type { TargetTransaction } from './target-driver.ts'

/**
 * What must hold for the commit, asked first thing in its transaction: nothing is read there behind the first write. What was read stays so until the
 * transaction is written: BEGIN IMMEDIATE holds the write lock, and hosts without it look again.
 *
 * Errors: `LEASE_LOST`, `NAME_UNKNOWN`.
 */
export async function requireCommit(transaction: Pick<TargetTransaction, 'query'>, ledger: LedgerTables, { checkpoint, fence }: Commit): Promise<void> {
  const [row] = await transaction.query(
    `SELECT (SELECT token FROM ${ledger.leases} WHERE lease = ?) AS token, (SELECT count(*) FROM ${ledger.configs} WHERE name = ?) AS known`,
    [fence.lease, checkpoint.name],
  )
  if (Number(row?.[0]) !== fence.token) throw leaseLost(fence)
  if (Number(row?.[1]) !== 1) throw new TidemarkError('NAME_UNKNOWN', `The target has no replication named "${checkpoint.name}".`)
}

/** In the transaction of the rows that it speaks of, behind `requireCommit`. */
export async function writeCheckpoint(transaction: TargetTransaction, ledger: LedgerTables, checkpoint: Checkpoint): Promise<void> {
  await transaction.run(
    `UPDATE ${ledger.configs} SET state = ?, last_sync_value = ?, last_sync_timestamp = ? WHERE name = ?`,
    [checkpoint.state, checkpoint.lastSyncValue ?? null, checkpoint.lastSyncAtMs === undefined ? null : isoTime(checkpoint.lastSyncAtMs), checkpoint.name],
  )
}

/**
 * The fence check alone. First thing in a transaction on a staged copy: a worker that was taken over from finds the
 * stage of its successor there, or none, and must neither touch it nor report what it stumbles over.
 * Errors: `LEASE_LOST`.
 */
export async function requireFence(transaction: Pick<BatchTransaction, 'query'>, ledger: Pick<LedgerTables, 'leases'>, fence: Fence): Promise<void> {
  const rows = await transaction.query(`SELECT token FROM ${ledger.leases} WHERE lease = ?`, [fence.lease])
  if (Number(rows[0]?.[0]) !== fence.token) throw leaseLost(fence)
}

function leaseLost(fence: Fence): TidemarkError {
  return new TidemarkError('LEASE_LOST', `Another worker holds the lease "${fence.lease}"; nothing was written.`)
}

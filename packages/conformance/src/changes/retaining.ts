import type { ChangeConnection, Fence, LeaseRequest, LogPosition } from '@tidemark/core/adapter'
import { check } from '../assert/check.ts'
import { defined } from '../assert/defined.ts'

/** A time of the suite's own: leases are told the time, they do not ask for it. */
export const NOW_MS = Date.UTC(2024, 0, 1)
export const TTL_MS = 30_000

/** Purging takes little at a time; this many slices of it never end. */
const MOST_PURGES = 10_000

export function leaseOf(consumer: string, changes: Partial<LeaseRequest> = {}): LeaseRequest {
  return { lease: consumer, holder: 'holder', nowMs: NOW_MS, ttlMs: TTL_MS, ...changes }
}

export async function acquire(connection: ChangeConnection, consumer: string, changes: Partial<LeaseRequest> = {}): Promise<Fence> {
  return defined(await connection.leases.acquireLease(leaseOf(consumer, changes)), 'a lease that nobody else holds')
}

/** Notes the position for the consumer, under a lease of its own. */
export async function retain(connection: ChangeConnection, consumer: string, position: LogPosition): Promise<void> {
  await connection.retain({ consumer, position, fence: await acquire(connection, consumer) })
}

export async function purgeAll(connection: ChangeConnection): Promise<void> {
  let purges = 0
  while (await connection.purge()) {
    purges += 1
    check(purges < MOST_PURGES, 'purging comes to an end')
  }
}

import type { Fence, RunLogEntry } from '@tidemark/core/adapter'
import { check } from '../assert/check.ts'
import { defined } from '../assert/defined.ts'
import { equal } from '../assert/equal.ts'
import { failsWith } from '../assert/fails-with.ts'
import { fill } from './target-fixture.ts'
import { times } from '../source/source-fixture.ts'
import { targetCase, type TargetCase } from './target-case.ts'
import { batchOf, checkpointOf, columnOf, commitOf, expectRows, ITEMS, LEASE, NOW_MS, openTable, openTarget, type TargetFixture } from './target-fixture.ts'

const RECORD = {
  name: 'other', sourceAddress: 'postgres://db.example/app', sourceTable: 'public.users', targetTable: 'users', trackingColumn: 'updated_at',
  syncIntervalMinutes: 5, isActive: true,
} as const

const GENEROUS = { maxAgeMs: 1_000_000, maxEntries: 1_000 }

const extra = columnOf('extra', 'text', { ordinal: 4 })
const wider = { ...ITEMS, columns: [...ITEMS.columns, extra] }

/** Every write that carries a commit. */
const WRITES: Readonly<Record<string, (fixture: TargetFixture, stale: { readonly fence: Fence }) => Promise<unknown>>> = {
  apply: ({ connection }, stale) => connection.apply(batchOf(ITEMS, { upserts: [[9, 'stale', 90]], deletes: [[1]] }), commitOf(stale, 'stale')),
  save: ({ connection }, stale) => connection.save(commitOf(stale, 'stale')),
  createTable: ({ connection }, stale) => connection.createTable({ ...ITEMS, name: 'more' }, commitOf(stale, 'stale')),
  publishLoad: async (fixture, stale) => {
    await stage(fixture, fixture)
    await fixture.connection.save(commitOf(fixture, 'filled'))
    await fixture.connection.publishLoad(ITEMS, commitOf(stale, 'stale'))
  },
  openLoad: ({ connection }, { fence }) => connection.openLoad(ITEMS, { resume: false, fence }),
  'load.commit': (fixture, stale) => stage(fixture, stale),
  addColumns: ({ connection }, stale) => connection.addColumns(wider, [extra], commitOf(stale, 'stale')),
  alterColumns: ({ connection }, stale) => connection.alterColumns({ ...ITEMS, columns: ITEMS.columns.slice(0, 2) }, ITEMS.columns, commitOf(stale, 'stale')),
}

export const leaseCases: readonly TargetCase[] = [
  targetCase('TGT-30', 'a lease goes to one holder; the others get nothing while it lasts', async (harness) => {
    await using fixture = await openTarget(harness)
    equal(await acquire(fixture, 'second', 59_999), undefined, 'fence for the second while the first one\'s lease lasts')
    check(await acquire(fixture, 'first', 1_000) !== undefined, 'the holder itself may ask again')
  }),
  targetCase('TGT-31', 'a lease that has run out is taken over with a greater token', async (harness) => {
    await using fixture = await openTarget(harness)
    const second = defined(await acquire(fixture, 'second', 60_001), 'a fence for the second')
    check(second.token > fixture.fence.token, 'the token has grown')
    const third = defined(await acquire(fixture, 'third', 200_000), 'a fence for the third')
    check(third.token > second.token, 'the token has grown again')
  }),
  targetCase('TGT-32', 'renewing extends the lease; a stale fence can\'t be renewed', async (harness) => {
    await using fixture = await openTarget(harness)
    const request = { lease: LEASE, holder: 'first', nowMs: NOW_MS + 50_000, ttlMs: 60_000 }
    equal(await fixture.connection.ledger.renewLease(fixture.fence, request), true, 'renewed')
    equal(await acquire(fixture, 'second', 100_000), undefined, 'fence for the second')
    await fixture.connection.save(commitOf(fixture, 'still mine'))
    check(await acquire(fixture, 'second', 110_001) !== undefined, 'the second takes over in the end')
    equal(await fixture.connection.ledger.renewLease(fixture.fence, { ...request, nowMs: NOW_MS + 110_002 }), false, 'renewed after the takeover')
  }),
  targetCase('TGT-33', 'releasing lets others in at once, with a greater token; a stale release is ignored', async (harness) => {
    await using fixture = await openTarget(harness)
    await fixture.connection.ledger.releaseLease(fixture.fence)
    const second = defined(await acquire(fixture, 'second', 1), 'a fence for the second')
    check(second.token > fixture.fence.token, 'the token has grown')
    await fixture.connection.ledger.releaseLease(fixture.fence)
    equal(await acquire(fixture, 'third', 2), undefined, 'fence for the third')
  }),
  targetCase('TGT-34', 'leases of other names are independent', async (harness) => {
    await using fixture = await openTarget(harness)
    const other = await fixture.connection.ledger.acquireLease({ lease: 'other', holder: 'second', nowMs: NOW_MS, ttlMs: 1_000 })
    equal(defined(other, 'a fence of the other lease').lease, 'other', 'lease')
    await fixture.connection.save(commitOf(fixture, 'mine'))
  }),
  ...Object.entries(WRITES).map(([name, write]) => targetCase(`TGT-35.${name}`, `${name} under a stale fence is LEASE_LOST and writes nothing`, async (harness) => {
    await using fixture = await openTable(harness, ITEMS, [[1, 'a', 10]])
    const stale = { fence: fixture.fence }
    const fence = defined(await acquire(fixture, 'second', 60_001), 'a fence for the second')
    await failsWith('LEASE_LOST', () => write({ ...fixture, fence }, stale), name)
    equal([await checkpointOf(fixture), await harness.columnNames('items')], ['filled', ['id', 'label', 'size']], 'checkpoint and columns')
    equal(await fixture.connection.inspectTable('more'), 'absent', 'status of the new table')
    await expectRows(fixture, ITEMS, [[1, 'a', 10]])
    await fixture.connection.save(commitOf({ fence }, 'the second goes on'))
  })),
  targetCase('TGT-36', 'a token that was never given out is LEASE_LOST', async (harness) => {
    await using fixture = await openTarget(harness)
    const forged = { lease: LEASE, token: fixture.fence.token - 1 }
    await failsWith('LEASE_LOST', () => fixture.connection.save(commitOf({ fence: forged }, 'stale')), 'saving')
    await failsWith('LEASE_LOST', () => fixture.connection.save(commitOf({ fence: { lease: 'unknown', token: 1 } }, 'stale')), 'saving under an unknown lease')
  }),
]

export const ledgerCases: readonly TargetCase[] = [
  targetCase('TGT-70', 'keeps configurations and gives them back, NULLs included', async (harness) => {
    await using fixture = await openTarget(harness)
    const { ledger } = fixture.connection
    const bare = { ...RECORD, name: 'bare', trackingColumn: undefined, syncIntervalMinutes: undefined, isActive: false }
    await ledger.saveReplication(RECORD, NOW_MS)
    await ledger.saveReplication(bare, NOW_MS)
    const none = { state: undefined, lastSyncAtMs: undefined, lastSyncValue: undefined, createdAtMs: NOW_MS }
    equal(await ledger.readReplication('other'), { ...RECORD, ...none }, 'configuration')
    equal(await ledger.readReplication('bare'), { ...bare, ...none }, 'configuration without optional parts')
    equal(await ledger.readReplication('unknown'), undefined, 'unknown configuration')
    equal((await ledger.listReplications()).map((one) => one.name).toSorted(), ['bare', 'copy', 'other'], 'names')
  }),
  targetCase('TGT-71', 'saving a configuration again changes it, and keeps the checkpoint and the time at which it was made known', async (harness) => {
    await using fixture = await openTarget(harness)
    const { ledger } = fixture.connection
    await fixture.connection.save(commitOf(fixture, 'reached'))
    await ledger.saveReplication({ ...RECORD, name: 'copy', isActive: false }, NOW_MS + 1)
    const record = defined(await ledger.readReplication('copy'), 'the replication')
    equal([record.state, record.lastSyncValue, record.isActive, record.sourceTable, record.createdAtMs], ['reached', 'reached', false, 'public.users', NOW_MS], 'replication')
  }),
  targetCase('TGT-72', 'removing a configuration forgets its checkpoint and keeps table and run log', async (harness) => {
    await using fixture = await openTable(harness, ITEMS, [[1, 'a', 10]])
    const { ledger } = fixture.connection
    await ledger.appendRun(run(1), GENEROUS)
    await ledger.removeReplication('copy')
    await ledger.removeReplication('never there')
    equal([await ledger.readReplication('copy'), await fixture.connection.inspectTable('items')], [undefined, 'owned'], 'configuration and status')
    equal((await ledger.readRuns({ name: 'copy', limit: 9 })).length, 1, 'runs')
    await expectRows(fixture, ITEMS, [[1, 'a', 10]])
    await ledger.saveReplication({ ...RECORD, name: 'copy' }, NOW_MS)
    equal(await checkpointOf(fixture), undefined, 'checkpoint of the same name made anew')
  }),
  targetCase('TGT-73', 'gives runs newest first, by name and up to a limit', async (harness) => {
    await using fixture = await openTarget(harness)
    const { ledger } = fixture.connection
    for (const entry of [run(1), run(2, 'other'), run(3)]) await ledger.appendRun(entry, GENEROUS)
    equal((await ledger.readRuns({ limit: 9 })).map((one) => one.rows), [3, 2, 1], 'runs of all')
    equal((await ledger.readRuns({ name: 'copy', limit: 9 })).map((one) => one.rows), [3, 1], 'runs of one')
    equal((await ledger.readRuns({ limit: 1 })).map((one) => one.rows), [3], 'runs up to a limit')
  }),
  targetCase('TGT-74', 'keeps a failed run with its code, and one of the same millisecond apart', async (harness) => {
    await using fixture = await openTarget(harness)
    const failed: RunLogEntry = { ...run(1), status: 'error', errorCode: 'SOURCE_UNREACHABLE', errorMessage: 'The source did not answer.' }
    await fixture.connection.ledger.appendRun(failed, GENEROUS)
    await fixture.connection.ledger.appendRun({ ...run(1), rows: 2 }, GENEROUS)
    equal(await fixture.connection.ledger.readRuns({ limit: 9 }), [{ ...run(1), rows: 2 }, failed], 'runs')
  }),
  targetCase('TGT-75', 'caps the run log by count and by age', async (harness) => {
    await using fixture = await openTarget(harness)
    const { ledger } = fixture.connection
    for (const entry of times(12, (number) => run(number))) await ledger.appendRun(entry, { ...GENEROUS, maxEntries: 5 })
    const kept = await ledger.readRuns({ limit: 99 })
    equal([kept.length, kept[0]?.rows], [5, 12], 'runs kept by count and the newest')
    await ledger.appendRun({ ...run(13), atMs: NOW_MS + 500_000 }, { maxAgeMs: 1_000, maxEntries: 5 })
    equal((await ledger.readRuns({ limit: 99 })).map((one) => one.rows), [13], 'runs kept by age')
  }),
]

function run(number: number, name = 'copy'): RunLogEntry {
  return { name, status: 'success', rows: number, errorCode: undefined, errorMessage: undefined, durationMs: 12, atMs: NOW_MS + number }
}

function acquire(fixture: TargetFixture, holder: string, afterMs: number): Promise<Fence | undefined> {
  return fixture.connection.ledger.acquireLease({ lease: LEASE, holder, nowMs: NOW_MS + afterMs, ttlMs: 60_000 })
}

async function stage(fixture: TargetFixture, commit: { readonly fence: Fence }): Promise<void> {
  await using load = await fixture.connection.openLoad(ITEMS, { resume: false })
  fill(load, ITEMS, [[9, 'stale', 90]])
  await load.commit(commitOf(commit, 'stale'))
}

import { check } from '../assert/check.ts'
import { defined } from '../assert/defined.ts'
import { equal } from '../assert/equal.ts'
import { failsWith } from '../assert/fails-with.ts'
import { changeCase, every, needsConsumers, needsPurge, needsRereads, needsResume, type ChangeCase } from './change-case.ts'
import { brief, capture, captureOne, insert, item, items, ITEMS, LogReader, type ChangeFixture } from './change-fixture.ts'
import { acquire, leaseOf, NOW_MS, purgeAll, retain, TTL_MS } from './retaining.ts'
import type { LogPosition } from '@tidemark/core/adapter'
import type { CapturedTable } from '../harness/change-spec.ts'

/** What consumers still need, what may go, and who may say so. */
export const retainCases: readonly ChangeCase[] = [
  changeCase('CHG-701', 'what a consumer retains is remembered, and nothing of one that is unknown', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    const { connection, start } = fixture
    equal(await connection.retained('reader'), undefined, 'position of an unknown consumer')
    await retain(connection, 'reader', start)
    equal(await connection.retained('reader'), start, 'position')
    const [, second] = await writeSteps(fixture)
    await retain(connection, 'reader', defined(second, 'a second position'))
    equal(await connection.retained('reader'), second, 'position after it moved on')
    equal(await connection.retained('other'), undefined, 'position of another consumer')
  }, needsConsumers),
  changeCase('CHG-702', 'what a consumer retains is remembered by the log, not by the connection', async (harness) => {
    const fixture = await captureOne(harness, ITEMS)
    const [first] = await writeSteps(fixture)
    await retain(fixture.connection, 'reader', defined(first, 'a first position'))
    await fixture[Symbol.asyncDispose]()
    await using again = await capture(harness, [fixture.table])
    equal(await again.connection.retained('reader'), first, 'position')
  }, needsResume),
  changeCase('CHG-703', 'purging takes nothing that a consumer retains, however far another is', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    const { connection } = fixture
    const [first, second, third] = await writeSteps(fixture)
    await retain(connection, 'slow', defined(first, 'a first position'))
    await retain(connection, 'fast', defined(third, 'a third position'))
    await purgeAll(connection)
    equal(brief(await new LogReader(connection, defined(first, 'a first position')).drain()), ['insert 2', 'insert 3', 'insert 4'], 'changes of the slow one')
    await connection.verify(defined(second, 'a second position'))
  }, needsRereads),
  changeCase('CHG-704', 'a consumer that is released holds nothing back', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    const { connection } = fixture
    const [first, , third] = await writeSteps(fixture)
    await retain(connection, 'slow', defined(first, 'a first position'))
    await retain(connection, 'fast', defined(third, 'a third position'))
    await connection.release('slow')
    equal(await connection.retained('slow'), undefined, 'position of the one that is released')
    await purgeAll(connection)
    await failsWith('CHANGE_GAP', () => connection.verify(defined(first, 'a first position')), 'verifying')
    await connection.verify(defined(third, 'a third position'))
  }, needsPurge),
  changeCase('CHG-705', 'releasing twice, and releasing nobody, is no error', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    await fixture.connection.release('nobody')
    await retain(fixture.connection, 'reader', fixture.start)
    await fixture.connection.release('reader')
    await fixture.connection.release('reader')
    equal(await fixture.connection.retained('reader'), undefined, 'position')
  }),
  changeCase('CHG-706', 'retaining under a fence that another has taken over is LEASE_LOST and writes nothing', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    const { connection, start } = fixture
    const stale = await acquire(connection, 'reader', { holder: 'first' })
    await connection.retain({ consumer: 'reader', position: start, fence: stale })
    const [moved] = await writeSteps(fixture)
    const fresh = await acquire(connection, 'reader', { holder: 'second', nowMs: NOW_MS + TTL_MS + 1 })
    await failsWith('LEASE_LOST', () => connection.retain({ consumer: 'reader', position: defined(moved, 'a position'), fence: stale }), 'retaining')
    equal(await connection.retained('reader'), start, 'position')
    await connection.retain({ consumer: 'reader', position: defined(moved, 'a position'), fence: fresh })
    equal(await connection.retained('reader'), moved, 'position under the fresh fence')
  }),
  changeCase('CHG-707', 'retaining under a lease that was never taken is LEASE_LOST', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    const { connection, start } = fixture
    await failsWith('LEASE_LOST', () => connection.retain({ consumer: 'reader', position: start, fence: { lease: 'reader', token: 1 } }), 'retaining')
    equal(await connection.retained('reader'), undefined, 'position')
  }, needsConsumers),
  changeCase('CHG-708', 'purging in between does not disturb a reader behind what is retained', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    const { client, connection, reader, table } = fixture
    const limit = { events: 3, bytes: 1 << 20 }
    for (let round = 0; round < 5; round += 1) {
      await client.run(insert(table, items(10 * round + 1, 10 * round + 5)))
      await reader.drain(limit)
      await retain(connection, 'reader', reader.position)
      await connection.purge()
    }
    equal(reader.events.length, 25, 'changes')
    await purgeAll(connection)
    await connection.verify(reader.position)
    await client.run(insert(table, [item(100)]))
    equal(brief(await reader.drain()), ['insert 100'], 'changes after all was purged')
  }),
  changeCase('CHG-709', 'the lag is nothing at the head, and something before it where it is known', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    const { connection, start } = fixture
    await fixture.client.run(insert(fixture.table, items(1, 5)))
    for (const value of Object.values(await connection.lag(start))) check(value === undefined || (Number.isFinite(value) && value >= 0), 'a lag is not negative')
    check(((await connection.lag(start)).events ?? 1) > 0, 'there are events before the head')
    const head = await connection.head()
    const { events = 0, bytes = 0 } = await connection.lag(head)
    equal([events, bytes], [0, 0], 'lag at the head')
  }),
  changeCase('CHG-710', 'purging, retaining and leases are done from a second connection as from the first', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    await using second = await capture(harness, [fixture.table])
    const [first] = await writeSteps(fixture)
    const fence = await acquire(fixture.connection, 'reader')
    await second.connection.retain({ consumer: 'reader', position: defined(first, 'a first position'), fence })
    equal(await fixture.connection.retained('reader'), first, 'position')
    await purgeAll(second.connection)
    equal(brief(await new LogReader(fixture.connection, defined(first, 'a first position')).drain()), ['insert 2', 'insert 3', 'insert 4'], 'changes')
  }, every(needsResume, needsRereads)),
]

/** One stream name is served by one process at a time. */
export const leaseCases: readonly ChangeCase[] = [
  changeCase('CHG-720', 'a second holder waits until the lease has run out, and its token is greater', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    const { leases } = fixture.connection
    const first = await acquire(fixture.connection, 'reader', { holder: 'first' })
    equal(await leases.acquireLease(leaseOf('reader', { holder: 'second', nowMs: NOW_MS + TTL_MS - 1 })), undefined, 'lease while it is held')
    const second = await acquire(fixture.connection, 'reader', { holder: 'second', nowMs: NOW_MS + TTL_MS + 1 })
    check(second.token > first.token, 'the token grows')
    equal([first.lease, second.lease], ['reader', 'reader'], 'name of the lease')
  }),
  changeCase('CHG-721', 'renewing keeps others out longer, and fails once another has taken over', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    const { leases } = fixture.connection
    const fence = await acquire(fixture.connection, 'reader', { holder: 'first' })
    equal(await leases.renewLease(fence, leaseOf('reader', { holder: 'first', nowMs: NOW_MS + TTL_MS - 1 })), true, 'renewed in time')
    equal(await leases.acquireLease(leaseOf('reader', { holder: 'second', nowMs: NOW_MS + TTL_MS + 1 })), undefined, 'lease while it is held')
    await acquire(fixture.connection, 'reader', { holder: 'second', nowMs: NOW_MS + 3 * TTL_MS })
    equal(await leases.renewLease(fence, leaseOf('reader', { holder: 'first', nowMs: NOW_MS + 3 * TTL_MS })), false, 'renewed too late')
  }),
  changeCase('CHG-722', 'releasing lets others in at once, and a stale fence releases nothing', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    const { leases } = fixture.connection
    const first = await acquire(fixture.connection, 'reader', { holder: 'first' })
    await leases.releaseLease(first)
    const second = await acquire(fixture.connection, 'reader', { holder: 'second' })
    check(second.token > first.token, 'the token grows')
    await leases.releaseLease(first)
    equal(await leases.acquireLease(leaseOf('reader', { holder: 'third' })), undefined, 'lease while the second holds it')
  }),
  changeCase('CHG-723', 'leases of different names do not meet', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    await acquire(fixture.connection, 'one', { holder: 'first' })
    await acquire(fixture.connection, 'two', { holder: 'second' })
  }),
]

/** Four commits; the positions behind the first three. */
async function writeSteps({ client, reader, table }: ChangeFixture & { readonly table: CapturedTable }): Promise<readonly LogPosition[]> {
  const positions: LogPosition[] = []
  for (const id of [1, 2, 3]) {
    await client.run(insert(table, [item(id)]))
    await reader.drain()
    positions.push(reader.position)
  }
  await client.run(insert(table, [item(4)]))
  return positions
}

import { check } from '../assert/check.ts'
import { equal } from '../assert/equal.ts'
import { failsWith, settle } from '../assert/fails-with.ts'
import { changeCase, every, needsAllWriters, needsEvery, needsExact, type ChangeApplies, type ChangeCase } from './change-case.ts'
import { AMPLE, brief, capture, captureOne, insert, inTransaction, item, items, ITEMS, openClient, ordered, remove, update, type ChangeFixture } from './change-fixture.ts'
import { Replica } from './replica.ts'

const USERS = { ...ITEMS, name: 'users', indexes: [{ columns: ['seen'], unique: true }] }

const needsOpenTransactions: ChangeApplies = ({ facts }) => facts.openTransactions || 'one client writes at a time'

/** What is committed is seen, in the order of commits; what is not is never seen. */
export const transactionCases: readonly ChangeCase[] = [
  changeCase('CHG-301', 'a transaction that is rolled back is never seen', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS, [item(1)])
    const { client, table } = fixture
    await client.begin()
    await client.run(insert(table, [item(2)]))
    await client.run(update(table, { id: 1 }, { seen: 10 }))
    await client.run(remove(table, { id: 1 }))
    await client.rollback()
    await checkLog(fixture, [])
    await client.run(insert(table, [item(3)]))
    await checkLog(fixture, ['insert 3'])
  }),
  changeCase('CHG-302', 'an open transaction is not seen before its commit', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    await fixture.client.begin()
    await fixture.client.run(insert(fixture.table, [item(1)]))
    await checkLog(fixture, [])
    await fixture.client.commit()
    await checkLog(fixture, ['insert 1'])
  }),
  changeCase('CHG-303', 'what a savepoint is rolled back over is never seen', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    const { client, table } = fixture
    await inTransaction(client, async () => {
      await client.run(insert(table, [item(1)]))
      await client.savepoint('a')
      await client.run(insert(table, [item(2)]))
      await client.rollbackTo('a')
      await client.run(insert(table, [item(3)]))
    })
    await checkLog(fixture, ['insert 1', 'insert 3'])
  }),
  changeCase('CHG-304', 'nested savepoints, and names used again, are rolled back as far as they say', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    const { client, table } = fixture
    const add = (id: number): Promise<void> => client.run(insert(table, [item(id)]))
    await inTransaction(client, async () => {
      await client.savepoint('a')
      await add(1)
      await client.savepoint('a')
      await add(2)
      // The inner one of two that share a name.
      await client.rollbackTo('a')
      await add(3)
      await client.release('a')
      await client.savepoint('b')
      await add(4)
      await client.savepoint('c')
      await add(5)
      // The outer one, with what is within.
      await client.rollbackTo('b')
      await client.rollbackTo('b')
      await add(6)
    })
    await checkLog(fixture, ['insert 1', 'insert 3', 'insert 6'])
  }),
  changeCase('CHG-305', 'what is done after a savepoint that is released stays, and a rollback takes all of it', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    const { client, table } = fixture
    const nest = async (first: number): Promise<void> => {
      await client.run(insert(table, [item(first)]))
      await client.savepoint('a')
      await client.run(insert(table, [item(first + 1)]))
      await client.release('a')
    }
    await inTransaction(client, () => nest(1))
    await client.begin()
    await nest(3)
    await client.rollback()
    await checkLog(fixture, ['insert 1', 'insert 2'])
  }),
  changeCase('CHG-306', 'a statement that fails late leaves none of its rows', async (harness) => {
    await using fixture = await captureOne(harness, USERS, [item(9)])
    const outcome = await settle(() => fixture.client.run(insert(fixture.table, [item(1), item(2), item(9)])))
    check('error' in outcome, 'the database refuses the last row')
    await checkLog(fixture, [])
  }),
  changeCase('CHG-307', 'a statement that fails late in a transaction leaves none of its rows and all of the others', async (harness) => {
    await using fixture = await captureOne(harness, USERS, [item(9), item(10)])
    const { client, table } = fixture
    await inTransaction(client, async () => {
      await client.run(insert(table, [item(1)]))
      check('error' in await settle(() => client.run(insert(table, [item(2), item(3), item(4, 9)]))), 'the database refuses the last row')
      check('error' in await settle(() => client.run(update(table, {}, { seen: 50 }))), 'the database refuses the second row')
      await client.run(insert(table, [item(5)]))
    })
    await checkLog(fixture, ['insert 1', 'insert 5'])
  }, ({ facts }) => facts.outlivesFailure || 'a transaction ends with a statement that fails'),
  changeCase('CHG-308', 'changes of two clients come in the order of their commits', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    const other = await openClient(harness)
    for (const id of [1, 3, 5]) {
      await fixture.client.run(insert(fixture.table, [item(id)]))
      await other.run(insert(fixture.table, [item(id + 1)]))
    }
    await other.close()
    await checkLog(fixture, ['insert 1', 'insert 2', 'insert 3', 'insert 4', 'insert 5', 'insert 6'])
  }, needsAllWriters),
  changeCase('CHG-309', 'a write of a client that the source does not see is CHANGE_GAP, not silence', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    await fixture.client.run(insert(fixture.table, [item(1)]))
    await checkLog(fixture, ['insert 1'])
    const other = await openClient(harness)
    await other.run(insert(fixture.table, [item(2)]))
    await other.close()
    await failsWith('CHANGE_GAP', () => fixture.reader.drain(), 'reading')
  }, ({ capabilities, facts }) => {
    if (capabilities.seesAllWriters) return 'the source sees all writers'
    return facts.clients || 'there is one client only'
  }),
  changeCase('CHG-310', 'of two open transactions, the one that commits first comes first, whole', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    const { client, table } = fixture
    const other = await openClient(harness)
    await client.begin()
    await client.run(insert(table, [item(1)]))
    await other.begin()
    await other.run(insert(table, [item(11)]))
    await client.run(insert(table, [item(2)]))
    await other.run(insert(table, [item(12)]))
    await other.commit()
    await client.run(insert(table, [item(3)]))
    await client.commit()
    await other.close()
    await checkLog(fixture, ['insert 11', 'insert 12', 'insert 1', 'insert 2', 'insert 3'])
  }, every(needsAllWriters, needsOpenTransactions)),
  changeCase('CHG-311', 'a transaction that began before the last read and commits after it is not lost', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    const { client, table } = fixture
    const other = await openClient(harness)
    await other.begin()
    await other.run(insert(table, [item(1)]))
    await client.run(insert(table, [item(2)]))
    await checkLog(fixture, ['insert 2'])
    await other.commit()
    await other.close()
    await checkLog(fixture, ['insert 1'])
  }, every(needsAllWriters, needsOpenTransactions)),
  changeCase('CHG-312', 'a large transaction comes in slices: begin on the first, commit on the last', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    await inTransaction(fixture.client, () => fixture.client.run(insert(fixture.table, items(1, 300))))
    const slices = (await fixture.reader.drainSlices({ ...AMPLE, events: 64 })).filter((slice) => slice.events.length > 0)
    equal(brief(ordered(fixture, slices.flatMap((slice) => slice.events))), items(1, 300).map((row) => `insert ${String(row['id'])}`), 'changes')
    equal(slices.map((slice) => slice.begin), slices.map((_slice, index) => index === 0), 'begin')
    equal(slices.map((slice) => slice.commit), slices.map((_slice, index) => index === slices.length - 1), 'commit')
    check(slices.length >= 5, 'the transaction takes five slices')
  }),
  changeCase('CHG-313', 'what is committed while a large transaction is being read comes behind it', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    await inTransaction(fixture.client, () => fixture.client.run(insert(fixture.table, items(1, 6))))
    const first = await fixture.reader.next({ ...AMPLE, events: 4 })
    await fixture.client.run(insert(fixture.table, [item(7)]))
    const rest = await fixture.reader.drain({ ...AMPLE, events: 4 })
    equal(brief(ordered(fixture, [...first.events, ...rest])), [1, 2, 3, 4, 5, 6, 7].map((id) => `insert ${id}`), 'changes')
  }),
  changeCase('CHG-314', 'transactions that change nothing, or other tables only, bring no events', async (harness) => {
    const other = await harness.createTable({ ...ITEMS, name: 'other' })
    await using fixture = await captureOne(harness, ITEMS)
    await inTransaction(fixture.client, async () => {})
    await fixture.client.run(remove(fixture.table, { id: 1 }))
    await fixture.client.run(insert(other, items(1, 20)))
    equal(await fixture.reader.drain({ ...AMPLE, events: 3 }), [], 'events')
    await fixture.client.run(insert(fixture.table, [item(1)]))
    await checkLog(fixture, ['insert 1'])
  }),
  changeCase('CHG-315', 'a transaction over several tables keeps their changes in one order', async (harness) => {
    const [left, right] = [await harness.createTable(ITEMS), await harness.createTable({ ...ITEMS, name: 'rights' })]
    await using fixture = await capture(harness, [left, right])
    await inTransaction(fixture.client, async () => {
      for (const id of [1, 2]) {
        await fixture.client.run(insert(left, [item(id)]))
        await fixture.client.run(insert(right, [item(id)]))
      }
      await fixture.client.run(remove(left, { id: 1 }))
    })
    const slice = await fixture.reader.next()
    equal(slice.events.map((event) => `${event.op} ${event.table} ${String(event.key?.['id'])}`),
      ['insert items 1', 'insert rights 1', 'insert items 2', 'insert rights 2', 'delete items 1'], 'changes')
    equal([slice.begin, slice.commit], [true, true], 'the slice is the whole transaction')
  }, needsEvery),
  changeCase('CHG-316', 'a source of net changes tells each row of a transaction once, as it was and as it is', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS, [item(1), item(2), item(3)])
    const { client, table } = fixture
    const replica = await Replica.copyOf(harness, [table])
    await inTransaction(client, async () => {
      for (const seen of [10, 11, 12]) await client.run(update(table, { id: 1 }, { seen }))
      await client.run(insert(table, [item(4)]))
      await client.run(remove(table, { id: 4 }))
      await client.run(remove(table, { id: 2 }))
      await client.run(insert(table, [item(2, 20)]))
      await client.run(update(table, { id: 3 }, { seen: 30 }))
      await client.run(remove(table, { id: 3 }))
    })
    const events = await fixture.reader.drain()
    equal(brief(events).toSorted(), ['delete 3', 'update 1', 'update 2'], 'changes')
    replica.applyAll(events)
    await replica.checkAgainst(harness, [table])
  }, ({ capabilities }) => capabilities.changes === 'net' || 'the source tells every change'),
  changeCase('CHG-317', 'a position at every commit: one transaction of many can be read alone', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    for (const id of [1, 3, 5]) await inTransaction(fixture.client, () => fixture.client.run(insert(fixture.table, items(id, id + 1))))
    const slices = (await fixture.reader.drainSlices({ ...AMPLE, events: 2 })).filter((slice) => slice.events.length > 0)
    equal(slices.map((slice) => [slice.events.length, slice.begin, slice.commit]), [[2, true, true], [2, true, true], [2, true, true]], 'slices')
  }, needsExact),
]

/** What has come since the last look, and that the log has ended. */
export async function checkLog(fixture: ChangeFixture, expected: readonly string[]): Promise<void> {
  equal(brief(ordered(fixture, await fixture.reader.drain())), expected, 'changes since the last look')
}

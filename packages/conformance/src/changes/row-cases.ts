import type { ChangeEvent } from '@tidemark/core/adapter'
import { check } from '../assert/check.ts'
import { defined } from '../assert/defined.ts'
import { equal } from '../assert/equal.ts'
import { failsWith } from '../assert/fails-with.ts'
import { changeCase, needsEvery, type ChangeCase } from './change-case.ts'
import { brief, capture, captureOne, insert, inTransaction, item, items, ITEMS, ordered, remove, SOURCE_NAME, update, type ChangeFixture } from './change-fixture.ts'
import { checkBefore, checkImage, checkKey } from './change-image.ts'
import { Replica } from './replica.ts'
import type { CapturedTable, ChangeTableSpec } from '../harness/change-spec.ts'

const PAIRS: ChangeTableSpec = {
  name: 'pairs', columns: [{ name: 'left', kind: 'text' }, { name: 'held', kind: 'int', nullable: true }, { name: 'right', kind: 'int' }], key: ['right', 'left'],
}

/** Each way in which a statement changes rows. */
export const rowCases: readonly ChangeCase[] = [
  changeCase('CHG-401', 'a changed key is one update, with the new key in `key` and the old one in `before`', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS, [item(1), item(2)])
    await fixture.client.run(update(fixture.table, { id: 1 }, { id: 10, seen: 5 }))
    const [event, ...others] = await fixture.reader.drain()
    equal([event?.op, others], ['update', []], 'changes')
    check(event?.op === 'update', 'the event is an update')
    checkKey(event, ITEMS, { id: 10 })
    check(event.beforeKind !== 'none', 'the old key is told')
    checkBefore(event, ITEMS, { row: item(1), promised: fixture.source.capabilities.before })
    checkImage(event.after, ITEMS, { row: item(10, 5, 'note 1'), what: 'after' })
  }, needsEvery),
  changeCase('CHG-402', 'keys that change places within one transaction end where they should', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS, [item(1), item(2), item(3)])
    const { client, table } = fixture
    await checkReplay(fixture, table, () => inTransaction(client, async () => {
      for (const [from, to] of [[1, 99], [2, 1], [99, 2], [3, 4]] as const) await client.run(update(table, { id: from }, { id: to }))
    }))
  }),
  changeCase('CHG-403', 'a delete without a condition tells every row', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS, items(1, 5))
    await fixture.client.run(remove(fixture.table, {}))
    equal(brief(await fixture.reader.drain()).toSorted(), ['delete 1', 'delete 2', 'delete 3', 'delete 4', 'delete 5'], 'changes')
  }),
  changeCase('CHG-404', 'an update of many rows tells each', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS, items(1, 5))
    await fixture.client.run(update(fixture.table, {}, { note: 'same' }))
    equal(brief(await fixture.reader.drain()).toSorted(), ['update 1', 'update 2', 'update 3', 'update 4', 'update 5'], 'changes')
  }),
  changeCase('CHG-405', 'an insert that changes the row it meets is an update of that, and an insert of the others', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS, [item(1)])
    await fixture.client.run({ kind: 'insert', table: fixture.table, rows: [item(1, 100), item(2)], onConflict: 'update' })
    equal(brief(ordered(fixture, await fixture.reader.drain())), ['update 1', 'insert 2'], 'changes')
  }),
  changeCase('CHG-406', 'an insert that leaves the row it meets tells only what it inserts', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS, [item(1)])
    await fixture.client.run({ kind: 'insert', table: fixture.table, rows: [item(1, 100), item(2)], onConflict: 'ignore' })
    equal(brief(await fixture.reader.drain()), ['insert 2'], 'changes')
  }),
  changeCase('CHG-407', 'an update that changes nothing is told as such or not at all', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS, [item(1)])
    await fixture.client.run(update(fixture.table, { id: 1 }, { seen: 1, note: 'note 1' }))
    const events = await fixture.reader.drain()
    check(events.length <= 1, 'there is at most one event')
    for (const event of events) {
      check(event.op === 'update', 'the event is an update')
      checkImage(event.after, ITEMS, { row: item(1), what: 'after' })
      equal(event.changed, event.beforeKind === 'full' ? [] : undefined, 'changed')
    }
  }),
  changeCase('CHG-408', 'a row that is changed again and again within a transaction is told in that order', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS, [item(1, 0)])
    const { client, table } = fixture
    await inTransaction(client, async () => {
      await client.run(update(table, { id: 1 }, { seen: 1 }))
      await client.run(remove(table, { id: 1 }))
      await client.run(insert(table, [item(1, 2)]))
      await client.run(update(table, { id: 1 }, { seen: 3 }))
    })
    const events = await fixture.reader.drain()
    equal(events.map((event) => `${event.op} ${String(event.after?.['seen'])}`), ['update 1', 'delete undefined', 'insert 2', 'update 3'], 'changes')
  }, needsEvery),
  changeCase('CHG-409', 'a key that is used again, zero and negative keys are rows like any other', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    const { client, table } = fixture
    await checkReplay(fixture, table, async () => {
      for (const id of [0, -1, -2_147_483_648, 0]) {
        await client.run(remove(table, { id }))
        await client.run(insert(table, [item(id)]))
      }
      await client.run(remove(table, { id: -1 }))
    })
  }),
  changeCase('CHG-410', 'a composite key is told with all its columns, of each kind of change', async (harness) => {
    await using fixture = await captureOne(harness, PAIRS)
    await checkPairs(fixture)
  }),
  ...(['stored', 'virtual'] as const).map((storage) => changeCase(`CHG-411.${storage}`, `a ${storage} column that the database computes is right or said to be unavailable`, async (harness) => {
    const spec: ChangeTableSpec = { ...ITEMS, name: 'computed', columns: [{ name: 'id', kind: 'int' }, { name: 'double', kind: 'int', nullable: true, generated: { storage, twice: 'seen' } }, ...ITEMS.columns.slice(1)] }
    await using fixture = await captureOne(harness, spec)
    const { client, table } = fixture
    await client.run(insert(table, [item(1, 4)]))
    await client.run(update(table, { id: 1 }, { seen: 5 }))
    const [described] = await fixture.connection.tables()
    equal(described?.columns.map((column) => [column.name, column.generated]), [['id', false], ['double', true], ['seen', false], ['note', false]], 'columns')
    const events = await fixture.reader.drain()
    equal(events.map((event) => event.after?.['seen']), [4, 5], 'values of the column that is written')
    for (const event of events) checkComputed(event)
  }, ({ facts, capabilities }) => {
    if (capabilities.changes === 'net' && capabilities.transactions === 'merged') return 'changes of several transactions become one'
    return facts.generated.includes(storage) || `the engine has no ${storage} columns that it computes`
  })),
  changeCase('CHG-412', 'a table without rowid is told like any other', async (harness) => {
    await using fixture = await captureOne(harness, { ...PAIRS, withoutRowid: true })
    await checkPairs(fixture)
  }, ({ facts }) => facts.withoutRowid || 'the engine has no such tables'),
  changeCase('CHG-413', 'truncating is one event without rows', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS, items(1, 5))
    await fixture.client.run({ kind: 'truncate', table: fixture.table })
    await fixture.client.run(insert(fixture.table, [item(1)]))
    const [first, second] = await fixture.reader.drain()
    equal([first?.op, first?.key, first?.before, first?.beforeKind, first?.after], ['truncate', null, null, 'none', null], 'first change')
    equal(brief(second === undefined ? [] : [second]), ['insert 1'], 'second change')
  }, ({ facts }) => facts.truncates || 'truncating is not seen, or there is no such statement'),
  changeCase('CHG-414', 'what a foreign key does to other rows is told', async (harness) => {
    const parents = await harness.createTable({ ...ITEMS, name: 'parents' })
    const child = (name: string, onDelete: 'cascade' | 'set null'): Promise<CapturedTable> => harness.createTable({
      name, columns: [{ name: 'id', kind: 'int' }, { name: 'parent', kind: 'int', nullable: true }], key: ['id'], parent: { columns: ['parent'], table: 'parents', key: ['id'], onDelete },
    })
    const tables = [parents, await child('dropped', 'cascade'), await child('orphaned', 'set null')]
    const { client } = harness
    await client.run(insert(parents, [item(1), item(2)]))
    for (const table of tables.slice(1)) await client.run(insert(table, [{ id: 10, parent: 1 }, { id: 11, parent: 2 }, { id: 12, parent: 1 }]))
    await using fixture = await capture(harness, tables)
    const replica = await Replica.copyOf(harness, tables)
    await client.run(update(parents, { id: 2 }, { id: 3 }))
    await client.run(remove(parents, { id: 1 }))
    const events = await fixture.reader.drain()
    replica.applyAll(events)
    await replica.checkAgainst(harness, tables)
    equal(events.filter((event) => event.table === 'dropped' && event.op === 'delete').length, 2, 'deleted children')
  }, ({ facts }) => facts.cascades || 'the log does not show what foreign keys do'),
]

/** Tables without a key: by the whole row, or not at all. */
export const keylessCases: readonly ChangeCase[] = [
  changeCase('CHG-420', 'rows of a table without key are told by their number or by all they hold', async (harness) => {
    await using fixture = await captureOne(harness, { ...ITEMS, key: [] }, [item(1), item(1), item(2)])
    const { client, table } = fixture
    await checkReplay(fixture, table, async () => {
      await client.run(insert(table, [item(1), item(3)]))
      await client.run(update(table, { id: 2 }, { seen: 20 }))
      await client.run(update(table, { id: 1 }, { seen: 10 }))
      await client.run(remove(table, { id: 3 }))
      await client.run(remove(table, { id: 1 }))
    })
    for (const event of fixture.reader.events) check(event.key === null || Object.keys(event.key).length > 0, 'a key is null or has columns')
  }, ({ capabilities }) => {
    if (!capabilities.keylessTables) return 'tables without a key are refused, see CHG-421'
    return capabilities.before === 'full' || 'without the whole row before it, a change of such a table names no row'
  }),
  changeCase('CHG-421', 'a table without key is refused with TABLE_NOT_CAPTURABLE, and nothing is touched', async (harness) => {
    const table = await harness.createTable({ ...ITEMS, key: [] })
    const before = await harness.schemaDigest()
    await failsWith('TABLE_NOT_CAPTURABLE', () => harness.source({ tables: [table.ref], name: SOURCE_NAME }).connect(), 'connecting')
    equal(await harness.schemaDigest(), before, 'the database')
  }, ({ capabilities }) => !capabilities.keylessTables || 'tables without a key can be captured'),
]

/** Replays what the work does on a copy of the table from before it, and compares with the table after it. */
export async function checkReplay({ harness, reader }: ChangeFixture, table: CapturedTable, work: () => Promise<void>): Promise<void> {
  const replica = await Replica.copyOf(harness, [table])
  await work()
  replica.applyAll(await reader.drain())
  await replica.checkAgainst(harness, [table])
}

async function checkPairs(fixture: ChangeFixture & { readonly table: CapturedTable }): Promise<void> {
  const { client, reader, table } = fixture
  const rows = [{ left: 'a', right: 1, held: 1 }, { left: 'b', right: 1, held: 2 }, { left: 'a', right: 2, held: null }]
  await client.run(insert(table, rows))
  const inserted = await reader.drain()
  equal(inserted.length, 3, 'inserts')
  for (const row of rows) checkKey(defined(inserted.find(({ key }) => key?.['left'] === row.left && Number(key['right']) === row.right), 'an insert of each row'), table.spec, row)
  await client.run(update(table, { left: 'b', right: 1 }, { held: 20 }))
  const [changed] = await reader.drain()
  checkKey(defined(changed, 'an update'), table.spec, { left: 'b', right: 1 })
  await checkReplay(fixture, table, async () => {
    await client.run(update(table, { left: 'a', right: 2 }, { left: 'c', held: 3 }))
    await client.run(remove(table, { right: 1 }))
  })
}

function checkComputed(event: ChangeEvent): void {
  const { after } = event
  check(after !== null, 'there is a row')
  if (event.unavailable.includes('double')) check(!Object.hasOwn(after, 'double'), 'an unavailable column is absent')
  else equal(after['double'], 2 * Number(after['seen']), 'the computed value')
}

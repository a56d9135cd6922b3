import type { ChangeEvent, ChangeSourceCapabilities } from '@tidemark/core/adapter'
import { check } from '../assert/check.ts'
import { defined } from '../assert/defined.ts'
import { equal } from '../assert/equal.ts'
import { changeCase, every, needsExact, needsRereads, needsResume, type ChangeCase } from './change-case.ts'
import { brief, capture, captureOne, insert, inTransaction, item, items, ITEMS, LogReader, ordered, remove, update } from './change-fixture.ts'
import { checkBefore, checkImage, checkKey } from './change-image.ts'

const CAPABILITIES: Readonly<Record<keyof ChangeSourceCapabilities, readonly unknown[]>> = {
  resumes: [true, false], rereads: [true, false], seesAllWriters: [true, false], changes: ['every', 'net'], transactions: ['exact', 'merged'],
  before: ['full', 'key'], keylessTables: [true, false], snapshots: [true, false], schemaChanges: [true, false], messages: [true, false],
}

/** The answers of a source, and every field of an event. */
export const envelopeCases: readonly ChangeCase[] = [
  changeCase('CHG-101', 'capabilities are answered in full, and the connection has readChunk just when they promise it', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    const answers = Object.entries(fixture.source.capabilities)
    equal(answers.map(([name]) => name).toSorted(), Object.keys(CAPABILITIES).toSorted(), 'capabilities')
    // The entries are those of a total record.
    for (const [name, answer] of answers) check(CAPABILITIES[name as keyof ChangeSourceCapabilities].includes(answer), `${name} is one of its answers`)
    equal(typeof fixture.connection.readChunk === 'function', fixture.source.capabilities.snapshots, 'readChunk is there')
  }),
  changeCase('CHG-102', 'tables() tells the captured tables with their columns and keys, and no others', async (harness) => {
    const kept = await harness.createTable({ ...ITEMS, name: 'kept', columns: ITEMS.columns.toReversed(), key: ['seen', 'id'] })
    await harness.createTable({ ...ITEMS, name: 'other' })
    await using fixture = await capture(harness, [kept])
    const tables = await fixture.connection.tables()
    equal(tables.map((table) => [table.name, table.key, table.columns.map((column) => column.name)]), [['kept', ['seen', 'id'], ['note', 'seen', 'id']]], 'tables')
    equal(tables[0]?.columns.map((column) => [column.nullable, column.generated]), [[true, false], [false, false], [false, false]], 'nullable and generated')
    check(Number.isSafeInteger(tables[0]?.version), 'the version is a whole number')
  }),
  changeCase('CHG-103', 'a log without changes gives none, says that it has ended, and stands still', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS, [item(1)])
    const slice = await fixture.reader.next()
    equal([slice.events, slice.schemas, slice.isLast], [[], [], true], 'slice')
    equal(await fixture.reader.drain(), [], 'events of the next')
  }),
  changeCase('CHG-104', 'an insert has the key and the whole row after it, and nothing before it', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    await fixture.client.run(insert(fixture.table, [item(7, null)]))
    const event = only(await fixture.reader.drain())
    equal([event.op, event.table, event.before, event.beforeKind, event.unavailable], ['insert', 'items', null, 'none', []], 'event')
    checkKey(event, ITEMS, item(7))
    checkImage(event.after, ITEMS, { row: item(7, null), what: 'after' })
  }),
  changeCase('CHG-105', 'an update has the row after it, what was before as promised, and the columns that changed', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS, [item(7, null), item(8)])
    await fixture.client.run(update(fixture.table, { id: 7 }, { seen: 70 }))
    const event = only(await fixture.reader.drain())
    check(event.op === 'update', 'the event is an update')
    checkKey(event, ITEMS, item(7))
    checkBefore(event, ITEMS, { row: item(7, null), promised: fixture.source.capabilities.before })
    equal(event.changed, event.beforeKind === 'full' && event.unavailable.length === 0 ? ['seen'] : undefined, 'changed')
    equal(event.unavailable, [], 'unavailable')
    checkImage(event.after, ITEMS, { row: item(7, 70), what: 'after' })
  }),
  changeCase('CHG-106', 'a delete has the key and what was before as promised, and nothing after it', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS, [item(7, null), item(8)])
    await fixture.client.run(remove(fixture.table, { id: 7 }))
    const event = only(await fixture.reader.drain())
    check(event.op === 'delete', 'the event is a delete')
    equal(event.after, null, 'after')
    checkKey(event, ITEMS, item(7))
    checkBefore(event, ITEMS, { row: item(7, null), promised: fixture.source.capabilities.before })
  }),
  changeCase('CHG-107', 'an event says where it comes from', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    await fixture.client.run(insert(fixture.table, [item(1)]))
    const { schema, source } = only(await fixture.reader.drain())
    const [table] = await fixture.connection.tables()
    equal([source.connector, source.name, source.snapshot], [fixture.source.connector, fixture.source.name, false], 'source')
    equal([schema, source.schemaVersion], [table?.schema, table?.version], 'schema and its version beside those of tables()')
    check(source.position.startsWith(`${fixture.start.epoch}:`), 'the position begins with the epoch')
    check(Number.isFinite(source.receivedAtMs) && source.receivedAtMs > 0, 'receivedAtMs is a time')
  }),
  changeCase('CHG-108', 'ids are unique in one log', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    await writeABit(fixture)
    const first = await fixture.reader.drain()
    await writeABit(fixture)
    const ids = [...first, ...await fixture.reader.drain()].map((event) => event.id)
    check(ids.length > 0, 'there are events')
    equal(new Set(ids).size, ids.length, 'different ids')
  }),
  changeCase('CHG-109', 'changes read again are the same: ids, positions, images', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    await writeABit(fixture)
    const first = await fixture.reader.drain()
    const again = await new LogReader(fixture.connection, fixture.start).drain()
    equal(again.map(steady), first.map(steady), 'events read again')
    check(first.length > 0, 'there are events')
  }, needsRereads),
  changeCase('CHG-110', 'changes read again through another connection are the same: ids, positions, images', async (harness) => {
    const fixture = await captureOne(harness, ITEMS)
    await writeABit(fixture)
    const first = await fixture.reader.drain()
    await fixture[Symbol.asyncDispose]()
    await using second = await capture(harness, [fixture.table])
    equal((await new LogReader(second.connection, fixture.start).drain()).map(steady), first.map(steady), 'events read again')
    check(first.length > 0, 'there are events')
  }, needsResume),
  changeCase('CHG-111', 'changes of one transaction share its id, are counted from 0, and the last one says so', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    await inTransaction(fixture.client, () => fixture.client.run(insert(fixture.table, items(1, 3))))
    const { events, begin, commit } = await fixture.reader.next()
    equal([brief(ordered(fixture, events)), begin, commit], [['insert 1', 'insert 2', 'insert 3'], true, true], 'slice')
    equal(events.map(({ tx }) => [tx.sequence, tx.last]), [[0, false], [1, false], [2, true]], 'sequence and last')
    equal(new Set(events.map(({ tx }) => tx.id)).size, 1, 'ids of transactions')
    for (const { tx } of events) check(tx.committedAtMs === undefined || tx.committedAtMs > 0, 'committedAtMs is a time or not known')
  }),
  changeCase('CHG-112', 'transactions committed one after another stay apart', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    for (const id of [1, 3, 5]) await inTransaction(fixture.client, () => fixture.client.run(insert(fixture.table, items(id, id + 1))))
    const events = await fixture.reader.drain()
    equal(events.map(({ tx }) => [tx.sequence, tx.last]), [[0, false], [1, true], [0, false], [1, true], [0, false], [1, true]], 'sequence and last')
    equal(events.map(({ tx }) => events.findIndex((one) => one.tx.id === tx.id)), [0, 0, 2, 2, 4, 4], 'first event of the same transaction')
  }, needsExact),
]

function only(events: readonly ChangeEvent[]): ChangeEvent {
  equal(events.length, 1, 'events')
  return defined(events[0], 'an event')
}

/** Three transactions with each kind of change in them. */
export async function writeABit({ client, table }: Awaited<ReturnType<typeof captureOne>>): Promise<void> {
  await client.run(insert(table, items(1, 4)))
  await inTransaction(client, async () => {
    await client.run(update(table, { id: 2 }, { seen: 20 }))
    await client.run(remove(table, { id: 3 }))
  })
  await client.run(remove(table, {}))
}

/** What redelivery must not change. A merged transaction may be cut elsewhere. */
function steady({ tx: _tx, source, ...event }: ChangeEvent): unknown {
  return { ...event, position: source.position, version: source.schemaVersion }
}

/** For sources that know where a transaction ends, its place in it is steady too. */
export const redeliveryCases: readonly ChangeCase[] = [
  changeCase('CHG-113', 'changes read again are of the same transactions', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    await writeABit(fixture)
    const first = await fixture.reader.drain()
    const again = await new LogReader(fixture.connection, fixture.start).drain()
    equal(again.map(({ tx }) => tx), first.map(({ tx }) => tx), 'transactions read again')
  }, every(needsRereads, needsExact)),
]

import type { ChangeEvent, Value } from '@tidemark/core/adapter'
import { check } from '../assert/check.ts'
import { defined } from '../assert/defined.ts'
import { equal } from '../assert/equal.ts'
import type { ChangeTableSpec } from '../harness/change-spec.ts'
import type { ColumnKind, RowRecord } from '../harness/table-spec.ts'
import { EVERY_BYTE, HARD_VALUES, specOfKind } from '../source/value-cases.ts'
import { changeCase, every, needsKind, needsSnapshots, type ChangeCase } from './change-case.ts'
import { AMPLE, captureOne, insert, ordered, remove, update } from './change-fixture.ts'
import { checkBefore, checkImage, checkKey } from './change-image.ts'
import { Replica } from './replica.ts'

/** What the hard values of columns lack: the least integer, which has no positive twin. */
const LEAST = -9_223_372_036_854_775_808n

/** Values of every storage class, crowded where classes meet: for columns that take anything. */
const LOOSE: readonly Value[] = [
  1n, 1, 0n, LEAST, 9_223_372_036_854_775_807n, 9_007_199_254_740_993n, 0.5, 1e300, '1', '1.0', '', 'a\0b', new Uint8Array(0), EVERY_BYTE, null,
]

const KINDS: readonly ColumnKind[] = ['int', 'bigint', 'real', 'decimal', 'text', 'bool', 'blob', 'timestamp', 'date']
const KEY_KINDS: readonly ColumnKind[] = ['int', 'bigint', 'decimal', 'text', 'timestamp', 'date']

/** Values arrive as they were, whichever way they go. */
export const changeValueCases: readonly ChangeCase[] = [
  ...KINDS.map((kind) => changeCase(`CHG-201.${kind}`, `${kind} values arrive exactly in inserts, updates and deletes, NULL apart from everything else`, async (harness) => {
    await using fixture = await captureOne(harness, specOfKind(kind))
    const { client, table, reader } = fixture
    const rows = rowsOf(kind)
    await client.run(insert(table, rows.map((row) => ({ ...row, held: null }))))
    checkRows(ordered(fixture, await reader.drain()), table.spec, rows.map((row) => ({ ...row, held: null })))
    for (const { id = null, held = null } of rows) await client.run(update(table, { id }, { held }))
    const filled = rows.filter((row) => row['held'] !== null)
    checkRows(ordered(fixture, await reader.drain()).filter((event) => event.key?.['id'] !== rows.length), table.spec, filled)
    await client.run(remove(table, {}))
    const gone = ordered(fixture, await reader.drain())
    equal(gone.length, rows.length, 'deletes')
    for (const [index, event] of gone.entries()) {
      checkBefore(event, table.spec, { row: rows[index] ?? {}, promised: fixture.source.capabilities.before })
    }
  }, needsKind(kind))),
  ...KINDS.map((kind) => changeCase(`CHG-202.${kind}`, `a ${kind} value is the very same from the log and from a chunk`, async (harness) => {
    await using fixture = await captureOne(harness, specOfKind(kind))
    await fixture.client.run(insert(fixture.table, rowsOf(kind)))
    const streamed = ordered(fixture, await fixture.reader.drain())
    const read = defined(fixture.connection.readChunk?.bind(fixture.connection), 'readChunk, which the capabilities promise')
    const { events } = await read({ table: fixture.table.ref.name, limit: AMPLE })
    equal(events.map(({ key, after }) => [key, after]), streamed.map(({ key, after }) => [key, after]), 'keys and rows of the chunk beside those of the log')
  }, every(needsKind(kind), needsSnapshots))),
  ...KEY_KINDS.map((kind) => changeCase(`CHG-203.${kind}`, `a key with a ${kind} part is told exactly`, async (harness) => {
    const spec: ChangeTableSpec = { ...specOfKind(kind), name: `keys_${kind}`, key: ['held', 'id'] }
    const rows = rowsOf(kind).filter(({ held }) => held !== null && !(typeof held === 'string' && held.length > 100))
    await using fixture = await captureOne(harness, spec)
    await fixture.client.run(insert(fixture.table, rows))
    await fixture.client.run(remove(fixture.table, {}))
    const events = await fixture.reader.drain()
    // Which of two merged transactions a net change shows is not asked here: both are told, each in full.
    equal(events.length, 2 * rows.length, 'events')
    const byOp = (op: ChangeEvent['op']): readonly ChangeEvent[] => events.filter((event) => event.op === op).toSorted(byId)
    for (const op of ['insert', 'delete'] as const) for (const [index, event] of byOp(op).entries()) checkKey(event, spec, rows[index] ?? {})
  }, needsKind(kind))),
  changeCase('CHG-204', 'U+0000 within text stays', async (harness) => {
    await using fixture = await captureOne(harness, specOfKind('text'))
    const rows = [{ id: 1, held: 'before\0after' }, { id: 2, held: '\0' }]
    await fixture.client.run(insert(fixture.table, rows))
    checkRows(ordered(fixture, await fixture.reader.drain()), fixture.table.spec, rows)
  }, ({ facts }) => facts.textHoldsNul || 'the engine refuses U+0000 in text'),
  changeCase('CHG-205', 'a column that takes anything keeps the storage class of each value', async (harness) => {
    const spec: ChangeTableSpec = { name: 'loose', columns: [{ name: 'id', kind: 'int' }, { name: 'held', kind: 'blob', nullable: true }], key: ['id'] }
    await using fixture = await captureOne(harness, spec)
    const { client, table, reader } = fixture
    const rows = LOOSE.map((held, index) => ({ id: index + 1, held }))
    await client.run(insert(table, rows))
    checkRows(ordered(fixture, await reader.drain()), spec, rows)
    const replica = await Replica.copyOf(harness, [table])
    // Each value takes the place of its neighbour: 1 that of 1.0, and so on.
    for (const [index, { id }] of rows.entries()) await client.run(update(table, { id }, { held: LOOSE[(index + 1) % LOOSE.length] ?? null }))
    replica.applyAll(await reader.drain())
    await replica.checkAgainst(harness, [table])
    await client.run(remove(table, {}))
    replica.applyAll(await reader.drain())
    await replica.checkAgainst(harness, [table])
  }, ({ facts }) => facts.blobHoldsAny || 'columns take values of their type only'),
  changeCase('CHG-206', 'a float that is an integer and an integer that is a float in the same column are different changes', async (harness) => {
    const spec: ChangeTableSpec = { name: 'loose', columns: [{ name: 'id', kind: 'int' }, { name: 'held', kind: 'blob', nullable: true }], key: ['id'] }
    await using fixture = await captureOne(harness, spec, [{ id: 1, held: 1n }])
    await fixture.client.run(update(fixture.table, { id: 1 }, { held: 1 }))
    const [event] = await fixture.reader.drain()
    check(event?.op === 'update', 'there is an update')
    checkImage(event.after, spec, { row: { id: 1, held: 1 }, what: 'after' })
    if (event.changed !== undefined) equal(event.changed, ['held'], 'changed')
  }, ({ facts }) => facts.blobHoldsAny || 'columns take values of their type only'),
]

function rowsOf(kind: ColumnKind): readonly (RowRecord & { readonly id: number; readonly held: Value })[] {
  const values = [...HARD_VALUES[kind], ...(kind === 'bigint' ? [LEAST] : []), null]
  return values.map((held, index) => ({ id: index + 1, held }))
}

/** Holds events to be of these rows, in this order. */
function checkRows(events: readonly ChangeEvent[], spec: ChangeTableSpec, rows: readonly RowRecord[]): void {
  equal(events.length, rows.length, 'events')
  for (const [index, event] of events.entries()) {
    checkImage(event.after, spec, { row: rows[index] ?? {}, what: `after of row ${index + 1}` })
    checkKey(event, spec, rows[index] ?? {})
    for (const value of Object.values(event.after ?? {})) checkLegal(value)
  }
}

/** Numbers are finite, and safe where they are integers of a column of integers; the rest of the union can't be wrong by type. */
function checkLegal(value: Value | undefined): void {
  check(value !== undefined, 'no value is undefined')
  if (typeof value === 'number') check(Number.isFinite(value), `${value} is finite`)
}

function byId(left: ChangeEvent, right: ChangeEvent): number {
  return Number(left.key?.['id']) - Number(right.key?.['id'])
}

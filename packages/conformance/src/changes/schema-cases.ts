import type { ChangeEvent, ChangeSlice } from '@tidemark/core/adapter'
import { check } from '../assert/check.ts'
import { defined } from '../assert/defined.ts'
import { equal } from '../assert/equal.ts'
import { failsWith, settle } from '../assert/fails-with.ts'
import { show } from '../assert/show.ts'
import { TidemarkError } from '@tidemark/core/adapter'
import type { CapturedTable } from '../harness/change-spec.ts'
import type { ColumnKind, RowRecord } from '../harness/table-spec.ts'
import { changeCase, every, needsAlter, needsResume, type ChangeCase } from './change-case.ts'
import { capture, captureOne, insert, item, ITEMS, schemasOf, update, type ChangeFixture } from './change-fixture.ts'
import { changeCell, checkImage } from './change-image.ts'

/** A captured table whose columns change. Never is a value told under a column that is not its own. */
export const schemaCases: readonly ChangeCase[] = [
  changeCase('CHG-501', 'a column that is added is told before the first change that has it', async (harness) => {
    await using fixture = await openItems(harness)
    const wider = await harness.alterTable(fixture.table, { kind: 'add', column: { name: 'extra', kind: 'text' } })
    await checkFollowed(fixture, wider, (id) => ({ ...item(id), extra: `extra ${id}` }))
    await fixture.client.run(update(wider, { id: 1 }, { seen: 100 }))
    const [changed] = await fixture.reader.drain()
    checkImage(changed?.after ?? null, wider.spec, { row: { ...item(1, 100), extra: null }, what: 'a row from before the column' })
  }, needsAlter('add')),
  changeCase('CHG-502', 'a column that is renamed keeps its values, under the name that has been told', async (harness) => {
    await using fixture = await openItems(harness)
    const renamed = await harness.alterTable(fixture.table, { kind: 'rename', from: 'note', to: 'remark' })
    await checkFollowed(fixture, renamed, (id) => ({ ...item(id), remark: `note ${id}` }))
  }, needsAlter('rename')),
  changeCase('CHG-503', 'a column that is dropped is gone, and its neighbours keep their values', async (harness) => {
    await using fixture = await openItems(harness)
    const narrower = await harness.alterTable(fixture.table, { kind: 'drop', column: 'seen' })
    await checkFollowed(fixture, narrower, (id) => ({ id, note: `note ${id}` }))
  }, needsAlter('drop')),
  changeCase('CHG-504', 'two columns that change names keep their own values', async (harness) => {
    await using fixture = await openItems(harness)
    let table = await harness.alterTable(fixture.table, { kind: 'add', column: { name: 'other', kind: 'text' } })
    for (const [from, to] of [['note', 'temporary'], ['other', 'note'], ['temporary', 'other']] as const) {
      table = await harness.alterTable(table, { kind: 'rename', from, to })
    }
    await harness.client.run(insert(table, [{ id: 2, seen: 2, other: 'first', note: 'second' }]))
    // As the columns were, as they are, or in between: a name that is told has the value that its column has.
    await fixture.reader.drain()
    await harness.client.run(insert(table, [{ id: 3, seen: 3, other: 'first', note: 'second' }]))
    const slices = await fixture.reader.drainSlices()
    const event = defined(slices.flatMap((slice) => slice.events).at(-1), 'an insert')
    checkImage(event.after, table.spec, { row: { id: 3, seen: 3, other: 'first', note: 'second' }, what: 'after' })
  }, every(needsAlter('add'), needsAlter('rename'))),
  changeCase('CHG-505', 'a table that is dropped is told as gone, and the others go on', async (harness) => {
    const [doomed, other] = [await harness.createTable(ITEMS), await harness.createTable({ ...ITEMS, name: 'other' })]
    await using fixture = await capture(harness, [doomed, other])
    await fixture.client.run(insert(doomed, [item(1)]))
    equal((await fixture.reader.drain()).length, 1, 'changes before')
    await harness.dropTable(doomed)
    await fixture.reader.drain()
    await fixture.client.run(insert(other, [item(2)]))
    equal((await fixture.reader.drain()).map((event) => `${event.op} ${event.table}`), ['insert other'], 'changes after')
    const gone = schemasOf(fixture.reader.slices).filter((schema) => schema.table === 'items')
    equal(gone.at(-1)?.columns, undefined, 'columns of the table that is gone')
    check(gone.length > 0, 'that the table is gone is told')
    equal((await fixture.connection.tables()).map((table) => table.name), ['other'], 'tables')
  }, needsAlter('recreate')),
  changeCase('CHG-506', 'a table that is dropped and made anew with other columns is followed or refused, not passed over', async (harness) => {
    await using fixture = await openItems(harness)
    await harness.dropTable(fixture.table)
    const anew = await harness.createTable({ ...ITEMS, columns: [{ name: 'note', kind: 'text', nullable: true }, { name: 'id', kind: 'int' }, { name: 'seen', kind: 'text', nullable: true }] })
    await checkRecreated(fixture, anew, 2)
  }, needsAlter('recreate')),
  changeCase('CHG-507', 'the same, when the source has looked in between', async (harness) => {
    await using fixture = await openItems(harness)
    await harness.dropTable(fixture.table)
    const gone = await settle(() => fixture.reader.drain())
    if ('error' in gone) return checkRefused(gone.error)
    const anew = await harness.createTable({ ...ITEMS, columns: ITEMS.columns.toReversed() })
    const looked = await settle(() => fixture.reader.drain())
    if ('error' in looked) return checkRefused(looked.error)
    await checkRecreated(fixture, anew, 2)
  }, needsAlter('recreate')),
  changeCase('CHG-508', 'a table that is not captured changes without a word', async (harness) => {
    const other = await harness.createTable({ ...ITEMS, name: 'other' })
    await using fixture = await openItems(harness)
    await harness.alterTable(other, { kind: 'add', column: { name: 'extra', kind: 'text' } })
    await fixture.client.run(insert(fixture.table, [item(2)]))
    await fixture.reader.drain()
    equal(schemasOf(fixture.reader.slices).filter((schema) => schema.table === 'other'), [], 'schema changes')
    equal(fixture.reader.events.length, 2, 'changes')
  }, needsAlter('add')),
  changeCase('CHG-509', 'a column that is added while nobody listens has its values or is said to be unavailable', async (harness) => {
    const fixture = await openItems(harness)
    const { position } = fixture.reader
    await fixture[Symbol.asyncDispose]()
    const wider = await harness.alterTable(fixture.table, { kind: 'add', column: { name: 'extra', kind: 'text' } })
    await harness.client.run(insert(wider, [{ ...item(2), extra: 'extra 2' }]))
    await using second = await capture(harness, [wider])
    const slice = await second.connection.readChanges({ after: position, limit: { events: 100, bytes: 1 << 20 } })
    equal(slice.events.length, 1, 'changes made meanwhile')
    for (const event of slice.events) checkColumns(event, wider, { ...item(2), extra: 'extra 2' })
    await harness.client.run(insert(wider, [{ ...item(3), extra: 'extra 3' }]))
    const [event] = await second.reader.drain()
    checkImage(event?.after ?? null, wider.spec, { row: { ...item(3), extra: 'extra 3' }, what: 'after' })
  }, every(needsAlter('add'), needsResume)),
]

async function openItems(harness: Parameters<ChangeCase['run']>[0]): Promise<ChangeFixture & { readonly table: CapturedTable }> {
  const fixture = await captureOne(harness, ITEMS)
  await fixture.client.run(insert(fixture.table, [item(1)]))
  equal((await fixture.reader.drain()).length, 1, 'changes before')
  return fixture
}

/**
 * One row written before the source could notice, one after. `told` is the row under every name that its values may have; the first may
 * lack what the source could not know yet, and be told once more when it knows.
 */
async function checkFollowed(fixture: ChangeFixture, table: CapturedTable, told: (id: number) => RowRecord): Promise<void> {
  const { client, connection, reader } = fixture
  const before = defined(reader.slices.flatMap((slice) => slice.events).at(0), 'a change before')
  let announced: readonly string[] = Object.keys(before.after ?? {})
  for (const id of [2, 3]) {
    await client.run(insert(table, [told(id)]))
    const slices = await reader.drainSlices()
    const events = slices.flatMap((slice) => slice.events)
    equal([...new Set(events.map((event) => event.key?.['id']))], [id], 'rows that have changed')
    equal(events.map((event) => event.op), events.map((_event, index) => (index === 0 ? 'insert' : 'update')), 'changes')
    announced = checkAnnounced(slices, announced, (event) => checkColumns(event, table, told(id)))
  }
  const event = defined(reader.events.at(-1), 'an insert')
  checkImage(event.after, table.spec, { row: told(3), what: 'after' })
  const schema = defined(schemasOf(reader.slices).findLast((one) => one.table === table.ref.name), 'a schema change')
  equal(schema.columns?.map((column) => column.name), table.spec.columns.map((column) => column.name), 'columns told')
  check(schema.version > before.source.schemaVersion, 'the version grows')
  equal([event.source.schemaVersion, (await connection.tables())[0]?.version], [schema.version, schema.version], 'version of the change and of tables()')
}

/** Holds every event to have just the columns that were told last. Returns those. */
function checkAnnounced(slices: readonly ChangeSlice[], announced: readonly string[], each: (event: ChangeEvent) => void): readonly string[] {
  let columns = announced
  for (const slice of slices) {
    columns = slice.schemas.at(-1)?.columns?.map((column) => column.name) ?? columns
    for (const event of slice.events) {
      equal([...Object.keys(event.after ?? {}), ...event.unavailable].toSorted(), columns.toSorted(), 'columns of a change beside those told')
      each(event)
    }
  }
  return columns
}

/** Every value that is there is the one that belongs under its name. */
function checkColumns(event: ChangeEvent, { spec }: CapturedTable, told: RowRecord): void {
  const kinds = new Map<string, ColumnKind>([...ITEMS.columns, ...spec.columns].map((column) => [column.name, column.kind]))
  for (const [name, value] of Object.entries(event.after ?? {})) {
    const kind = kinds.get(name) ?? 'text'
    check(Object.hasOwn(told, name), `the row has a column ${show(name)}`)
    equal(changeCell(value ?? null, kind), changeCell(told[name] ?? null, kind), `value of ${show(name)}`)
  }
}

async function checkRecreated(fixture: ChangeFixture, table: CapturedTable, id: number): Promise<void> {
  const row = { ...item(id), seen: table.spec.columns.find((column) => column.name === 'seen')?.kind === 'text' ? 'seen' : id }
  await fixture.client.run(insert(table, [row]))
  const outcome = await settle(() => fixture.reader.drain())
  if ('error' in outcome) return checkRefused(outcome.error)
  const event = defined(fixture.reader.events.find((one) => one.key?.['id'] === id), 'the row of the new table, or an error')
  checkImage(event.after, table.spec, { row, what: 'after' })
  check(schemasOf(fixture.reader.slices).some((schema) => schema.columns?.[0]?.name === 'note'), 'the new columns are told')
}

async function checkRefused(error: unknown): Promise<void> {
  check(error instanceof TidemarkError, 'the error is a TidemarkError')
  await failsWith(['CHANGE_GAP', 'TABLE_UNKNOWN', 'SCHEMA_DRIFT'], () => Promise.reject(error), 'reading')
}

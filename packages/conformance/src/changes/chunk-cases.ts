import type { ChangeEvent, ReadChunkRequest, SliceLimit, SnapshotChunk } from '@tidemark/core/adapter'
import { check } from '../assert/check.ts'
import { defined } from '../assert/defined.ts'
import { equal } from '../assert/equal.ts'
import { failsWith } from '../assert/fails-with.ts'
import type { CapturedTable, ChangeTableSpec } from '../harness/change-spec.ts'
import type { ColumnKind } from '../harness/table-spec.ts'
import { throughText } from '../source/source-fixture.ts'
import { HARD_VALUES, specOfKind } from '../source/value-cases.ts'
import { changeCase, every, needsKind, needsResume, needsSnapshots, needsThrough, type ChangeCase } from './change-case.ts'
import { AMPLE, brief, capture, captureOne, insert, item, items, ITEMS, ordered, remove, update, type ChangeFixture } from './change-fixture.ts'
import { checkImage, checkKey } from './change-image.ts'
import { Replica } from './replica.ts'

const KEY_KINDS: readonly ColumnKind[] = ['int', 'bigint', 'decimal', 'text', 'timestamp', 'date']
const MOST_CHUNKS = 500

/** A table read chunk by chunk, beside a log that goes on. */
export const chunkCases: readonly ChangeCase[] = [
  changeCase('CHG-800', 'a source without snapshots has no readChunk', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    equal(typeof fixture.connection.readChunk, 'undefined', 'readChunk')
  }, ({ capabilities }) => !capabilities.snapshots || 'the source reads chunks'),
  changeCase('CHG-801', 'an empty table is one empty chunk', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    const chunk = await readChunk(fixture, { table: 'items', limit: AMPLE })
    equal([chunk.events, chunk.last, chunk.isLast], [[], undefined, true], 'chunk')
    await fixture.connection.verify(chunk.through)
  }, needsSnapshots),
  ...[1, 3, 1_000].map((events) => changeCase(`CHG-802.${events}`, `chunks of ${events} rows give every row once, in key order, each chunk asked for with the last key of the one before`, async (harness) => {
    await using fixture = await captureOne(harness, ITEMS, items(1, 10).toReversed())
    const chunks = await readChunks(fixture, 'items', { ...AMPLE, events })
    equal(brief(chunks.flatMap((chunk) => chunk.events)), items(1, 10).map((row) => `snapshot ${String(row['id'])}`), 'rows')
    check(chunks.every((chunk) => chunk.events.length <= events), 'no chunk has more rows than the limit')
    equal(chunks.map((chunk) => chunk.isLast), chunks.map((_chunk, index) => index === chunks.length - 1), 'isLast')
  }, needsSnapshots)),
  changeCase('CHG-803', 'a row of a chunk is an event of its own kind, with the whole row', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS, [item(7, null)])
    const chunk = await readChunk(fixture, { table: 'items', limit: AMPLE })
    const event = defined(chunk.events[0], 'a row')
    const [table] = await fixture.connection.tables()
    equal([event.op, event.table, event.schema, event.before, event.beforeKind, event.unavailable], ['snapshot', 'items', table?.schema, null, 'none', []], 'event')
    equal([event.source.snapshot, event.source.name, event.source.schemaVersion], ['initial', fixture.source.name, table?.version], 'source')
    equal(event.source.position, `${chunk.through.epoch}:${chunk.through.sequence}`, 'position beside that of the chunk')
    checkKey(event, ITEMS, item(7))
    checkImage(event.after, ITEMS, { row: item(7, null), what: 'after' })
  }, needsSnapshots),
  changeCase('CHG-804', 'ids of rows are unique, unlike those of the log, and the same when the rows are read again', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    await fixture.client.run(insert(fixture.table, items(1, 5)))
    const logged = await fixture.reader.drain()
    const read = (): Promise<readonly SnapshotChunk[]> => readChunks(fixture, 'items', { ...AMPLE, events: 2 })
    const idsOf = (chunks: readonly SnapshotChunk[]): readonly string[] => chunks.flatMap((chunk) => chunk.events).map((event) => event.id)
    const [chunks, again] = [await read(), await read()]
    equal(new Set([...idsOf(chunks), ...logged.map((event) => event.id)]).size, 10, 'different ids')
    // What is read at another place of the log is another state, and may be told by that.
    const isSame = chunks.every(({ through }, index) => through.sequence === again[index]?.through.sequence)
    if (isSame) equal(idsOf(again), idsOf(chunks), 'ids of the rows read again')
  }, needsSnapshots),
  changeCase('CHG-805', 'a limit in bytes ends a chunk, and a row above the limit comes alone', async (harness) => {
    const note = 'x'.repeat(2_000)
    await using fixture = await captureOne(harness, ITEMS, items(1, 12).map((row) => ({ ...row, note })))
    const chunks = await readChunks(fixture, 'items', { events: AMPLE.events, bytes: 8_000 })
    equal(chunks.flatMap((chunk) => chunk.events).length, 12, 'rows')
    check(chunks.every((chunk) => chunk.events.length <= 5), 'no chunk goes beyond the limit by more than a row')
    const alone = await readChunks(fixture, 'items', { events: AMPLE.events, bytes: 1 })
    equal(alone.map((chunk) => chunk.events.length).filter((count) => count > 0), Array.from({ length: 12 }, () => 1), 'rows of each chunk')
  }, needsSnapshots),
  changeCase('CHG-806', 'through is where the rows stand: what is committed before is in them, what comes after is in the log behind it', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    const { client, reader, table } = fixture
    await client.run(insert(table, [item(1), item(2)]))
    const chunk = await readChunk(fixture, { table: 'items', limit: AMPLE })
    await client.run(update(table, { id: 1 }, { seen: 100 }))
    await client.run(insert(table, [item(3)]))
    equal(brief(chunk.events), ['snapshot 1', 'snapshot 2'], 'rows')
    equal(brief(ordered(fixture, await reader.drain(AMPLE, chunk.through))), ['insert 1', 'insert 2'], 'changes up to through')
    equal(brief(await reader.drain()), ['update 1', 'insert 3'], 'changes behind it')
  }, every(needsSnapshots, needsThrough)),
  ...[1, 2, 5].map((events) => changeCase(`CHG-807.${events}`, `chunks of ${events} rows between writes, and the log up to each, end as the table does, and no row goes back`, async (harness) => {
    await using fixture = await captureOne(harness, ITEMS, items(1, 12))
    await checkWhileWriting(fixture, events, { beforeLog: true })
  }, every(needsSnapshots, needsThrough))),
  changeCase('CHG-808', 'the same, begun long after the log', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS, items(1, 12))
    await fixture.client.run(update(fixture.table, {}, { seen: 50 }))
    await fixture.reader.drain()
    await checkWhileWriting(fixture, 3, { beforeLog: false })
  }, every(needsSnapshots, needsThrough)),
  changeCase('CHG-809', 'a chunk goes on in another connection', async (harness) => {
    const fixture = await captureOne(harness, ITEMS, items(1, 9))
    const first = await readChunk(fixture, { table: 'items', limit: { ...AMPLE, events: 4 } })
    await fixture[Symbol.asyncDispose]()
    await using again = await capture(harness, [fixture.table])
    const rest = await readChunks(again, 'items', { ...AMPLE, events: 3 }, first.last)
    equal(brief([...first.events, ...rest.flatMap((chunk) => chunk.events)]), items(1, 9).map((row) => `snapshot ${String(row['id'])}`), 'rows')
  }, every(needsSnapshots, needsResume)),
  ...KEY_KINDS.map((kind) => changeCase(`CHG-810.${kind}`, `chunks by a key with a ${kind} part give every row once`, async (harness) => {
    const spec: ChangeTableSpec = { ...specOfKind(kind), name: `keys_${kind}`, key: ['held', 'id'] }
    const rows = HARD_VALUES[kind].filter((held) => !(typeof held === 'string' && held.length > 100)).map((held, index) => ({ id: index + 1, held }))
    await using fixture = await captureOne(harness, spec, rows)
    await checkEveryRow(fixture)
  }, every(needsSnapshots, needsKind(kind)))),
  changeCase('CHG-811', 'chunks of a table without key give every row once', async (harness) => {
    await using fixture = await captureOne(harness, { ...ITEMS, key: [] }, [item(1), item(1), item(2), item(3)])
    await checkEveryRow(fixture)
  }, every(needsSnapshots, ({ capabilities }) => capabilities.keylessTables || 'tables without a key are refused, see CHG-421')),
  changeCase('CHG-812', 'a chunk of a table that is not captured, or not there, is TABLE_UNKNOWN', async (harness) => {
    await harness.createTable({ ...ITEMS, name: 'other' })
    await using fixture = await captureOne(harness, ITEMS)
    for (const table of ['other', 'absent']) await failsWith('TABLE_UNKNOWN', () => readChunk(fixture, { table, limit: AMPLE }), table)
    equal((await readChunk(fixture, { table: 'items', limit: AMPLE })).isLast, true, 'a chunk afterwards')
  }, needsSnapshots),
  changeCase('CHG-813', 'a row whose last chunk is gone does not stop the next: reading goes on behind its key', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS, items(1, 6))
    const first = await readChunk(fixture, { table: 'items', limit: { ...AMPLE, events: 3 } })
    await fixture.client.run(remove(fixture.table, { id: 3 }))
    const rest = await readChunks(fixture, 'items', AMPLE, first.last)
    equal(brief(rest.flatMap((chunk) => chunk.events)), ['snapshot 4', 'snapshot 5', 'snapshot 6'], 'rows')
  }, needsSnapshots),
  changeCase('CHG-814', 'reading chunks takes nothing away from the log', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    await fixture.client.run(insert(fixture.table, items(1, 4)))
    await readChunks(fixture, 'items', { ...AMPLE, events: 2 })
    await fixture.client.run(insert(fixture.table, [item(5)]))
    equal(brief(ordered(fixture, await fixture.reader.drain())), [1, 2, 3, 4, 5].map((id) => `insert ${id}`), 'changes')
  }, needsSnapshots),
]

function readChunk({ connection }: ChangeFixture, request: ReadChunkRequest): Promise<SnapshotChunk> {
  return defined(connection.readChunk?.bind(connection), 'readChunk, which the capabilities promise')(request)
}

async function readChunks(fixture: ChangeFixture, table: string, limit: SliceLimit, from?: string): Promise<readonly SnapshotChunk[]> {
  const chunks: SnapshotChunk[] = []
  let after = from
  do {
    check(chunks.length < MOST_CHUNKS, 'reading chunk after chunk comes to the table\'s end')
    const chunk = await readChunk(fixture, { table, after, limit })
    chunks.push(chunk)
    checkMoves(chunk, after)
    // A key crosses a restart as text.
    after = chunk.last === undefined ? after : throughText(chunk.last)
  } while (chunks.at(-1)?.isLast !== true)
  return chunks
}

/** A key that stands still would be read for ever. */
function checkMoves(chunk: SnapshotChunk, after: string | undefined): void {
  check((chunk.last === undefined) === (chunk.events.length === 0), 'a chunk has a last key exactly when it has rows')
  check(after === undefined || chunk.last !== after, 'every chunk moves the key on')
}

async function checkEveryRow(fixture: ChangeFixture & { readonly table: CapturedTable }): Promise<void> {
  const { harness, table } = fixture
  for (const events of [1, 1_000]) {
    const replica = new Replica([table])
    replica.applyAll((await readChunks(fixture, table.ref.name, { ...AMPLE, events })).flatMap((chunk) => chunk.events))
    await replica.checkAgainst(harness, [table])
  }
}

/**
 * What a stream does with a snapshot: a chunk, the log up to it, the chunk's rows, and so on, while rows are changed, deleted, inserted and
 * moved between any two reads. `seen` grows with every write, so a row that goes back in time shows.
 */
async function checkWhileWriting(fixture: ChangeFixture & { readonly table: CapturedTable }, events: number, { beforeLog }: { readonly beforeLog: boolean }): Promise<void> {
  const { harness, reader, table } = fixture
  const copy = new GrowingCopy()
  let writes = 100
  const write = async (): Promise<void> => {
    writes = await writeAround(fixture, writes)
  }
  if (beforeLog) await write()
  let after: string | undefined
  for (;;) {
    const chunk = await readChunk(fixture, { table: table.ref.name, after, limit: { ...AMPLE, events } })
    await write()
    for (const event of await reader.drain({ ...AMPLE, events: 4 }, chunk.through)) copy.apply(event)
    for (const event of chunk.events) copy.apply(event)
    await write()
    checkMoves(chunk, after)
    after = chunk.last ?? after
    if (chunk.isLast) break
    check(writes < 5_000, 'reading chunk after chunk comes to the table\'s end')
  }
  for (const event of await reader.drain()) copy.apply(event)
  const names = table.spec.columns.map((column) => column.name)
  const [id, seen] = [names.indexOf('id'), names.indexOf('seen')]
  equal(copy.lines(), (await harness.cells(table)).map((row) => `${row[id] ?? ''} ${row[seen] ?? ''}`).toSorted(), 'rows in the end')
}

/** One transaction that changes rows at both ends of the key range, and moves one across. */
async function writeAround({ client, table }: ChangeFixture & { readonly table: CapturedTable }, from: number): Promise<number> {
  const turn = from % 7
  await client.begin()
  await client.run(update(table, { id: 1 + turn }, { seen: from }))
  await client.run(update(table, { id: 12 - turn }, { seen: from + 1 }))
  await client.run(remove(table, { id: 4 + turn }))
  await client.run({ kind: 'insert', table, rows: [item(2 + 2 * (turn % 3), from + 2), item(5 + turn, from + 3)], onConflict: 'update' })
  await client.run(remove(table, { id: 40 - turn }))
  await client.run(update(table, { id: 3 + turn }, { id: 40 - turn, seen: from + 4 }))
  await client.commit()
  return from + 5
}

/** A copy that a stream would keep: rows of chunks replace, and nothing may be older than what was held of the row, even of one that is gone. */
class GrowingCopy {
  readonly #rows = new Map<string, number>()
  readonly #newest = new Map<string, number>()

  apply(event: ChangeEvent): void {
    if (event.before !== null) this.#rows.delete(String(event.before['id']))
    if (event.op === 'delete') return this.#gone(event)
    check(event.after !== null, 'there is a row')
    const [id, seen] = [String(event.after['id']), Number(event.after['seen'])]
    const newest = this.#newest.get(id) ?? 0
    // Every write has a number of its own: a change that was in a row already would come a second time.
    check(event.op === 'snapshot' ? seen >= newest : seen > newest, `row ${id} does not go back in time, nor stand still: ${seen} after ${newest}`)
    this.#newest.set(id, seen)
    this.#rows.set(id, seen)
  }

  /** Keys and versions as cells, in order. */
  lines(): readonly string[] {
    return [...this.#rows].map(([id, seen]) => `integer:${id} integer:${seen}`).toSorted()
  }

  #gone(event: ChangeEvent & { readonly op: 'delete' }): void {
    const id = String(event.key?.['id'])
    this.#rows.delete(id)
    if (event.beforeKind === 'full') this.#newest.set(id, Math.max(this.#newest.get(id) ?? 0, Number(event.before?.['seen'])))
  }
}

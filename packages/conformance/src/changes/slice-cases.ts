import type { ChangeEvent, ChangeSlice, SliceLimit } from '@tidemark/core/adapter'
import { check } from '../assert/check.ts'
import { equal } from '../assert/equal.ts'
import { changeCase, needsThrough, type ChangeCase } from './change-case.ts'
import { AMPLE, brief, captureOne, insert, inTransaction, item, items, ITEMS, ordered, update, type ChangeFixture } from './change-fixture.ts'
import type { CapturedTable } from '../harness/change-spec.ts'

const ROW_BYTES = 2_000
const LARGE = 'x'.repeat(ROW_BYTES)

/** How a log is cut into slices, which must not change what is in it. */
export const sliceCases: readonly ChangeCase[] = [
  ...[1, 2, 3, 5, 1_000].map((events) => changeCase(`CHG-120.${events}`, `slices of ${events} events give the same changes as one`, async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    const expected = await writeTransactions(fixture)
    const slices = await fixture.reader.drainSlices({ ...AMPLE, events })
    equal(brief(ordered(fixture, slices.flatMap((slice) => slice.events))), expected, 'changes')
    check(slices.every((slice) => slice.events.length <= events), 'no slice has more events than the limit')
  })),
  changeCase('CHG-121', 'a limit in bytes cuts slices, and a row above the limit comes alone', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    await fixture.client.run(insert(fixture.table, items(1, 12).map((row) => ({ ...row, note: LARGE }))))
    await check4(fixture, { events: AMPLE.events, bytes: 4 * ROW_BYTES })
    await fixture.client.run(update(fixture.table, {}, { seen: 0 }))
    const slices = await fixture.reader.drainSlices({ events: AMPLE.events, bytes: 1 })
    equal(slices.flatMap((slice) => slice.events).length, 12, 'events of a limit that no row fits')
    check(slices.every((slice) => slice.events.length <= 1), 'every row above the limit comes alone')
  }),
  ...[1, 2, 1_000].map((events) => changeCase(`CHG-122.${events}`, `begin and commit, sequence and last agree with each other in slices of ${events}`, async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    await writeTransactions(fixture)
    const slices = (await fixture.reader.drainSlices({ ...AMPLE, events })).filter((slice) => slice.events.length > 0)
    for (const slice of slices) checkFlags(slice)
    checkSequences(slices.flatMap((slice) => slice.events))
    equal(slices.at(-1)?.commit, true, 'the last slice ends a transaction')
  })),
  changeCase('CHG-123', 'the order of positions is the order of commits, for events and for slices', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    const { epoch, sequence } = fixture.start
    await writeTransactions(fixture)
    const slices = [...await fixture.reader.drainSlices({ ...AMPLE, events: 2 })]
    await writeTransactions(fixture, 100)
    slices.push(...await fixture.reader.drainSlices({ ...AMPLE, events: 2 }))
    const positions = slices.flatMap((slice) => slice.events).map((event) => event.source.position)
    equal(positions, positions.toSorted(byUnit), 'positions of events in order')
    const ends = slices.map((slice) => slice.position)
    equal(ends.map((position) => position.sequence), ends.map((position) => position.sequence).toSorted(byUnit), 'positions of slices in order')
    check(ends.every((position) => position.epoch === epoch && position.sequence >= sequence), 'slices stay in the epoch and behind the start')
    check((ends.at(-1)?.sequence ?? '') > sequence, 'the log moves on')
  }),
  changeCase('CHG-124', 'isLast tells the log\'s end: false while more can be read, true at the end', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    await fixture.client.run(insert(fixture.table, items(1, 5)))
    const slices = await fixture.reader.drainSlices({ ...AMPLE, events: 2 })
    const lastWithEvents = slices.findLastIndex((slice) => slice.events.length > 0)
    equal(slices.slice(0, lastWithEvents).map((slice) => slice.isLast), Array.from({ length: lastWithEvents }, () => false), 'isLast before the last events')
    check(lastWithEvents >= 2, 'the transaction takes three slices')
    await fixture.client.run(insert(fixture.table, [item(6)]))
    equal(brief(await fixture.reader.drain()), ['insert 6'], 'what came after the end')
  }),
  changeCase('CHG-125', 'through ends the reading there, and the rest comes after it', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    await fixture.client.run(insert(fixture.table, items(1, 3)))
    const through = await fixture.connection.head()
    await fixture.client.run(insert(fixture.table, items(4, 6)))
    equal(brief(ordered(fixture, await fixture.reader.drain({ ...AMPLE, events: 2 }, through))), ['insert 1', 'insert 2', 'insert 3'], 'changes up to the position')
    equal(fixture.reader.position.sequence, through.sequence, 'where the reading stands')
    equal(await fixture.reader.drain(AMPLE, through), [], 'changes once more up to the position')
    equal(brief(ordered(fixture, await fixture.reader.drain())), ['insert 4', 'insert 5', 'insert 6'], 'the rest')
  }, needsThrough),
]

/** Four transactions of one to five changes; says what they are. */
async function writeTransactions({ client, table }: ChangeFixture & { readonly table: CapturedTable }, from = 1): Promise<readonly string[]> {
  await client.run(insert(table, [item(from)]))
  await inTransaction(client, async () => {
    await client.run(insert(table, items(from + 1, from + 3)))
    await client.run(insert(table, items(from + 4, from + 5)))
  })
  await client.run(insert(table, items(from + 6, from + 7)))
  await inTransaction(client, () => client.run(update(table, { id: from }, { seen: -1 })))
  return [...items(from, from + 7).map((row) => `insert ${String(row['id'])}`), `update ${from}`]
}

/** A limit of four rows: no slice holds many more, and none is needed that brings nothing. */
async function check4({ reader }: ChangeFixture, limit: SliceLimit): Promise<void> {
  const slices = await reader.drainSlices(limit)
  equal(slices.flatMap((slice) => slice.events).length, 12, 'events')
  check(slices.every((slice) => slice.events.length <= 5), 'no slice goes beyond the limit by more than a row')
  check(slices.every((slice) => slice.bytes >= 0.5 * ROW_BYTES * slice.events.length), 'the bytes said are about those of the rows')
}

/** A slice is whole transactions or a part of one. */
function checkFlags({ events, begin, commit }: ChangeSlice): void {
  equal(begin, events[0]?.tx.sequence === 0, 'begin beside the first sequence')
  equal(commit, events.at(-1)?.tx.last, 'commit beside the last change')
  if (begin && commit) return
  equal(new Set(events.map(({ tx }) => tx.id)).size, 1, 'transactions of a slice that is a part')
}

function checkSequences(events: readonly ChangeEvent[]): void {
  let expected = 0
  let open: string | undefined
  for (const { tx } of events) {
    equal(tx.sequence, expected, 'sequence')
    if (open !== undefined) equal(tx.id, open, 'id within one transaction')
    open = tx.last ? undefined : tx.id
    expected = tx.last ? 0 : expected + 1
  }
  equal(open, undefined, 'transaction open at the end')
}

function byUnit(left: string, right: string): number {
  return left < right ? -1 : Number(left > right)
}

import { check } from '../assert/check.ts'
import { defined } from '../assert/defined.ts'
import { equal } from '../assert/equal.ts'
import type { RowRecord, TableSpec } from '../harness/table-spec.ts'
import { needsKinds, sourceCase, type SourceCase } from './source-case.ts'
import { columnsNamed, EVENTS, event, expectedLines, openFixture, read, readAll, readPages, throughText, times } from './source-fixture.ts'

const PAIRS: TableSpec = {
  name: 'pairs',
  columns: [{ name: 'minor', kind: 'int' }, { name: 'major', kind: 'int' }, { name: 'seen', kind: 'int', nullable: true }],
  key: ['major', 'minor'],
}

const WORDS: TableSpec = {
  name: 'words',
  columns: [{ name: 'word', kind: 'text' }, { name: 'seen', kind: 'int', nullable: true }],
  key: ['word'],
}

/** Distinct also where case and accents do not count; no order between them is taken for granted. */
const WORD_LIST = ['apple', 'Berry', 'cherry', 'Date', 'élan', 'fig', 'Grape', 'ñu', 'öl', 'zebra', 'it\'s', 'a"b', 'back\\slash', '100%', 'under_score', '日本', ' lead']

export const orderCases: readonly SourceCase[] = [
  sourceCase('SRC-20', 'reads in key order when no tracking column is asked for', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, [event(3, 1), event(1, 3), event(2, 2)])
    equal(await readAll(fixture, {}), expectedLines(EVENTS, [event(1, 3), event(2, 2), event(3, 1)]), 'rows')
  }),
  sourceCase('SRC-21', 'misses no row where equal tracking values lie across a page break', async (harness) => {
    const rows = [event(1, 10), event(2, 20), event(3, 20), event(4, 30)]
    await using fixture = await openFixture(harness, EVENTS, rows)
    equal(await readAll(fixture, { tracking: 'seen', limit: 2 }), expectedLines(EVENTS, rows), 'rows')
  }),
  sourceCase('SRC-22', 'reads strictly after the cursor', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, [event(1, 10), event(2, 20), event(3, 30)])
    const first = await read(fixture, { tracking: 'seen', limit: 2 })
    const second = await read(fixture, { tracking: 'seen', after: throughText(first.last) })
    equal(second.rows.map((row) => row[0]), [3], 'ids of the second page')
    const third = await read(fixture, { tracking: 'seen', after: throughText(second.last) })
    equal([third.rows.length, third.last], [0, undefined], 'the page after the last row')
  }),
  sourceCase('SRC-23', 'comes through a group of equal tracking values that is larger than a page', async (harness) => {
    const rows = [event(1, 10), ...times(7, (number) => event(number + 1, 20)), event(9, 30)]
    await using fixture = await openFixture(harness, EVENTS, rows)
    equal(await readAll(fixture, { tracking: 'seen', limit: 3 }), expectedLines(EVENTS, rows), 'rows')
  }),
  sourceCase('SRC-24', 'breaks ties by every part of a composite key', async (harness) => {
    const rows = [pair(1, 2), pair(1, 10), pair(2, 1), pair(2, 3), pair(10, 1)]
    await using fixture = await openFixture(harness, PAIRS, rows.toReversed())
    equal(await readAll(fixture, { tracking: 'seen', limit: 2 }), expectedLines(PAIRS, rows), 'rows by tracking')
    equal(await readAll(fixture, { limit: 2 }), expectedLines(PAIRS, rows), 'rows by key')
  }),
  sourceCase('SRC-25', 'reads every row of a text key once, in the order of the engine\'s own collation', async (harness) => {
    const rows = WORD_LIST.map((word) => ({ word, seen: 1 }))
    await using fixture = await openFixture(harness, WORDS, rows)
    const whole = await readAll(fixture, { tracking: 'seen' })
    equal(whole.toSorted(), expectedLines(WORDS, rows).toSorted(), 'rows in one page')
    equal(await readAll(fixture, { tracking: 'seen', limit: 2 }), whole, 'rows in pages of two')
    equal(await readAll(fixture, { limit: 3 }), whole, 'rows by key')
  }),
  sourceCase('SRC-26', 'orders by tracking first, also against the order of the key', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, times(5, (number) => event(number, 6 - number)))
    equal((await readAll(fixture, { tracking: 'seen', limit: 2 })), expectedLines(EVENTS, times(5, (number) => event(6 - number, number))), 'rows')
  }),
  sourceCase('SRC-27', 'gives the columns asked for in the order asked for, with or without key and tracking', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, [event(1, 10), event(2, 20)])
    const columns = columnsNamed(fixture.table, ['note'])
    equal(await readAll(fixture, { tracking: 'seen', columns, limit: 1 }), expectedLines(EVENTS, [event(1, 10), event(2, 20)], ['note']), 'one column')
    const turned = columnsNamed(fixture.table, ['note', 'id'])
    equal(await readAll(fixture, { columns: turned }), expectedLines(EVENTS, [event(1, 10), event(2, 20)], ['note', 'id']), 'two columns')
  }),
  sourceCase('SRC-28', 'breaks ties by a key that the user named, where the table has none', async (harness) => {
    const rows = times(5, (number) => event(number, 1))
    await using fixture = await openFixture(harness, { ...EVENTS, key: [] }, rows)
    equal(await readAll(fixture, { key: ['id'], tracking: 'seen', limit: 2 }), expectedLines(EVENTS, rows), 'rows')
  }),
  sourceCase('SRC-29', 'takes one column as tracking and as key', async (harness) => {
    const rows = times(5, (number) => event(number, 1))
    await using fixture = await openFixture(harness, EVENTS, rows)
    equal(await readAll(fixture, { tracking: 'id', limit: 2 }), expectedLines(EVENTS, rows), 'rows')
  }),
  sourceCase('SRC-30', 'orders a text tracking column by the engine\'s own collation and takes any text as a cursor', async (harness) => {
    const spec: TableSpec = { name: 'labels', columns: [{ name: 'id', kind: 'int' }, { name: 'label', kind: 'text', nullable: true }], key: ['id'] }
    const rows = [...WORD_LIST, 'x\'; drop table labels; --', '', '\t', '$1 ? :name'].map((label, index) => ({ id: index + 1, label }))
    await using fixture = await openFixture(harness, spec, rows)
    const whole = await readAll(fixture, { tracking: 'label' })
    equal(whole.toSorted(), expectedLines(spec, rows).toSorted(), 'rows in one page')
    equal(await readAll(fixture, { tracking: 'label', limit: 1 }), whole, 'rows one by one')
  }),
  sourceCase('SRC-31', 'reads 2,000 rows in pages, each once', async (harness) => {
    const rows = times(2_000, (number) => event(number, Math.floor(number / 70)))
    await using fixture = await openFixture(harness, EVENTS, rows)
    equal(await readAll(fixture, { tracking: 'seen', limit: 150 }), expectedLines(EVENTS, rows), 'rows')
  }),
  sourceCase('SRC-32', 'never gives a row again for microseconds in its tracking value', async (harness) => {
    const spec: TableSpec = { name: 'moments', columns: [{ name: 'id', kind: 'int' }, { name: 'at', kind: 'timestamp' }], key: ['id'] }
    const rows: readonly RowRecord[] = times(6, (number) => ({ id: number, at: `2024-02-29T23:59:59.00000${number}` }))
    await using fixture = await openFixture(harness, spec, rows)
    equal(await readAll(fixture, { tracking: 'at', limit: 1 }), expectedLines(spec, rows), 'rows one by one')
    const last = defined((await readPages(fixture, { tracking: 'at' })).at(-1)?.last, 'a last cursor')
    const again = await read(fixture, { tracking: 'at', after: throughText(last) })
    equal([again.rows.length, again.cursorAhead], [0, false], 'reading on from the newest row')
  }, needsKinds('timestamp')),
  sourceCase('SRC-33', 'says that the cursor is ahead when it lies above every row, and only then', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, [event(1, 10), event(2, 20), event(3, 20)])
    const first = await read(fixture, { tracking: 'seen' })
    const after = throughText(first.last)
    check(!first.cursorAhead, 'reading from the start is not ahead')
    check(!(await read(fixture, { tracking: 'seen', after })).cursorAhead, 'a cursor at the greatest row is not ahead')
    await harness.delete(fixture.created, { id: 3 })
    check((await read(fixture, { tracking: 'seen', after })).cursorAhead, 'the cursor is ahead once the newest row of a tie is gone')
    await harness.delete(fixture.created, { id: 2 })
    check((await read(fixture, { tracking: 'seen', after })).cursorAhead, 'the cursor is ahead once the newest rows are gone')
    await harness.insert(fixture.created, [event(4, 40)])
    check(!(await read(fixture, { tracking: 'seen', after })).cursorAhead, 'a newer row ends it')
  }),
]

function pair(major: number, minor: number): RowRecord {
  return { major, minor, seen: 1 }
}

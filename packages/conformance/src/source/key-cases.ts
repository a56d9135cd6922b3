import { check } from '../assert/check.ts'
import { defined } from '../assert/defined.ts'
import { equal } from '../assert/equal.ts'
import { sourceCase, type SourceCase } from './source-case.ts'
import { columnsNamed, EVENTS, event, expectedLines, lines, openFixture, read, throughText, times } from './source-fixture.ts'

export const keyCases: readonly SourceCase[] = [
  sourceCase('SRC-50', 'the high mark is the greatest (tracking, key), and nothing lies after it', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, [event(1, 30), event(2, 10), event(3, 30)])
    const high = await fixture.connection.readHighMark({ table: fixture.table, key: ['id'], tracking: 'seen' })
    const after = throughText(defined(high.cursor, 'a high mark'))
    const page = await read(fixture, { tracking: 'seen', after })
    equal([page.rows.length, page.cursorAhead, high.hasNullTracking], [0, false, false], 'reading on from the high mark')
    equal(after, throughText((await read(fixture, { tracking: 'seen' })).last), 'the high mark beside the last cursor of a page')
  }),
  sourceCase('SRC-51', 'the high mark of an empty table is undefined, with a fence', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS)
    const high = await fixture.connection.readHighMark({ table: fixture.table, key: ['id'], tracking: 'seen' })
    equal([high.cursor, typeof high.fence, high.hasNullTracking], [undefined, 'string', false], 'high mark')
  }),
  sourceCase('SRC-52', 'the high mark leaves NULL tracking out and reports it', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, [event(1, null)])
    const request = { table: fixture.table, key: ['id'], tracking: 'seen' }
    const onlyNull = await fixture.connection.readHighMark(request)
    equal([onlyNull.cursor, onlyNull.hasNullTracking], [undefined, true], 'high mark of NULL alone')
    await harness.insert(fixture.created, [event(2, 5)])
    const mixed = await fixture.connection.readHighMark(request)
    check(mixed.cursor !== undefined && mixed.hasNullTracking, 'a high mark beside NULL')
  }),
  sourceCase('SRC-53', 'reads rows by key: those that exist, without the others, in the columns asked for', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, times(5, (number) => event(number, number)))
    const columns = columnsNamed(fixture.table, ['note', 'id'])
    const found = await fixture.connection.readRowsByKey({ table: fixture.table, columns, key: ['id'], keys: [[4], [99], [2], [-1]] })
    equal(lines(found, columns).toSorted(), expectedLines(EVENTS, [event(2, 2), event(4, 4)], ['note', 'id']), 'rows')
  }),
  sourceCase('SRC-54', 'reads no rows for no keys', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, [event(1, 1)])
    equal(await fixture.connection.readRowsByKey({ table: fixture.table, columns: fixture.table.columns, key: ['id'], keys: [] }), [], 'rows')
  }),
  sourceCase('SRC-55', 'reads 1,000 keys at once, as number or as bigint', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, times(1_000, (number) => event(number, 1)))
    const keys = times(1_000, (number) => [number % 2 === 0 ? number : BigInt(number)])
    const found = await fixture.connection.readRowsByKey({ table: fixture.table, columns: fixture.table.columns, key: ['id'], keys })
    equal(new Set(found.map((row) => String(row[0]))).size, 1_000, 'different rows found')
  }),
]

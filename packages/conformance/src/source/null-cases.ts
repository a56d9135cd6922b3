import { check } from '../assert/check.ts'
import { equal } from '../assert/equal.ts'
import { sourceCase, type SourceCase } from './source-case.ts'
import { EVENTS, event, expectedLines, openFixture, read, readAll, times } from './source-fixture.ts'

export const nullCases: readonly SourceCase[] = [
  sourceCase('SRC-34', 'leaves rows with NULL tracking out and says that there are some', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, [event(1, null), event(2, 20), event(3, null)])
    const page = await read(fixture, { tracking: 'seen' })
    equal(page.rows.map((row) => row[0]), [2], 'ids')
    check(page.hasNullTracking, 'rows with NULL tracking are reported')
    const next = await read(fixture, { tracking: 'seen', after: page.last })
    equal([next.rows.length, next.hasNullTracking], [0, true], 'the page after')
  }),
  sourceCase('SRC-35', 'reports no NULL tracking where there is none', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, [event(1, 10), event(2, 20)])
    equal((await read(fixture, { tracking: 'seen' })).hasNullTracking, false, 'a nullable column without NULL')
    equal((await read(fixture, { tracking: 'id' })).hasNullTracking, false, 'a column that can\'t be NULL')
    equal((await read(fixture)).hasNullTracking, false, 'no tracking column')
  }),
  sourceCase('SRC-36', 'reports NULL tracking that came in later, also on an empty page', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, [event(1, 10)])
    const { last } = await read(fixture, { tracking: 'seen' })
    await harness.insert(fixture.created, [event(2, null)])
    const page = await read(fixture, { tracking: 'seen', after: last })
    equal([page.rows.length, page.hasNullTracking], [0, true], 'page')
  }),
  sourceCase('SRC-37', 'reads just the rows with NULL tracking, in key order and page by page, on request', async (harness) => {
    const rows = times(9, (number) => event(number, number % 2 === 0 ? number : null))
    await using fixture = await openFixture(harness, EVENTS, rows)
    const expected = expectedLines(EVENTS, rows.filter((row) => row.seen === null))
    equal(await readAll(fixture, { tracking: 'seen', nullTracking: true }), expected, 'rows in one page')
    equal(await readAll(fixture, { tracking: 'seen', nullTracking: true, limit: 2 }), expected, 'rows in pages of two')
  }),
]

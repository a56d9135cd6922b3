import type { Cursor, Mark } from '@tidemark/core/adapter'
import { equal } from '../assert/equal.ts'
import { eventually } from '../assert/eventually.ts'
import { defined } from '../assert/defined.ts'
import type { OpenTransaction, SourceHarness, SourceTraits } from '../harness/source-harness.ts'
import { all, byGrace, needsProof, needsTransactions, sourceCase, type SourceCase } from './source-case.ts'
import { EVENTS, event, markOf, openFixture, read, throughText, type SourceFixture } from './source-fixture.ts'

/**
 * The rules of a settled cursor. A mark that settles while an older row can still appear loses that row for ever;
 * a mark that never settles makes every poll read more than the one before.
 */
const settlesNextToWriter = ({ facts }: SourceTraits): true | string => facts.settlesNextToWriter || 'a mark waits for a writer of the row behind it'

export const settlingCases: readonly SourceCase[] = [
  sourceCase('SRC-60', 'a mark settles on a later read when no transaction is open', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, [event(1, 1)])
    const mark = await takeMark(fixture)
    await harness.passGrace()
    equal(await untilSettled(fixture, [mark]), 1, 'settled marks')
  }),
  sourceCase('SRC-61', 'a mark does not settle while an earlier transaction is open, settles after its commit, and its row is there', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, [event(1, 1)])
    const transaction = await begin(harness)
    await transaction.insert(fixture.created, [event(2, 2)])
    await harness.insert(fixture.created, [event(3, 3)])
    const mark = await takeMark(fixture)
    await harness.passGrace()
    const during = await read(fixture, { tracking: 'seen', marks: [mark] })
    equal([during.rows.map((row) => row[0]), during.settledMarks], [[1, 3], 0], 'ids and settled marks while it is open')
    await transaction.commit()
    const { ids } = await settledRead(fixture, [mark])
    equal(ids, [1, 2, 3], 'ids of the read that settled the mark')
  }, all(needsTransactions, needsProof)),
  sourceCase('SRC-62', 'a mark settles after an earlier transaction was rolled back, without its row', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, [event(1, 1)])
    const transaction = await begin(harness)
    await transaction.insert(fixture.created, [event(2, 2)])
    await harness.insert(fixture.created, [event(3, 3)])
    const mark = await takeMark(fixture)
    await transaction.rollback()
    await harness.passGrace()
    equal((await settledRead(fixture, [mark])).ids, [1, 3], 'ids')
  }, all(needsTransactions, needsProof)),
  sourceCase('SRC-63', 'a source that settles by grace holds a mark back for the grace, and no longer for an open transaction', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, [event(1, 1)])
    const mark = await takeMark(fixture)
    equal((await read(fixture, { tracking: 'seen', marks: [mark] })).settledMarks, 0, 'settled marks before the grace has passed')
    await harness.passGrace()
    equal((await read(fixture, { tracking: 'seen', marks: [mark] })).settledMarks, 1, 'settled marks after it')
  }, all(byGrace, ({ facts }) => facts.holdsMarksBack || 'the wait is not the source\'s, see SRC-63.offered')),
  sourceCase('SRC-63.offered', 'a source that leaves the grace to its caller settles every mark that it is offered', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, [event(1, 1)])
    const marks = [await takeMark(fixture)]
    await harness.insert(fixture.created, [event(2, 2)])
    marks.push(await takeMark(fixture))
    equal((await read(fixture, { tracking: 'seen', marks })).settledMarks, 2, 'settled marks')
    equal((await read(fixture, { tracking: 'seen', marks: marks.slice(0, 1) })).settledMarks, 1, 'settled marks of one')
  }, all(byGrace, ({ facts }) => !facts.holdsMarksBack || 'the source waits itself, see SRC-63')),
  sourceCase('SRC-64', 'an update in an open transaction holds back marks above the value it writes', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, [event(1, 1), event(2, 2)])
    const transaction = await begin(harness)
    await transaction.update(fixture.created, { id: 1 }, { seen: 3 })
    await harness.insert(fixture.created, [event(4, 4)])
    const mark = await takeMark(fixture)
    await harness.passGrace()
    equal((await read(fixture, { tracking: 'seen', after: cursorAt(mark, '2'), marks: [mark] })).settledMarks, 0, 'settled marks while it is open')
    await transaction.commit()
    equal((await settledRead(fixture, [mark])).ids, [2, 1, 4], 'ids by tracking')
  }, all(needsTransactions, needsProof)),
  sourceCase('SRC-65', 'marks settle from the oldest, up to the first that has to wait', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, [event(1, 1)])
    const first = await takeMark(fixture)
    await harness.passGrace()
    await untilSettled(fixture, [first])
    const transaction = await begin(harness)
    await transaction.insert(fixture.created, [event(2, 2)])
    await harness.insert(fixture.created, [event(3, 3)])
    const second = await takeMark(fixture)
    await harness.insert(fixture.created, [event(4, 4)])
    const third = await takeMark(fixture)
    await harness.passGrace()
    const during = await read(fixture, { tracking: 'seen', marks: [first, second, third] })
    equal(during.settledMarks, 1, 'settled marks while the transaction is open')
    await transaction.commit()
    equal(await untilSettled(fixture, [first, second, third]), 3, 'settled marks after it')
  }, all(needsTransactions, needsProof, settlesNextToWriter)),
  sourceCase('SRC-66', 'a mark settles on another connection, after a restart', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, [event(1, 1)])
    const mark = await takeMark(fixture)
    await harness.passGrace()
    await fixture.connection[Symbol.asyncDispose]()
    await using connection = await harness.source().connect()
    equal(await untilSettled({ ...fixture, connection }, [mark]), 1, 'settled marks')
  }),
  sourceCase('SRC-67', 'no marks: none settles, and a fence is given with every page', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS)
    const page = await read(fixture, { tracking: 'seen' })
    equal([page.settledMarks, typeof page.fence], [0, 'string'], 'empty page')
  }),
  sourceCase('SRC-68', 'the fence of a high mark settles like that of a page', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, [event(1, 1)])
    const high = await fixture.connection.readHighMark({ table: fixture.table, key: ['id'], tracking: 'seen' })
    const mark = markOf(fixture, { last: high.cursor, fence: high.fence })
    await harness.passGrace()
    equal(await untilSettled(fixture, [mark]), 1, 'settled marks')
  }),
  sourceCase('SRC-69', 'polling from the last settled cursor sees every row of transactions that commit out of order', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS)
    equal([...await pollWhileCommitting(harness, fixture)].toSorted((left, right) => left - right), [1, 2, 3, 4, 5, 6], 'ids seen')
  }, all(needsTransactions, needsProof)),
]

/** Three transactions whose commits come in the reverse order of their rows, with a poll between any two steps. */
async function pollWhileCommitting(harness: SourceHarness, fixture: SourceFixture): Promise<ReadonlySet<number>> {
  const poller = new Poller(fixture)
  const transactions: OpenTransaction[] = []
  for (const id of [1, 3, 5]) {
    const transaction = await begin(harness)
    await transaction.insert(fixture.created, [event(id, id)])
    transactions.push(transaction)
    await harness.insert(fixture.created, [event(id + 1, id + 1)])
    await poller.poll()
  }
  for (const transaction of transactions.toReversed()) {
    await poller.poll()
    await transaction.commit()
    await poller.poll()
  }
  await eventually(async () => (await poller.poll(), poller.pending === 0 ? true : undefined), 'every mark settles')
  return poller.seen
}

/** The loop that a replicator runs, without its target. */
class Poller {
  readonly seen = new Set<number>()
  readonly #fixture: SourceFixture
  #settled: Cursor | undefined
  #marks: readonly Mark[] = []

  constructor(fixture: SourceFixture) {
    this.#fixture = fixture
  }

  get pending(): number {
    return this.#marks.length
  }

  async poll(): Promise<void> {
    await this.#fixture.harness.passGrace()
    const page = await read(this.#fixture, { tracking: 'seen', after: this.#settled, marks: this.#marks })
    for (const row of page.rows) this.seen.add(Number(row[0]))
    if (page.settledMarks > 0) this.#settled = this.#marks[page.settledMarks - 1]?.cursor
    const waiting = this.#marks.slice(page.settledMarks)
    const isNew = page.last !== undefined && waiting.at(-1)?.cursor.key[0] !== page.last.key[0] && this.#settled?.key[0] !== page.last.key[0]
    this.#marks = isNew ? [...waiting, markOf(this.#fixture, page)] : waiting
  }
}

function takeMark(fixture: SourceFixture): Promise<Mark> {
  return read(fixture, { tracking: 'seen' }).then((page) => markOf(fixture, page))
}

/** Reads until every mark has settled: other sessions of a shared server may hold a snapshot back for a while. */
async function untilSettled(fixture: SourceFixture, marks: readonly Mark[]): Promise<number> {
  await settledRead(fixture, marks)
  return marks.length
}

async function settledRead(fixture: SourceFixture, marks: readonly Mark[]): Promise<{ readonly ids: readonly number[] }> {
  return eventually(async () => {
    const page = await read(fixture, { tracking: 'seen', marks: throughText(marks) })
    return page.settledMarks === marks.length ? { ids: page.rows.map((row) => Number(row[0])) } : undefined
  }, 'the marks settle')
}

function cursorAt(mark: Mark, text: string): Cursor {
  return { ...mark.cursor, tracking: text, key: [text] }
}

function begin(harness: SourceHarness): Promise<OpenTransaction> {
  return defined(harness.begin?.bind(harness), 'begin, which the facts promise')()
}

import type { ColumnSchema, RowStream, StreamRowsRequest } from '@tidemark/core/adapter'
import { CellSink } from '../assert/cell-sink.ts'
import { check } from '../assert/check.ts'
import { defined } from '../assert/defined.ts'
import { equal } from '../assert/equal.ts'
import { eventually } from '../assert/eventually.ts'
import { failsWith } from '../assert/fails-with.ts'
import { COLUMN_KINDS } from '../harness/table-spec.ts'
import { all, needsKinds, needsProof, needsStream, needsTransactions, sourceCase, type SourceCase } from './source-case.ts'
import { columnsNamed, EVENTS, event, markOf, openFixture, read, readAll, throughText, times, type SourceFixture } from './source-fixture.ts'
import { hardRows, specOfKind } from './value-cases.ts'

/** Large enough for many chunks of any engine. */
const MANY = 20_000
const manyEvents = times(MANY, (number) => event(number, number, `note ${'x'.repeat(80)} ${number}`))

export const streamCases: readonly SourceCase[] = [
  ...COLUMN_KINDS.map((kind) => sourceCase(`SRC-70.${kind}`, `a stream gives the same ${kind} cells as a page`, async (harness) => {
    await using fixture = await openFixture(harness, specOfKind(kind), hardRows(kind))
    equal(await drain(fixture), await readAll(fixture, {}), 'rows of the stream beside those of pages')
  }, all(needsStream, needsKinds(kind)))),
  sourceCase('SRC-71', 'a stream goes on strictly after a cursor, and its decoder knows the last one', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, times(20, (number) => event(number, number)))
    const first = await read(fixture, { limit: 7 })
    await using stream = await open(fixture, { after: throughText(first.last) })
    equal((await consume(stream, fixture.table.columns)).length, 13, 'rows after the seventh')
    equal(stream.decoder.rows, 13, 'rows counted by the decoder')
    equal(stream.decoder.last, (await read(fixture)).last, 'last cursor of the decoder beside that of a page')
  }, needsStream),
  sourceCase('SRC-72', 'a stream closed early gives the connection back', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, manyEvents)
    for (const _round of [1, 2, 3]) {
      await using stream = await open(fixture)
      for await (const _chunk of stream) break
    }
    await using untouched = await open(fixture)
    await untouched[Symbol.asyncDispose]()
    equal((await read(fixture, { limit: 3 })).rows.length, 3, 'rows of a page afterwards')
  }, needsStream),
  ...[1, 3, 7, 1_000].map((size) => sourceCase(`SRC-73.${size}`, `the decoder gives the same rows fed ${size} bytes at a time`, async (harness) => {
    await using fixture = await openFixture(harness, specOfKind('text'), hardRows('text'))
    const expected = await drain(fixture)
    await using stream = await open(fixture)
    equal(await consume(stream, fixture.table.columns, size), expected, 'rows')
  }, needsStream)),
  sourceCase('SRC-74', 'a stream that ends within a row is SOURCE_CORRUPT_RESULT', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, times(3, (number) => event(number, number)))
    await using stream = await open(fixture)
    const bytes = await collect(stream)
    const sink = new CellSink(fixture.table.columns)
    await failsWith('SOURCE_CORRUPT_RESULT', async () => {
      stream.decoder.push(bytes.subarray(0, bytes.length - 1), sink)
      stream.decoder.end()
    }, 'ending')
  }, needsStream),
  sourceCase('SRC-75', 'a stream settles marks by its own snapshot', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, [event(1, 1)])
    const page = await read(fixture, { tracking: 'seen' })
    const mark = markOf(fixture, page)
    await harness.passGrace()
    await eventually(async () => {
      await using stream = await open(fixture)
      await consume(stream, fixture.table.columns)
      return stream.settles(mark) ? true : undefined
    }, 'the mark settles')
  }, needsStream),
  sourceCase('SRC-76', 'a stream does not settle a mark while an earlier transaction is open', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, [event(1, 1)])
    const transaction = await defined(harness.begin?.bind(harness), 'begin, which the facts promise')()
    await transaction.insert(fixture.created, [event(2, 2)])
    await harness.insert(fixture.created, [event(3, 3)])
    const mark = markOf(fixture, await read(fixture, { tracking: 'seen' }))
    await harness.passGrace()
    await using stream = await open(fixture)
    await consume(stream, fixture.table.columns)
    equal(stream.settles(mark), false, 'settled')
    await transaction.rollback()
  }, all(needsStream, needsTransactions, needsProof)),
  sourceCase('SRC-77', 'the fence of a stream settles on a later read', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, [event(1, 1)])
    await using stream = await open(fixture)
    await consume(stream, fixture.table.columns)
    await stream[Symbol.asyncDispose]()
    const mark = markOf(fixture, { last: (await read(fixture, { tracking: 'seen' })).last, fence: stream.fence })
    await harness.passGrace()
    await eventually(async () => (await read(fixture, { tracking: 'seen', marks: [mark] })).settledMarks === 1 || undefined, 'the mark settles')
  }, needsStream),
  sourceCase('SRC-78', 'a stream without key reads every row, and has no cursor', async (harness) => {
    const rows = [event(1, 1), event(1, 1), event(2, 2)]
    await using fixture = await openFixture(harness, { ...EVENTS, key: [] }, rows)
    await using stream = await open(fixture, { key: [] })
    equal([(await consume(stream, fixture.table.columns)).length, stream.decoder.last], [3, undefined], 'rows and cursor')
  }, needsStream),
  sourceCase('SRC-79', 'a stream of an empty table has no row and ends well', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS)
    await using stream = await open(fixture)
    equal([await consume(stream, fixture.table.columns), stream.decoder.rows, stream.decoder.last], [[], 0, undefined], 'stream')
  }, needsStream),
  sourceCase('SRC-80', 'a stream sees one snapshot: rows that come in while it runs are not in it', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, manyEvents)
    await using stream = await open(fixture)
    const sink = new CellSink(fixture.table.columns)
    let chunks = 0
    for await (const chunk of stream) {
      if (chunks === 0) await harness.insert(fixture.created, [event(MANY + 1, 1)])
      stream.decoder.push(chunk, sink)
      chunks += 1
    }
    stream.decoder.end()
    check(chunks > 1, 'the table is larger than one chunk')
    equal(sink.rows.length, MANY, 'rows')
  }, needsStream),
  sourceCase('SRC-81', 'a stream gives the columns asked for in the order asked for', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, [event(1, 10), event(2, 20)])
    const columns = columnsNamed(fixture.table, ['note', 'seen'])
    await using stream = await open(fixture, { columns })
    equal(await consume(stream, columns), await readAll(fixture, { columns }), 'rows')
  }, needsStream),
  sourceCase('SRC-82', 'a stream that is aborted under way is ABORTED, and the connection stays usable', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, manyEvents)
    const controller = new AbortController()
    await failsWith('ABORTED', async () => {
      await using stream = await open(fixture, { signal: controller.signal })
      for await (const _chunk of stream) controller.abort()
    }, 'iterating')
    equal((await read(fixture, { limit: 3 })).rows.length, 3, 'rows of a page afterwards')
  }, needsStream),
  sourceCase('SRC-84', 'a stream closed under way does not end like a whole one: going on is CLOSED', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, manyEvents)
    await using stream = await open(fixture)
    const chunks = stream[Symbol.asyncIterator]()
    await chunks.next()
    await stream[Symbol.asyncDispose]()
    await failsWith('CLOSED', async () => {
      while ((await chunks.next()).done !== true);
    }, 'going on')
    await using untouched = await open(fixture)
    await untouched[Symbol.asyncDispose]()
    await failsWith('CLOSED', () => consume(untouched, fixture.table.columns), 'beginning')
  }, needsStream),
  sourceCase('SRC-83', 'a source that does not stream has no streamRows', async (harness) => {
    await using connection = await harness.source().connect()
    equal(typeof connection.streamRows, 'undefined', 'streamRows')
  }, ({ capabilities }) => !capabilities.streamsRows || 'the source streams rows'),
]

function open(fixture: SourceFixture, changes: Partial<StreamRowsRequest> = {}): Promise<RowStream> {
  const { connection, table, created } = fixture
  const streamRows = defined(connection.streamRows?.bind(connection), 'streamRows, which the capabilities promise')
  return streamRows({ table, columns: table.columns, key: created.spec.key, ...changes })
}

async function drain(fixture: SourceFixture): Promise<readonly string[]> {
  await using stream = await open(fixture)
  // Awaited here: the stream is closed when this function returns.
  return await consume(stream, fixture.table.columns)
}

/** Decodes the whole stream, in pieces of `pieceBytes` where given. Every piece is wiped afterwards: a decoder keeps no reference to it. */
async function consume(stream: RowStream, columns: readonly ColumnSchema[], pieceBytes?: number): Promise<readonly string[]> {
  const sink = new CellSink(columns)
  for await (const chunk of stream) {
    const size = pieceBytes ?? Math.max(1, chunk.length)
    for (let start = 0; start < chunk.length; start += size) {
      const piece = chunk.slice(start, start + size)
      stream.decoder.push(piece, sink)
      piece.fill(0xff)
    }
  }
  stream.decoder.end()
  return sink.rows
}

async function collect(stream: RowStream): Promise<Uint8Array> {
  const bytes: number[] = []
  for await (const chunk of stream) bytes.push(...chunk)
  return Uint8Array.from(bytes)
}

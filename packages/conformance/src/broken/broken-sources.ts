import { TidemarkError, type Cursor, type ReadRowsRequest, type RowPage, type RowStream, type SourceConnection, type SourceDialect, type Value } from '@tidemark/core/adapter'
import { defined } from '../assert/defined.ts'
import { overrideSource } from './override-source.ts'

/** A mistake that adapters make, and the cases that have to notice it: these and no others. */
export interface BrokenSource {
  readonly name: string
  readonly wrap: (source: SourceDialect) => SourceDialect
  readonly fails: readonly string[]
}

export const BROKEN_SOURCES: readonly BrokenSource[] = [
  {
    name: 'compares the tracking value alone, so ties are lost at a page break',
    wrap: changingPages((connection, request) => connection.readRows({ ...request, after: pastTies(request) })),
    fails: ['SRC-21', 'SRC-23', 'SRC-24', 'SRC-25', 'SRC-28', 'SRC-31', 'SRC-32', 'SRC-33', 'SRC-50'],
  },
  {
    name: 'reads from the cursor on instead of after it',
    wrap: changingPages(readFromCursor),
    fails: [
      'SRC-15.*', 'SRC-16', 'SRC-20', 'SRC-21', 'SRC-22', 'SRC-23', 'SRC-24', 'SRC-25', 'SRC-26', 'SRC-27',
      'SRC-28', 'SRC-29', 'SRC-30', 'SRC-31', 'SRC-32', 'SRC-34', 'SRC-36', 'SRC-37', 'SRC-40.*', 'SRC-41.*',
      'SRC-42.*', 'SRC-43', 'SRC-50', 'SRC-70.*', 'SRC-81',
    ],
  },
  {
    name: 'rounds large integers',
    wrap: changingValues((value) => (typeof value === 'bigint' ? BigInt(Number(value)) : value)),
    fails: ['SRC-40.bigint', 'SRC-41.bigint', 'SRC-42.bigint', 'SRC-70.bigint'],
  },
  {
    name: 'takes the empty text for NULL',
    wrap: changingValues((value) => (value === '' ? null : value)),
    fails: ['SRC-30', 'SRC-40.text', 'SRC-41.text', 'SRC-42.text', 'SRC-70.text'],
  },
  {
    name: 'ends text at U+0000',
    wrap: changingValues((value) => (typeof value === 'string' ? value.split('\0', 1)[0] ?? '' : value)),
    fails: ['SRC-43'],
  },
  {
    name: 'settles every mark at once',
    wrap: changingPages(async (connection, request) => ({ ...(await connection.readRows(request)), settledMarks: request.marks?.length ?? 0 })),
    fails: ['SRC-61', 'SRC-64', 'SRC-65', 'SRC-69'],
  },
  {
    name: 'settles the newest mark with the oldest',
    wrap: changingPages(async (connection, request) => {
      const page = await connection.readRows(request)
      return { ...page, settledMarks: page.settledMarks > 0 ? request.marks?.length ?? 0 : 0 }
    }),
    fails: ['SRC-65'],
  },
  {
    name: 'says nothing of NULL tracking',
    wrap: changingPages(async (connection, request) => ({ ...(await connection.readRows(request)), hasNullTracking: false })),
    fails: ['SRC-34', 'SRC-36'],
  },
  {
    name: 'keeps milliseconds of a cursor',
    wrap: changingPages(async (connection, request) => shortenCursor(await connection.readRows(request))),
    fails: ['SRC-32', 'SRC-41.timestamp'],
  },
  {
    name: 'never says that the cursor is ahead',
    wrap: changingPages(async (connection, request) => ({ ...(await connection.readRows(request)), cursorAhead: false })),
    fails: ['SRC-33'],
  },
  {
    name: 'remembers the version of the first page',
    wrap: changingPages(async (connection, request) => ({ ...(await connection.readRows(request)), schemaVersion: '1' })),
    fails: ['SRC-12'],
  },
  {
    name: 'ignores signals',
    wrap: (source) => overrideSource(source, (connection) => ({ readRows: (request) => connection.readRows({ ...request, signal: undefined }) })),
    fails: ['SRC-87.readRows', 'SRC-89.readRows'],
  },
  {
    name: 'goes on after it was closed',
    wrap: (source) => overrideSource(source, () => ({ [Symbol.asyncDispose]: async () => {} })),
    fails: ['SRC-86.*'],
  },
  {
    name: 'puts the connection string into its error',
    wrap: (source) => ({
      ...source,
      connect: (options) => source.connect(options).catch((error: unknown) => {
        throw new TidemarkError(error instanceof TidemarkError ? error.code : 'INTERNAL', 'failed', { cause: new Error('user:correct horse@host') })
      }),
    }),
    fails: ['SRC-92', 'SRC-93'],
  },
  {
    name: 'begins a stream anew instead of after the cursor',
    wrap: changingStreams((open, request) => open({ ...request, after: undefined })),
    fails: ['SRC-71'],
  },
  {
    name: 'takes a stream that was cut for a whole one',
    wrap: changingStreams(async (open, request) => keepQuiet(await open(request))),
    fails: ['SRC-74'],
  },
  {
    name: 'forgets the part of a row that ends a chunk',
    wrap: changingStreams(async (open, request) => forgetful(await open(request))),
    fails: ['SRC-70.text', 'SRC-70.blob', 'SRC-73.*', 'SRC-74', 'SRC-80'],
  },
]

function changingPages(change: (connection: SourceConnection, request: ReadRowsRequest) => Promise<RowPage>): BrokenSource['wrap'] {
  return (source) => overrideSource(source, (connection) => ({ readRows: (request) => change(connection, request) }))
}

function changingValues(change: (value: Value) => Value): BrokenSource['wrap'] {
  return changingPages(async (connection, request) => {
    const page = await connection.readRows(request)
    return { ...page, rows: page.rows.map((row) => row.map(change)) }
  })
}

type Open = NonNullable<SourceConnection['streamRows']>

function changingStreams(change: (open: Open, request: Parameters<Open>[0]) => Promise<RowStream>): BrokenSource['wrap'] {
  return (source) => overrideSource(source, (connection) => {
    const open = defined(connection.streamRows?.bind(connection), 'streamRows')
    return { streamRows: (request) => change(open, request) }
  })
}

/** The cursor moved behind every key that could share its tracking value. */
function pastTies({ after }: ReadRowsRequest): Cursor | undefined {
  if (after?.tracking === undefined) return after
  return { ...after, key: after.key.map((part) => (/^-?\d+$/u.test(part) ? '9223372036854775807' : '\u{10FFFF}')) }
}

async function readFromCursor(connection: SourceConnection, request: ReadRowsRequest): Promise<RowPage> {
  if (request.after === undefined) return connection.readRows(request)
  const everything = { ...request, limit: Number.MAX_SAFE_INTEGER }
  const all = await connection.readRows({ ...everything, after: undefined })
  const rest = await connection.readRows(everything)
  const start = Math.max(0, all.rows.length - rest.rows.length - 1)
  const rows = all.rows.slice(start, start + request.limit)
  const upToLast = await connection.readRows({ ...request, after: undefined, limit: start + rows.length })
  return { ...rest, rows, last: rows.length === 0 ? undefined : upToLast.last }
}

function shortenCursor(page: RowPage): RowPage {
  const tracking = page.last?.tracking?.replace(/(\.\d{3})\d{3}$/u, '$1000')
  return page.last === undefined ? page : { ...page, last: { ...page.last, tracking } }
}

function keepQuiet(stream: RowStream): RowStream {
  const { decoder } = stream
  return {
    fence: stream.fence,
    settles: (mark) => stream.settles(mark),
    decoder: {
      push: (chunk, sink) => decoder.push(chunk, sink),
      end: () => {},
      get rows() { return decoder.rows },
      get last() { return decoder.last },
    },
    [Symbol.asyncIterator]: () => stream[Symbol.asyncIterator](),
    [Symbol.asyncDispose]: () => stream[Symbol.asyncDispose](),
  }
}

/** Gives the decoder only whole lines of each chunk, as a decoder without memory would. */
function forgetful(stream: RowStream): RowStream {
  const quiet = keepQuiet(stream)
  const { decoder } = stream
  return {
    ...quiet,
    decoder: {
      push: (chunk, sink) => decoder.push(chunk.subarray(0, chunk.lastIndexOf(10) + 1), sink),
      end: () => decoder.end(),
      get rows() { return decoder.rows },
      get last() { return decoder.last },
    },
  }
}

import { TidemarkError, type ChangeConnection, type ChangeEvent, type ChangeSlice, type LogPosition, type ReadChangesRequest } from '@tidemark/core/adapter'
import { defined } from '../assert/defined.ts'
import { keyText } from './key-text.ts'
import type { BrokenChanges } from './broken-changes.ts'
import { overrideChanges } from './override-changes.ts'

type Wrap = NonNullable<BrokenChanges['subject']['wrap']>
type ReadChunk = NonNullable<ChangeConnection['readChunk']>

/** Mistakes in what is read, and from where. */
export const BROKEN_CHANGE_READS: readonly BrokenChanges[] = [
  { name: 'ignores the limit', subject: { wrap: reading((connection, request) => connection.readChanges({ ...request, limit: { events: 10_000, bytes: 1 << 24 } })) }, fails: ['CHG-120.1', 'CHG-120.2', 'CHG-120.3', 'CHG-120.5', 'CHG-121', 'CHG-124', 'CHG-312', 'CHG-317'] },
  { name: 'ignores the limit in bytes', subject: { wrap: reading((connection, request) => connection.readChanges({ ...request, limit: { ...request.limit, bytes: 1 << 24 } })) }, fails: ['CHG-121'] },
  { name: 'ignores through', subject: { wrap: reading((connection, request) => connection.readChanges({ ...request, through: undefined })) }, fails: ['CHG-125', 'CHG-806', 'CHG-807.*', 'CHG-808'] },
  { name: 'goes on at the head whatever was read', subject: { wrap: reading(async (connection, request) => ({ ...await connection.readChanges(request), position: await connection.head() })) }, fails: [
    'CHG-120.1', 'CHG-120.2', 'CHG-120.3', 'CHG-120.5', 'CHG-121', 'CHG-124', 'CHG-125', 'CHG-312', 'CHG-313', 'CHG-317',
    'CHG-601', 'CHG-603', 'CHG-708', 'CHG-806', 'CHG-807.*', 'CHG-808', 'CHG-951.*', 'CHG-952.*', 'CHG-953.*', 'CHG-954.*',
  ] },
  { name: 'says of every slice that it is the last', subject: { wrap: slicing((slice) => ({ ...slice, isLast: true })) }, fails: [
    'CHG-120.1', 'CHG-120.2', 'CHG-120.3', 'CHG-120.5', 'CHG-121', 'CHG-124', 'CHG-125', 'CHG-312', 'CHG-313', 'CHG-317',
    'CHG-601', 'CHG-603', 'CHG-607', 'CHG-708', 'CHG-807.*', 'CHG-808', 'CHG-951.*', 'CHG-952.seed-1', 'CHG-952.seed-3', 'CHG-953.seed-1',
    'CHG-953.seed-3', 'CHG-954.*',
  ] },
  { name: 'says of every slice that it is a transaction', subject: { wrap: slicing((slice) => ({ ...slice, begin: true, commit: true })) }, fails: ['CHG-122.1', 'CHG-122.2', 'CHG-312'] },
  { name: 'counts each slice of a transaction from 0', subject: { wrap: slicing((slice) => ({ ...slice, events: slice.events.map(countFromZero) })) }, fails: ['CHG-112', 'CHG-122.*'] },
  { name: 'makes one transaction of all that is read at once', subject: { wrap: slicing((slice) => ({ ...slice, events: slice.events.map(inOneTransaction) })) }, fails: ['CHG-112', 'CHG-122.1', 'CHG-122.2'] },
  { name: 'tells the last changes again when there are none', subject: { wrap: (source) => overrideChanges(source, repeating) }, fails: ['CHG-125', 'CHG-951.*', 'CHG-952.*', 'CHG-953.*', 'CHG-954.*'] },
  { name: 'begins at the head of its own connection', subject: { wrap: (source) => overrideChanges(source, startingAtHead) }, fails: ['CHG-110', 'CHG-509', 'CHG-601', 'CHG-602', 'CHG-608', 'CHG-609', 'CHG-610'] },
  { name: 'remembers the head', subject: { wrap: (source) => overrideChanges(source, (connection) => {
    const head = connection.head()
    return { head: () => head }
  }) }, fails: ['CHG-125', 'CHG-613', 'CHG-709', 'CHG-902.head', 'CHG-903.head'] },
  { name: 'does not see that all rows are deleted at once', subject: { wrap: slicing((slice) => ({ ...slice, events: slice.events.every((event) => event.op === 'delete') ? [] : slice.events })) }, fails: [
    'CHG-106', 'CHG-201.*', 'CHG-205', 'CHG-403', 'CHG-440.*', 'CHG-441', 'CHG-951.*', 'CHG-952.*', 'CHG-953.*', 'CHG-954.*',
  ] },
  { name: 'does not see truncating', subject: { wrap: slicing((slice) => ({ ...slice, events: slice.events.filter((event) => event.op !== 'truncate') })) }, fails: ['CHG-413'] },
  { name: 'sorts changes by key', subject: { wrap: slicing((slice) => ({ ...slice, events: slice.events.toSorted((left, right) => Number(left.key?.['id']) - Number(right.key?.['id']) || 0) })) }, fails: [
    'CHG-120.1000', 'CHG-120.3', 'CHG-120.5', 'CHG-310', 'CHG-315', 'CHG-402', 'CHG-432', 'CHG-433', 'CHG-435', 'CHG-601',
    'CHG-602',
  ] },
  { name: 'says that every column may be NULL and none is computed', subject: { wrap: (source) => overrideChanges(source, (connection) => ({
    tables: async (options) => (await connection.tables(options)).map((table) => ({ ...table, columns: table.columns.map((column) => ({ ...column, nullable: true, generated: false })) })),
  })) }, fails: ['CHG-102', 'CHG-411.*'] },
  { name: 'reads an empty chunk of a table that is not there', subject: { wrap: chunking((read, request) => read(request).catch(() => read({ ...request, table: 'items' }))) }, fails: ['CHG-812'] },
  { name: 'sorts changes by table', subject: { wrap: slicing((slice) => ({ ...slice, events: slice.events.toSorted((left, right) => (left.table < right.table ? -1 : Number(left.table > right.table))) })) }, fails: ['CHG-315'] },
  { name: 'tells the net effect and calls it every change', subject: { wrap: slicing((slice) => ({ ...slice, events: lastOfEachRow(slice.events) })) }, fails: [
    'CHG-315', 'CHG-408', 'CHG-433', 'CHG-436', 'CHG-951.seed-1', 'CHG-951.seed-3', 'CHG-952.seed-1', 'CHG-952.seed-3', 'CHG-953.*',
    'CHG-954.seed-1', 'CHG-954.seed-3',
  ] },
  { name: 'forgets rows that were pushed out of the way', subject: { wrap: slicing((slice) => ({ ...slice, events: slice.events.filter((event, index) => !isEviction(event, slice.events[index + 1])) })) }, fails: [
    'CHG-414', 'CHG-431', 'CHG-432', 'CHG-433', 'CHG-435', 'CHG-436', 'CHG-437', 'CHG-807.*', 'CHG-808', 'CHG-951.*',
    'CHG-952.seed-2', 'CHG-953.*', 'CHG-954.*',
  ] },
  { name: 'tells a row that was pushed out after the one that did it', subject: { wrap: slicing((slice) => ({ ...slice, events: evictedLast(slice.events) })) }, fails: ['CHG-431', 'CHG-432', 'CHG-433', 'CHG-435', 'CHG-436'] },
  { name: 'says nothing of changed columns', subject: { wrap: slicing((slice) => ({ ...slice, schemas: [] })) }, fails: ['CHG-501', 'CHG-502', 'CHG-503', 'CHG-505', 'CHG-506', 'CHG-507'] },
  { name: 'gives columns the names that they had when it connected', subject: { wrap: (source) => overrideChanges(source, oldNames) }, fails: ['CHG-502', 'CHG-503', 'CHG-504', 'CHG-506', 'CHG-507'] },
  { name: 'takes a position of another log for one of its own', subject: { wrap: (source) => overrideChanges(source, (connection) => ({
    readChanges: async (request) => connection.readChanges({ ...request, after: { ...request.after, epoch: (await connection.head()).epoch } }),
    verify: async (position, options) => connection.verify({ ...position, epoch: (await connection.head()).epoch }, options),
  })) }, fails: ['CHG-605'] },
  { name: 'goes on at the head when there is a gap', subject: { wrap: (source) => overrideChanges(source, (connection) => ({
    readChanges: (request) => connection.readChanges(request).catch(overGap(async () => connection.readChanges({ ...request, after: await connection.head() }))),
    verify: (position, options) => connection.verify(position, options).catch(overGap(async () => {})),
  })) }, fails: ['CHG-607', 'CHG-608', 'CHG-609', 'CHG-704'] },
  { name: 'goes on at the head when another client has written', subject: { capabilities: { seesAllWriters: false }, wrap: (source) => overrideChanges(source, (connection) => ({
    readChanges: (request) => connection.readChanges(request).catch(overGap(async () => connection.readChanges({ ...request, after: await connection.head() }))),
  })) }, fails: ['CHG-309', 'CHG-607', 'CHG-608', 'CHG-609'] },
  { name: 'takes a position of an earlier connection for one of its own, and has not what follows', subject: { capabilities: { resumes: false }, wrap: (source) => overrideChanges(source, (connection) => ({
    readChanges: async (request) => connection.readChanges({ ...request, after: { ...request.after, epoch: (await connection.head()).epoch } }),
    verify: async (position, options) => connection.verify({ ...position, epoch: (await connection.head()).epoch }, options),
  })) }, fails: ['CHG-604', 'CHG-605'] },
  { name: 'verifies whatever it is given', subject: { wrap: (source) => overrideChanges(source, (connection) => ({ verify: async (_position, options) => void await connection.head(options) })) }, fails: ['CHG-605', 'CHG-607', 'CHG-608', 'CHG-609', 'CHG-611', 'CHG-704'] },
  { name: 'gives every chunk the position of the first', subject: { wrap: chunking(firstThrough()) }, fails: ['CHG-807.*', 'CHG-808'] },
  { name: 'reads rows after the position that it gives a chunk', subject: { wrap: (source) => overrideChanges(source, (connection) => ({
    readChunk: async (request) => ({ ...await readChunkOf(connection)(request), through: await earlier(connection) }),
  })) }, fails: ['CHG-807.*', 'CHG-808'] },
  { name: 'begins a chunk anew instead of after the key', subject: { wrap: chunking((read, request) => read({ ...request, after: undefined })) }, fails: [
    'CHG-802.1', 'CHG-802.3', 'CHG-804', 'CHG-805', 'CHG-807.*', 'CHG-808', 'CHG-809', 'CHG-810.*', 'CHG-811', 'CHG-813',
    'CHG-814',
  ] },
  { name: 'says of every chunk that it is the last', subject: { wrap: chunking(async (read, request) => ({ ...await read(request), isLast: true })) }, fails: ['CHG-802.1', 'CHG-802.3', 'CHG-804', 'CHG-805', 'CHG-807.*', 'CHG-808', 'CHG-809', 'CHG-810.*', 'CHG-811'] },
  { name: 'makes ids of chunk and place', subject: { wrap: chunking(async (read, request) => {
    const chunk = await read(request)
    return { ...chunk, events: chunk.events.map((event, index) => ({ ...event, id: `row ${index}` })) }
  }) }, fails: ['CHG-804'] },
]

function reading(change: (connection: ChangeConnection, request: ReadChangesRequest) => Promise<ChangeSlice>): Wrap {
  return (source) => overrideChanges(source, (connection) => ({ readChanges: (request) => change(connection, request) }))
}

function slicing(change: (slice: ChangeSlice) => ChangeSlice): Wrap {
  return reading(async (connection, request) => change(await connection.readChanges(request)))
}

function readChunkOf(connection: ChangeConnection): ReadChunk {
  return defined(connection.readChunk?.bind(connection), 'readChunk')
}

function chunking(change: (read: ReadChunk, request: Parameters<ReadChunk>[0]) => ReturnType<ReadChunk>): Wrap {
  return (source) => overrideChanges(source, (connection) => ({ readChunk: (request) => change(readChunkOf(connection), request) }))
}

function countFromZero(event: ChangeEvent, index: number): ChangeEvent {
  return { ...event, tx: { ...event.tx, sequence: index } }
}

function inOneTransaction(event: ChangeEvent, index: number, events: readonly ChangeEvent[]): ChangeEvent {
  return { ...event, tx: { ...event.tx, id: events[0]?.tx.id ?? '', sequence: index, last: index === events.length - 1 } }
}

function lastOfEachRow(events: readonly ChangeEvent[]): readonly ChangeEvent[] {
  const last = new Map(events.map((event, index) => [`${event.tx.id} ${event.table} ${keyText(event)}`, index]))
  return events.filter((event, index) => last.get(`${event.tx.id} ${event.table} ${keyText(event)}`) === index)
}

/** A delete right before a change of another row, in the same transaction: what a trigger misses without `recursive_triggers`. */
function isEviction(event: ChangeEvent, next: ChangeEvent | undefined): boolean {
  return event.op === 'delete' && next !== undefined && next.op !== 'delete' && next.tx.id === event.tx.id && keyText(next) !== keyText(event)
}

function evictedLast(events: readonly ChangeEvent[]): readonly ChangeEvent[] {
  const swapped = [...events]
  for (const [index, event] of swapped.entries()) {
    const next = swapped[index + 1]
    if (next === undefined || !isEviction(event, next)) continue
    swapped[index] = next
    swapped[index + 1] = event
  }
  return swapped
}

function oldNames(connection: ChangeConnection): Partial<ChangeConnection> {
  const first = connection.tables()
  const rename = async (event: ChangeEvent): Promise<ChangeEvent> => {
    const names = (await first).find((table) => table.name === event.table)?.columns.map((column) => column.name) ?? []
    if (event.after === null) return event
    const values = Object.entries(event.after)
    // The values in their order, under names in theirs.
    return { ...event, after: Object.fromEntries(values.map(([name, value], index) => [names[index] ?? name, value])) } as ChangeEvent
  }
  return {
    readChanges: async (request) => {
      const slice = await connection.readChanges(request)
      return { ...slice, events: await Promise.all(slice.events.map(rename)) }
    },
  }
}

function repeating(connection: ChangeConnection): Partial<ChangeConnection> {
  let last: readonly ChangeEvent[] = []
  return {
    readChanges: async (request) => {
      const slice = await connection.readChanges(request)
      if (slice.events.length === 0) return { ...slice, events: last }
      last = slice.events
      return slice
    },
  }
}

function startingAtHead(connection: ChangeConnection): Partial<ChangeConnection> {
  const head = connection.head()
  let begun = false
  return {
    readChanges: async (request) => {
      const start = await head
      const after = begun || request.after.epoch !== start.epoch || request.after.sequence > start.sequence ? request.after : start
      begun = true
      return connection.readChanges({ ...request, after })
    },
  }
}

function overGap<T>(instead: () => Promise<T>): (error: unknown) => Promise<T> {
  return (error) => {
    if (error instanceof TidemarkError && error.code === 'CHANGE_GAP') return instead()
    throw error
  }
}

function firstThrough(): (read: ReadChunk, request: Parameters<ReadChunk>[0]) => ReturnType<ReadChunk> {
  let through: LogPosition | undefined
  return async (read, request) => {
    const chunk = await read(request)
    if (request.after === undefined) through = chunk.through
    return { ...chunk, through: through ?? chunk.through }
  }
}

/** Each connection's own memory of where its log began. */
const beginnings = new WeakMap<ChangeConnection, LogPosition>()

async function earlier(connection: ChangeConnection): Promise<LogPosition> {
  const head = await connection.head()
  const known = beginnings.get(connection) ?? head
  beginnings.set(connection, head)
  return known
}

import { fromSequence, type ChangeConnection, type ChangeEvent, type ChangeRow, type ChangeSlice, type Sequence, type Value } from '@tidemark/core/adapter'
import { defined } from '../assert/defined.ts'
import type { MemoryChangeSubjectOptions } from '../memory/memory-change-subject.ts'
import { keyText } from './key-text.ts'
import { overrideChanges } from './override-changes.ts'
import { BROKEN_CHANGE_READS } from './broken-change-reads.ts'
import { BROKEN_CHANGE_KEEPING } from './broken-change-keeping.ts'

/** A mistake that sources of changes make, and the cases that have to notice it: these and no others. */
export interface BrokenChanges {
  readonly name: string
  readonly subject: MemoryChangeSubjectOptions
  readonly fails: readonly string[]
}

/** Mistakes in what an event holds. */
const BROKEN_EVENTS: readonly BrokenChanges[] = [
  { name: 'rounds large integers', subject: changingValues((value) => (typeof value === 'bigint' ? BigInt(Number(value)) : value)), fails: ['CHG-201.bigint', 'CHG-203.bigint', 'CHG-205', 'CHG-810.bigint', 'CHG-954.*'] },
  { name: 'takes the empty text for NULL', subject: changingValues((value) => (value === '' ? null : value)), fails: ['CHG-201.text', 'CHG-203.text', 'CHG-205', 'CHG-810.text', 'CHG-951.*', 'CHG-952.*', 'CHG-953.*', 'CHG-954.*'] },
  { name: 'ends text at U+0000', subject: changingValues((value) => (typeof value === 'string' ? value.split('\0', 1)[0] ?? '' : value)), fails: ['CHG-204', 'CHG-205', 'CHG-954.seed-2', 'CHG-954.seed-3'] },
  { name: 'gives an integer that fits as a number whatever the column holds', subject: changingValues(narrow), fails: ['CHG-205', 'CHG-954.seed-2', 'CHG-954.seed-3'] },
  { name: 'gives numbers from the log and integers from chunks', subject: changingLog((event) => mapImages(event, narrow)), fails: ['CHG-202.bigint', 'CHG-205', 'CHG-954.seed-2', 'CHG-954.seed-3'] },
  { name: 'leaves out what was before', subject: changingLog((event) => (event.op === 'update' || event.op === 'delete' ? { ...event, before: null, beforeKind: 'none' } : event)), fails: [
    'CHG-105', 'CHG-106', 'CHG-201.*', 'CHG-401', 'CHG-402', 'CHG-407', 'CHG-410', 'CHG-412', 'CHG-414', 'CHG-420',
    'CHG-435', 'CHG-807.*', 'CHG-808', 'CHG-952.*', 'CHG-953.*',
  ] },
  { name: 'shows the row after a change as the row before it', subject: changingLog((event) => (event.op === 'update' ? { ...event, before: event.after } : event)), fails: [
    'CHG-105', 'CHG-205', 'CHG-401', 'CHG-402', 'CHG-410', 'CHG-412', 'CHG-414', 'CHG-420', 'CHG-430', 'CHG-432',
    'CHG-435', 'CHG-436', 'CHG-437', 'CHG-807.*', 'CHG-808', 'CHG-951.*', 'CHG-952.*', 'CHG-953.*', 'CHG-954.*',
  ] },
  { name: 'keeps the old key in `key`', subject: changingLog(keepOldKey), fails: ['CHG-401'] },
  { name: 'says that every column has changed', subject: changingLog((event) => (event.op === 'update' ? { ...event, changed: Object.keys(event.after) } : event)), fails: ['CHG-105', 'CHG-206', 'CHG-407'] },
  { name: 'counts ids in its own process', subject: changingLog(countedIds()), fails: ['CHG-109', 'CHG-110'] },
  { name: 'makes ids of table and key', subject: changingLog((event) => ({ ...event, id: `${event.table} ${keyText(event)}` })), fails: ['CHG-108'] },
  { name: 'tells a changed key as a delete and an insert', subject: changingSlices((slice) => ({ ...slice, events: slice.events.flatMap(splitMove) })), fails: ['CHG-401'] },
  { name: 'tells the columns of a table without those of its key', subject: changingLog(withoutKeyColumns), fails: [
    'CHG-105', 'CHG-201.*', 'CHG-206', 'CHG-401', 'CHG-402', 'CHG-407', 'CHG-410', 'CHG-412', 'CHG-414', 'CHG-435',
    'CHG-440.*', 'CHG-441', 'CHG-501', 'CHG-807.*', 'CHG-808', 'CHG-952.*', 'CHG-953.*',
  ] },
  { name: 'forgets to say what is unavailable', subject: changingLog((event) => ({ ...event, unavailable: ['note'] })), fails: ['CHG-104', 'CHG-105', 'CHG-501', 'CHG-502', 'CHG-503'] },
  { name: 'keeps milliseconds of a time', subject: changingValues((value) => (typeof value === 'string' ? value.replace(/(\.\d{3})\d{3}$/u, '$1000') : value)), fails: ['CHG-201.timestamp', 'CHG-203.timestamp', 'CHG-810.timestamp'] },
  { name: 'takes zeros off a decimal', subject: changingValues((value) => (typeof value === 'string' ? value.replace(/^(-?\d+\.\d*?)0+$/u, '$1') : value)), fails: ['CHG-201.decimal', 'CHG-203.decimal', 'CHG-205', 'CHG-810.decimal'] },
  { name: 'gives what a chunk reads as text', subject: changingChunks((event) => mapImages(event, (value) => (typeof value === 'number' || typeof value === 'boolean' ? String(value) : value))), fails: ['CHG-202.*', 'CHG-440.*', 'CHG-441', 'CHG-803', 'CHG-810.*', 'CHG-811'] },
  { name: 'gives truth values from the log and numbers from chunks', subject: changingChunks((event) => mapImages(event, (value) => (typeof value === 'boolean' ? Number(value) : value))), fails: ['CHG-202.bool'] },
  { name: 'tells rows of a chunk as inserts', subject: changingChunks((event) => (event.op === 'snapshot' ? { ...event, op: 'insert' } : event)), fails: ['CHG-802.*', 'CHG-803', 'CHG-806', 'CHG-807.*', 'CHG-808', 'CHG-809', 'CHG-813'] },
  { name: 'tells an update as an insert', subject: changingLog((event) => (event.op === 'update' ? asInsert(event) : event)), fails: [
    'CHG-105', 'CHG-120.*', 'CHG-206', 'CHG-401', 'CHG-402', 'CHG-404', 'CHG-405', 'CHG-407', 'CHG-408', 'CHG-410',
    'CHG-412', 'CHG-414', 'CHG-420', 'CHG-435', 'CHG-602', 'CHG-806', 'CHG-807.*', 'CHG-808', 'CHG-952.*', 'CHG-953.*',
  ] },
  { name: 'says of every change that it is the last', subject: changingLog((event) => ({ ...event, tx: { ...event.tx, last: true } })), fails: ['CHG-111', 'CHG-112', 'CHG-122.*'] },
  { name: 'prints positions as decimal numbers', subject: changingLog((event) => ({ ...event, source: { ...event.source, position: decimal(event.source.position) } })), fails: ['CHG-123'] },
  { name: 'names transactions by when they are read', subject: changingSlices(countedTransactions()), fails: ['CHG-113', 'CHG-122.1', 'CHG-122.2'] },
  { name: 'names no source', subject: changingLog((event) => ({ ...event, source: { ...event.source, name: '', connector: 'mysql' } })), fails: ['CHG-107'] },
]

export const BROKEN_CHANGES: readonly BrokenChanges[] = [...BROKEN_EVENTS, ...BROKEN_CHANGE_READS, ...BROKEN_CHANGE_KEEPING]

/** Does something to every slice of the log. */
export function changingSlices(change: (slice: ChangeSlice) => ChangeSlice): MemoryChangeSubjectOptions {
  return { wrap: (source) => overrideChanges(source, (connection) => ({ readChanges: async (request) => change(await connection.readChanges(request)) })) }
}

function changingLog(change: (event: ChangeEvent) => ChangeEvent): MemoryChangeSubjectOptions {
  return changingSlices((slice) => ({ ...slice, events: slice.events.map(change) }))
}

function changingChunks(change: (event: ChangeEvent) => ChangeEvent): MemoryChangeSubjectOptions {
  return { wrap: (source) => overrideChanges(source, (connection) => chunksThrough(connection, change)) }
}

/** Does something to every value, of the log and of chunks. */
function changingValues(change: (value: Value) => Value): MemoryChangeSubjectOptions {
  const each = (event: ChangeEvent): ChangeEvent => mapImages(event, change)
  return { wrap: (source) => overrideChanges(source, (connection) => ({
    readChanges: async (request) => {
      const slice = await connection.readChanges(request)
      return { ...slice, events: slice.events.map(each) }
    },
    ...chunksThrough(connection, each),
  })) }
}

function chunksThrough(connection: ChangeConnection, change: (event: ChangeEvent) => ChangeEvent): Partial<ChangeConnection> {
  const readChunk = defined(connection.readChunk?.bind(connection), 'readChunk')
  return {
    readChunk: async (request) => {
      const chunk = await readChunk(request)
      return { ...chunk, events: chunk.events.map(change) }
    },
  }
}

function mapImages(event: ChangeEvent, change: (value: Value) => Value): ChangeEvent {
  const map = <Row extends Partial<ChangeRow> | null>(row: Row): Row => {
    if (row === null) return row
    // The same columns with other values: still what it was.
    return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, change(value ?? null)])) as Row
  }
  // Each image stays what its op says.
  return { ...event, key: map(event.key), before: map(event.before), after: map(event.after) } as ChangeEvent
}

function narrow(value: Value): Value {
  return typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value
}

function keepOldKey(event: ChangeEvent): ChangeEvent {
  if (event.op !== 'update' || event.key === null || event.before === null) return event
  const { before } = event
  return { ...event, key: Object.fromEntries(Object.keys(event.key).map((name) => [name, before[name] ?? null])) }
}

function countedIds(): (event: ChangeEvent) => ChangeEvent {
  let count = 0
  return (event) => {
    count += 1
    return { ...event, id: String(count) }
  }
}

function countedTransactions(): (slice: ChangeSlice) => ChangeSlice {
  let reads = 0
  return (slice) => {
    reads += 1
    return { ...slice, events: slice.events.map((event) => ({ ...event, tx: { ...event.tx, id: `${event.tx.id} in ${reads}` } })) }
  }
}

function decimal(position: string): string {
  const [epoch = '', sequence = ''] = position.split(':')
  // What stands behind the colon is the sequence.
  return `${epoch}:${fromSequence(sequence as Sequence)}`
}

function asInsert(event: ChangeEvent & { readonly op: 'update' }): ChangeEvent {
  const { changed: _changed, after, ...rest } = event
  // An update of a source that knows the whole row.
  return { ...rest, op: 'insert', before: null, beforeKind: 'none', after: after as ChangeRow }
}

function splitMove(event: ChangeEvent): readonly ChangeEvent[] {
  if (event.op !== 'update' || event.before === null || event.key === null) return [event]
  const { before, after, key } = event
  if (Object.keys(key).every((name) => before[name] === key[name])) return [event]
  const old = Object.fromEntries(Object.keys(key).map((name) => [name, before[name] ?? null]))
  const { changed: _changed, ...rest } = event
  // An update of a source that knows the whole row.
  const whole = after as ChangeRow
  return [{ ...rest, op: 'delete', key: old, after: null }, { ...rest, op: 'insert', before: null, beforeKind: 'none', after: whole }]
}

function withoutKeyColumns(event: ChangeEvent): ChangeEvent {
  if (event.op !== 'update') return event
  const names = Object.keys(event.key ?? {})
  return { ...event, after: Object.fromEntries(Object.entries(event.after).filter(([name]) => !names.includes(name))) }
}

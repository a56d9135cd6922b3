import type { ChangeEvent, ChangeRow, ChangeTransaction, LogMessage } from '@tidemark/core/adapter'
import { isSameValue, makeRow, pickColumns } from './make-row.ts'
import type { LogicalMessage, OldKind, StreamRow } from './pgoutput-messages.ts'
import type { StreamTable } from './stream-table.ts'

/** What an event has of its place. */
export interface EventPlace {
  /** Logical name of the source. */
  readonly source: string
  /** Epoch and sequence, printable. */
  readonly position: string
  readonly tx: ChangeTransaction
  readonly receivedAtMs: number
}

const NONE: readonly string[] = []

/** Events from rows: the one step that makes objects by column name. */
export function insertEvent(table: StreamTable, place: EventPlace, row: StreamRow): ChangeEvent {
  // Written out, as spreading costs more than all the rest: most events are these.
  return {
    id: `${place.source}:${place.position}`, schema: table.schema, table: table.table, tx: place.tx, source: originOf(table, place),
    op: 'insert', key: keyOf(table, row), before: null, beforeKind: 'none', after: makeRow(table.names, row), unavailable: NONE,
  }
}

/**
 * A large value that was not changed is not sent, which is not NULL: it is taken from the old row where that has it, and is named as
 * unavailable otherwise.
 */
export function updateEvent(table: StreamTable, place: EventPlace, rows: { readonly after: StreamRow; readonly before: StreamRow | undefined; readonly kind: OldKind | undefined }): ChangeEvent {
  const { before, kind } = rows
  const after = before === undefined ? rows.after : completed(table, rows.after, { before, kind })
  const unavailable = missing(table, after)
  const key = keyOf(table, after)
  const common = { ...identity(table, place), op: 'update' as const, key, after: makeRow(table.names, after), unavailable }
  if (before === undefined || kind === undefined) return { ...common, before: key, beforeKind: key === null ? 'none' : 'key', changed: undefined }
  if (kind === 'key') return { ...common, before: pickColumns(table.names, before, table.identity), beforeKind: 'key', changed: undefined }
  const changed = unavailable.length > 0 ? undefined : table.names.filter((_, column) => !isSameValue(before[column], after[column]))
  return { ...common, before: makeRow(table.names, before), beforeKind: 'full', changed }
}

export function deleteEvent(table: StreamTable, place: EventPlace, { before, kind }: { readonly before: StreamRow; readonly kind: OldKind }): ChangeEvent {
  const image = kind === 'full' ? makeRow(table.names, before) : pickColumns(table.names, before, table.identity)
  return { ...identity(table, place), op: 'delete', key: keyOf(table, before), before: image, beforeKind: kind, after: null, unavailable: NONE }
}

export function truncateEvent(table: StreamTable, place: EventPlace): ChangeEvent {
  return { ...identity(table, place), op: 'truncate', key: null, before: null, beforeKind: 'none', after: null, unavailable: NONE }
}

export function messageEvent({ source, position, tx, receivedAtMs }: EventPlace, { prefix, content, isTransactional }: LogicalMessage): LogMessage {
  return {
    id: `${source}:${position}`, op: 'message', prefix, content, transactional: isTransactional, tx,
    source: { connector: 'postgresql', name: source, snapshot: false, position, schemaVersion: 0, receivedAtMs },
  }
}

/** A row that was read from the table and not from the log. */
export function snapshotEvent(table: Pick<StreamTable, 'schema' | 'table' | 'names' | 'key' | 'version'>, place: EventPlace, { row, id }: { readonly row: StreamRow; readonly id: string }): ChangeEvent {
  const common = identity(table, place)
  return {
    ...common, id, source: { ...common.source, snapshot: 'initial' },
    op: 'snapshot', key: keyOf(table, row), before: null, beforeKind: 'none', after: makeRow(table.names, row), unavailable: NONE,
  }
}

function identity(table: Described, place: EventPlace): Pick<ChangeEvent, 'id' | 'schema' | 'table' | 'tx' | 'source'> {
  return { id: `${place.source}:${place.position}`, schema: table.schema, table: table.table, tx: place.tx, source: originOf(table, place) }
}

function originOf(table: Described, { source, position, receivedAtMs }: EventPlace): ChangeEvent['source'] {
  return { connector: 'postgresql', name: source, snapshot: false, position, schemaVersion: table.version, receivedAtMs }
}

type Described = Pick<StreamTable, 'schema' | 'table' | 'version'>

function keyOf({ names, key }: Pick<StreamTable, 'names' | 'key'>, row: StreamRow): ChangeRow | null {
  return pickColumns(names, row, key)
}

/** With the values of the old row in the places that the new one leaves open. */
function completed(table: StreamTable, after: StreamRow, { before, kind }: { readonly before: StreamRow; readonly kind: OldKind | undefined }): StreamRow {
  if (!after.includes(undefined)) return after
  const places = kind === 'full' ? after.map((_, place) => place) : table.identity
  const row = [...after]
  for (const place of places) if (row[place] === undefined) row[place] = before[place]
  return row
}

function missing(table: StreamTable, row: StreamRow): readonly string[] {
  return row.includes(undefined) ? table.names.filter((_, place) => row[place] === undefined) : NONE
}

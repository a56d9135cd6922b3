import { printPosition, toSequence, type ChangeEvent, type ChangeOrigin, type ChangeRow, type ChangeSourceCapabilities } from '@tidemark/core/adapter'
import type { ChangeTableSpec } from '../harness/change-spec.ts'
import type { RowRecord } from '../harness/table-spec.ts'
import type { PlacedChange } from './memory-change-slice.ts'

export interface EventFrame {
  readonly name: string
  readonly epoch: string
  readonly before: ChangeSourceCapabilities['before']
  readonly receivedAtMs: number
}

/** A logged change as the event that tells it. `spec`: the table's columns as they were then. */
export function changeEvent(frame: EventFrame, spec: ChangeTableSpec, placed: PlacedChange): ChangeEvent {
  const { record, transaction, sequence, last } = placed
  const { table, before, after } = record.change
  const common = {
    id: `${frame.name}:${frame.epoch}:${record.number}`,
    schema: null, table, unavailable: [],
    tx: { id: `${frame.epoch}:${transaction}`, sequence, last, committedAtMs: record.atMs, origin: undefined },
    source: origin(frame, { number: record.number, version: record.version, snapshot: false }),
  }
  if (before === undefined && after === undefined) return { ...common, op: 'truncate', key: null, before: null, beforeKind: 'none', after: null }
  if (before === undefined) return { ...common, op: 'insert', key: keyOf(spec, after), before: null, beforeKind: 'none', after: bare(after?.row) }
  const image = frame.before === 'full' ? bare(before.row) : keyOf(spec, before)
  const old = { before: image, beforeKind: image === null ? 'none' as const : frame.before }
  if (after === undefined) return { ...common, ...old, op: 'delete', key: keyOf(spec, before), after: null }
  const changed = frame.before === 'full' ? spec.columns.map(({ name }) => name).filter((name) => before.row[name] !== after.row[name]) : undefined
  return { ...common, ...old, op: 'update', key: keyOf(spec, after), after: bare(after.row), changed }
}

/** A row as it stands. `number`: the last record that it shows. */
export function snapshotEvent(frame: EventFrame, table: { readonly spec: ChangeTableSpec; readonly version: number; readonly number: number }, placed: { readonly place: string; readonly row: RowRecord; readonly sequence: number; readonly last: boolean }): ChangeEvent {
  const { spec, version, number } = table
  const { place, row, sequence, last } = placed
  return {
    id: `${frame.name}:${frame.epoch}:snapshot:${spec.name}:${place}`,
    schema: null, table: spec.name, unavailable: [],
    tx: { id: `${frame.epoch}:snapshot:${number}`, sequence, last, committedAtMs: undefined, origin: undefined },
    source: origin(frame, { number, version, snapshot: 'initial' }),
    op: 'snapshot', key: keyOf(spec, { place, row }), before: null, beforeKind: 'none', after: bare(row),
  }
}

function origin({ name, epoch, receivedAtMs }: EventFrame, { number, version, snapshot }: { readonly number: number; readonly version: number; readonly snapshot: ChangeOrigin['snapshot'] }): ChangeOrigin {
  const position = printPosition({ epoch, sequence: toSequence(number) })
  return { connector: 'sqlite', name, snapshot, position, schemaVersion: version, receivedAtMs }
}

/** The key's columns; the row's number in a table without key. */
function keyOf(spec: ChangeTableSpec, side: { readonly place: string; readonly row: RowRecord } | undefined): ChangeRow | null {
  if (side === undefined) return null
  if (spec.key.length === 0) return bare({ rowid: Number(side.place.slice(1)) })
  return bare(Object.fromEntries(spec.key.map((name) => [name, side.row[name] ?? null])))
}

/** Without prototype, so that a column may be called anything. */
function bare(row: RowRecord = {}): ChangeRow {
  const copy: ChangeRow = Object.create(null)
  return Object.assign(copy, row)
}

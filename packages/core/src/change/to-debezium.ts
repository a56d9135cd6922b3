import type { BeforeKind, ChangeConnector, ChangeEvent, ChangeOp, ChangeRow } from './change-event.ts'

/** Debezium's letters: create, update, delete, read, truncate. */
export type DebeziumOp = 'c' | 'u' | 'd' | 'r' | 't'

/** A row as it is in the event; Debezium has JSON or Avro here, which whoever writes the record makes of it. */
export type DebeziumRow = Readonly<Partial<ChangeRow>>

/** The block that Debezium leaves to the connector: its usual fields, and behind them what only a Tidemark event has. */
export interface DebeziumSource {
  readonly connector: ChangeConnector
  readonly name: string
  readonly schema: string | null
  readonly table: string
  /** Milliseconds of the commit; `null` where the source does not keep it. */
  readonly ts_ms: number | null
  /** `true` for a row of a snapshot, as text, as Debezium has it. */
  readonly snapshot: 'true' | 'false'
  readonly position: string
  readonly schema_version: number
  readonly event_id: string
  readonly before_kind: BeforeKind
  readonly unavailable: readonly string[]
  /** `null` where it is not known which columns differ. */
  readonly changed: readonly string[] | null
  readonly transaction_last: boolean
  readonly origin: string | null
}

export interface DebeziumEnvelope {
  readonly before: DebeziumRow | null
  readonly after: DebeziumRow | null
  readonly source: DebeziumSource
  readonly op: DebeziumOp
  /** When it was read. */
  readonly ts_ms: number
  /** `total_order` counts from 1. */
  readonly transaction: { readonly id: string; readonly total_order: number }
}

/** What would be one record of a topic; `value: null` is a tombstone, which lets a compacted topic forget the key. */
export interface DebeziumRecord {
  readonly key: DebeziumRow | null
  readonly value: DebeziumEnvelope | null
}

export interface DebeziumOptions {
  /** Follow each delete by a tombstone. Default false. */
  readonly tombstones?: boolean | undefined
  /** Make a changed key a delete of the old and a create of the new one, as Debezium does. Default false: one update, which has both. */
  readonly splitKeyChanges?: boolean | undefined
}

const OPS = { insert: 'c', update: 'u', delete: 'd', snapshot: 'r', truncate: 't' } as const satisfies Record<ChangeOp, DebeziumOp>

/** A change in Debezium's envelope. Without `splitKeyChanges` nothing of the event is lost. */
export function toDebezium(event: ChangeEvent, options: DebeziumOptions = {}): readonly DebeziumRecord[] {
  const oldKey = options.splitKeyChanges === true ? changedKey(event) : undefined
  if (oldKey !== undefined) {
    return [
      { key: oldKey, value: envelope(event, { op: 'd', after: null }) },
      ...tombstone(oldKey, options),
      { key: event.key, value: envelope(event, { op: 'c', before: null }) },
    ]
  }
  const record = { key: event.key, value: envelope(event, {}) }
  return event.op === 'delete' ? [record, ...tombstone(event.key, options)] : [record]
}

function tombstone(key: DebeziumRow | null, { tombstones }: DebeziumOptions): readonly DebeziumRecord[] {
  return tombstones === true && key !== null ? [{ key, value: null }] : []
}

function envelope(event: ChangeEvent, other: Partial<DebeziumEnvelope>): DebeziumEnvelope {
  const { before, after, tx, source } = event
  return {
    before, after,
    source: {
      connector: source.connector, name: source.name, schema: event.schema, table: event.table,
      ts_ms: tx.committedAtMs ?? null,
      snapshot: source.snapshot === 'initial' ? 'true' : 'false',
      position: source.position, schema_version: source.schemaVersion, event_id: event.id, before_kind: event.beforeKind,
      unavailable: event.unavailable,
      changed: (event.op === 'update' ? event.changed : undefined) ?? null,
      transaction_last: tx.last, origin: tx.origin ?? null,
    },
    op: OPS[event.op],
    ts_ms: source.receivedAtMs,
    transaction: { id: tx.id, total_order: tx.sequence + 1 },
    ...other,
  }
}

/** The key before the change, where it is another one and is known. */
function changedKey({ op, key, before }: ChangeEvent): DebeziumRow | undefined {
  if (op !== 'update' || key === null || before === null) return undefined
  const names = Object.keys(key)
  if (names.some((name) => before[name] === undefined) || names.every((name) => isSame(before[name], key[name]))) return undefined
  const old: Record<string, ChangeRow[string] | undefined> = Object.create(null) as Record<string, ChangeRow[string]> // no prototype: a column may be called `__proto__`
  for (const name of names) old[name] = before[name]
  return old
}

function isSame(a: unknown, b: unknown): boolean {
  if (!(a instanceof Uint8Array) || !(b instanceof Uint8Array)) return Object.is(a, b)
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}

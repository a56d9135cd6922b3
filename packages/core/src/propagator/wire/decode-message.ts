import * as v from 'valibot'
import type { LogPosition, Sequence } from '../../change/log-position.ts'
import type { RowValues, Value } from '../../change/value.ts'
import type { PeerChange, PeerMessage, PeerTable, Tombstone } from '../../dialect/propagation-target.ts'
import { TidemarkError } from '../../errors/tidemark-error.ts'
import { isVersion } from '../../change/hybrid-clock.ts'
import { WIRE_VERSION } from './encode-message.ts'
import { sequence } from './sequence-schema.ts'
import { fromWireValue } from './wire-value.ts'

const text = v.pipe(v.string(), v.minLength(1))
const name = v.pipe(v.string(), v.regex(/^[\w.-]{1,63}$/))
const place = v.tuple([sequence, v.string()])
const table = v.object({ name: text, columns: v.pipe(v.array(v.tuple([text, v.string()])), v.minLength(1)), key: v.pipe(v.array(text), v.minLength(1)) })
const version = v.pipe(v.string(), v.check(isVersion))
/** Their values are looked at one by one later. */
const cells = v.custom<readonly unknown[]>(Array.isArray)
const cursor = v.nullable(v.string())
const sender = { v: v.literal(WIRE_VERSION), origin: name, epoch: text }

/** Everything but the rows, which are looked at one by one below: a schema costs more than applying them. */
const schema = v.variant('type', [
  v.object({ ...sender, type: v.literal('hello'), head: place, tables: v.array(table), snapshot: v.boolean(), takesOver: v.boolean(), restarts: v.union([v.literal(false), place]), isVersioned: v.boolean() }),
  v.object({
    ...sender, type: v.literal('unit'), from: place, to: place, isCommit: v.boolean(), without: v.array(text),
    relayed: v.optional(v.object({ origin: name, epoch: text, sequence, after: v.optional(sequence), copy: v.optional(v.object({ via: v.string(), number: v.string() })), version: v.optional(version) })), version: v.optional(version), tables: v.array(table), changes: v.array(cells),
  }),
  v.object({ ...sender, type: v.literal('chunk'), at: place, after: cursor, next: cursor, table, rows: v.array(cells), versions: v.optional(v.array(version)), tombstones: v.array(v.pipe(v.array(v.unknown()), v.minLength(1))) }),
])

type Parsed = v.InferOutput<typeof schema>

/** The reverse of `encodeMessage`. Errors: `REQUEST_INVALID` with what is wrong, never with a value. */
export function decodeMessage(body: string): PeerMessage {
  const parsed = v.safeParse(schema, parse(body))
  if (!parsed.success) invalid(v.getDotPath(parsed.issues[0]) ?? 'message')
  const message = parsed.output
  const { origin, epoch } = message
  switch (message.type) {
    case 'hello':
      return { type: 'hello', origin, epoch, head: position(message, message.head), tables: message.tables.map(toTable), snapshot: message.snapshot, takesOver: message.takesOver, restarts: message.restarts === false ? undefined : position(message, message.restarts), isVersioned: message.isVersioned }
    case 'unit':
      return toUnit(message)
    case 'chunk': {
      const columns = message.table.columns.length
      const rows = message.rows.map((row) => values(row, 0, columns))
      if (message.versions !== undefined && message.versions.length !== rows.length) invalid('versions')
      const tombstones = message.tombstones.map((entry) => toTombstone(entry, message.table.key.length))
      return { type: 'chunk', origin, epoch, at: position(message, message.at), after: message.after, next: message.next, table: toTable(message.table), rows, versions: message.versions, tombstones }
    }
  }
}

function toUnit(message: Extract<Parsed, { readonly type: 'unit' }>): PeerMessage {
  const { origin, epoch, isCommit, without, relayed, version: of } = message
  const tables = message.tables.map(toTable)
  const from = position(message, message.from)
  const to = position(message, message.to)
  if (!(from.sequence < to.sequence)) invalid('to')
  return { type: 'unit', origin, epoch, from, to, isCommit, without, relayed, version: of, tables, changes: message.changes.map((entry) => toChange(entry, tables)) }
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return invalid('message')
  }
}

function position({ epoch }: Parsed, [at, detail]: readonly [string, string]): LogPosition {
  return { epoch, sequence: at as Sequence, detail } // checked by the schema
}

function toTable({ name: tableName, columns, key }: v.InferOutput<typeof table>): PeerTable {
  const names = new Set(columns.map(([column]) => column))
  if (names.size !== columns.length || !key.every((column) => names.has(column))) invalid('tables')
  return { name: tableName, columns: columns.map(([column, type]) => ({ name: column, type })), key }
}

function toChange(entry: readonly unknown[], tables: readonly PeerTable[]): PeerChange {
  const [index, op] = entry
  const known = typeof index === 'number' ? tables[index] : undefined
  if (known === undefined || typeof index !== 'number') invalid('changes')
  if (op === 0) return { op: 'upsert', table: index, values: values(entry, 2, known.columns.length) }
  if (op === 1) return { op: 'delete', table: index, values: values(entry, 2, known.key.length) }
  return op === 2 && entry.length === 2 ? { op: 'truncate', table: index } : invalid('changes')
}

function toTombstone(entry: readonly unknown[], columns: number): Tombstone {
  const [of] = entry
  if (typeof of !== 'string' || !isVersion(of)) invalid('tombstones')
  return { version: of, key: values(entry, 1, columns) }
}

function values(cells: readonly unknown[], from: number, count: number): RowValues {
  if (cells.length !== from + count) invalid('rows')
  const row: Value[] = []
  for (let index = from; index < cells.length; index += 1) {
    const value = fromWireValue(cells[index])
    if (value === undefined) invalid('rows')
    row.push(value)
  }
  return row
}

function invalid(path: string): never {
  throw new TidemarkError('REQUEST_INVALID', `The message is not one that this receiver knows; look at \`${path}\`.`)
}

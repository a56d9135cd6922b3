import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ChangeEvent, ChangeOp, ChangeRow } from './change-event.ts'
import { changeToJson } from './change-to-json.ts'
import { toCloudEvent, type ChangeCloudEvent } from './to-cloud-event.ts'
import { toDebezium, type DebeziumOp, type DebeziumRecord } from './to-debezium.ts'
import type { Value } from './value.ts'

const value: fc.Arbitrary<Value> = fc.oneof(
  fc.constant(null), fc.boolean(), fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constant(-0), fc.integer({ min: 53, max: 80 }).map((bits) => 2 ** bits), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.constant(1n),
  fc.string({ unit: 'binary' }), fc.uint8Array(),
)
const name = fc.oneof(fc.constantFrom('id', 'value', '__proto__', 'constructor', '$bytes'), fc.string())
const row: fc.Arbitrary<ChangeRow> = fc.array(fc.tuple(name, value), { maxLength: 5 }).map((cells) => {
  const made = Object.create(null) as Record<string, Value>
  for (const [column, cell] of cells) made[column] = cell
  return made
})
const timeMs = fc.integer({ min: 0, max: 4_102_444_800_000 })
const base = {
  id: fc.string(), schema: fc.option(fc.string()), table: fc.string(), unavailable: fc.array(fc.string(), { maxLength: 2 }),
  tx: fc.record({
    id: fc.string(), sequence: fc.nat(), last: fc.boolean(),
    committedAtMs: fc.option(timeMs, { nil: undefined }), origin: fc.option(fc.string(), { nil: undefined }),
  }),
  source: fc.record({
    connector: fc.constantFrom('sqlite', 'postgresql', 'mysql', 'mariadb'), name: fc.string({ unit: 'grapheme' }), snapshot: fc.constantFrom<false | 'initial'>(false, 'initial'),
    position: fc.string(), schemaVersion: fc.nat(), receivedAtMs: timeMs,
  }),
} as const
const changed = fc.option(fc.array(fc.string(), { maxLength: 2 }), { nil: undefined })
const beforeKind = fc.constantFrom('full', 'key')

const event: fc.Arbitrary<ChangeEvent> = fc.oneof(
  fc.record({ ...base, op: fc.constantFrom('insert', 'snapshot'), key: fc.option(row), before: fc.constant(null), beforeKind: fc.constant('none' as const), after: row }),
  fc.record({ ...base, op: fc.constant('update' as const), key: fc.option(row), before: row, beforeKind, after: row, changed }),
  fc.record({ ...base, op: fc.constant('delete' as const), key: fc.option(row), before: fc.option(row), beforeKind, after: fc.constant(null) }),
  fc.record({ ...base, op: fc.constant('truncate' as const), key: fc.constant(null), before: fc.constant(null), beforeKind: fc.constant('none' as const), after: fc.constant(null) }),
)

/** Without what is undefined: JSON and optional attributes have no difference there. */
function plain(of: ChangeEvent): unknown {
  return without(of)
}

function without(of: unknown): unknown {
  if (typeof of !== 'object' || of === null || of instanceof Uint8Array || Array.isArray(of)) return of
  return new Map(Object.entries(of).flatMap(([key, inner]) => (inner === undefined ? [] : [[key, without(inner)] as const])).sort(([a], [b]) => (a < b ? -1 : 1)))
}

const OP_OF: Record<DebeziumOp, ChangeOp> = { c: 'insert', u: 'update', d: 'delete', r: 'snapshot', t: 'truncate' }

function fromDebezium({ key, value }: DebeziumRecord): unknown {
  if (value === null) return undefined
  const { before, after, source, op, ts_ms, transaction } = value
  return {
    id: source.event_id, op: OP_OF[op], schema: source.schema, table: source.table, key, before, beforeKind: source.before_kind, after,
    unavailable: source.unavailable, changed: source.changed ?? undefined,
    tx: { id: transaction.id, sequence: transaction.total_order - 1, last: source.transaction_last, committedAtMs: source.ts_ms ?? undefined, origin: source.origin ?? undefined },
    source: {
      connector: source.connector, name: source.name, snapshot: source.snapshot === 'true' ? 'initial' : false, position: source.position,
      schemaVersion: source.schema_version, receivedAtMs: ts_ms,
    },
  }
}

function fromCloudEvent({ id, source, type, time, data, ...rest }: ChangeCloudEvent): unknown {
  const [, , connector, name] = source.split('/')
  return {
    ...data, id, op: type.slice('tidemark.change.'.length),
    tx: { id: rest.txid, sequence: rest.txsequence, last: rest.txlast, committedAtMs: time === undefined ? undefined : Date.parse(time), origin: rest.origin },
    source: {
      connector, name: decodeURIComponent(name ?? ''), snapshot: rest.snapshot ?? false, position: rest.position,
      schemaVersion: rest.schemaversion, receivedAtMs: Number(rest.receivedatms),
    },
  }
}

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown

/** What `changeToJson` documents, read back. Rows come as maps here: a reviver would set the prototype for `__proto__`. */
function fromJson(text: string): unknown {
  const revive: Reviver = (_key, value, { source }) => {
    if (typeof value === 'number') return Number.isInteger(value) && !Number.isSafeInteger(value) && /^-?\d+$/.test(source ?? '') ? BigInt(source ?? '') : value
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    if ('$bytes' in value && typeof value.$bytes === 'string' && Object.keys(value).length === 1) return new Uint8Array(Buffer.from(value.$bytes, 'base64'))
    if ('$integer' in value && typeof value.$integer === 'string') return BigInt(value.$integer)
    return value
  }
  return JSON.parse(text, revive as Parameters<typeof JSON.parse>[1])
}

describe('a change in another form', () => {
  it('comes back from Debezium\'s envelope as it was', () => {
    fc.assert(fc.property(event, (change) => {
      const records = toDebezium(change, { tombstones: true })
      expect(records.length).toBe(change.op === 'delete' && change.key !== null ? 2 : 1)
      expect(without(fromDebezium(records[0] ?? { key: null, value: null }))).toEqual(plain(change))
    }), { numRuns: 500 })
  })

  it('comes back from a CloudEvent as it was, and its attributes are such', () => {
    fc.assert(fc.property(event, (change) => {
      const made = toCloudEvent(change)
      expect(Object.keys(made).every((attribute) => /^[a-z0-9]{1,20}$/.test(attribute))).toBe(true)
      expect(without(fromCloudEvent(made))).toEqual(plain(change))
    }), { numRuns: 500 })
  })

  it('comes back from JSON as it was', () => {
    // A column of one of the tags' names, alone in its row, is for the reader's context to tell; so is `__proto__` for JSON.parse's.
    const readable = event.filter((change) => [change.key, change.before, change.after].every((part) => part === null || !['$bytes', '__proto__'].some((column) => column in part)))
    fc.assert(fc.property(readable, (change) => {
      const text = changeToJson(change)
      expect(text).not.toContain('\n')
      expect(without(fromJson(text))).toEqual(plain(change))
    }), { numRuns: 500 })
  })
})

describe('a changed key', () => {
  const before = { id: 1, value: 'a' }
  const change: ChangeEvent = {
    id: 'x', op: 'update', schema: 'main', table: 'users', key: { id: 2 }, before, beforeKind: 'full', after: { id: 2, value: 'a' }, changed: ['id'], unavailable: [],
    tx: { id: 't', sequence: 0, last: true, committedAtMs: undefined, origin: undefined },
    source: { connector: 'sqlite', name: 'db', snapshot: false, position: 'p', schemaVersion: 1, receivedAtMs: 0 },
  }

  it('is one update, and a delete, a tombstone and a create where that is asked for', () => {
    expect(toDebezium(change).map(({ value }) => value?.op)).toEqual(['u'])
    const split = toDebezium(change, { splitKeyChanges: true, tombstones: true })
    expect(split.map(({ key, value }) => [{ ...key }, value?.op, value?.before ?? null, value?.after ?? null])).toEqual([
      [{ id: 1 }, 'd', before, null], [{ id: 1 }, undefined, null, null], [{ id: 2 }, 'c', null, { id: 2, value: 'a' }],
    ])
  })

  it('is none where only the form of an equal key differs in the row', () => {
    expect(toDebezium({ ...change, key: { id: 1 } }, { splitKeyChanges: true }).length).toBe(1)
    const bytes = { ...change, key: { id: new Uint8Array([1]) }, before: { id: new Uint8Array([1]), value: 'a' } }
    expect(toDebezium(bytes, { splitKeyChanges: true }).length).toBe(1)
  })
})

it('JSON is what a reader expects to see', () => {
  const change: ChangeEvent = {
    id: 'x', op: 'insert', schema: null, table: 't', key: { id: 9_007_199_254_740_993n }, before: null, beforeKind: 'none', unavailable: [],
    after: { id: 9_007_199_254_740_993n, blob: new Uint8Array([0, 255, 1, 2]), one: 1n, zero: -0, text: '\u0000"' },
    tx: { id: 't', sequence: 0, last: true, committedAtMs: undefined, origin: undefined },
    source: { connector: 'sqlite', name: 'db', snapshot: false, position: 'p', schemaVersion: 1, receivedAtMs: 0 },
  }
  expect(changeToJson(change)).toContain('"after":{"id":9007199254740993,"blob":{"$bytes":"AP8BAg=="},"one":{"$integer":"1"},"zero":-0.0,"text":"\\u0000\\""}')
})

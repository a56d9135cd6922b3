import type {
  ColumnSchema, Commit, Fence, LogicalType, RowValues, StorageClass, TableLoad, TargetConnection, TargetTable, WriteBatch,
} from '@tidemark/core/adapter'
import { cells } from '../assert/cell.ts'
import { defined } from '../assert/defined.ts'
import { equal } from '../assert/equal.ts'
import type { TargetHarness } from '../harness/target-harness.ts'

export const PREFIX = 'tidemark_'
export const NOW_MS = Date.UTC(2024, 1, 29, 12)
export const LEASE = 'sync'

const REPLICATION = {
  name: 'copy', sourceAddress: 'memory://source', sourceTable: 'items', targetTable: 'items', trackingColumn: 'id', syncIntervalMinutes: 5, isActive: true,
} as const

/** A connection that holds the lease and knows one replication, `copy`. */
export interface TargetFixture extends AsyncDisposable {
  readonly harness: TargetHarness
  readonly connection: TargetConnection
  readonly fence: Fence
}

export async function openTarget(harness: TargetHarness, holder = 'first'): Promise<TargetFixture> {
  const connection = await harness.target().connect({ tablePrefix: PREFIX })
  await connection.ledger.saveReplication(REPLICATION, NOW_MS)
  const fence = defined(await connection.ledger.acquireLease({ lease: LEASE, holder, nowMs: NOW_MS, ttlMs: 60_000 }), 'a fence for the first who asks')
  return { harness, connection, fence, [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose]() }
}

/** A target with an empty table in it. */
export async function openTable(harness: TargetHarness, table: TargetTable, rows: readonly RowValues[] = []): Promise<TargetFixture> {
  const fixture = await openTarget(harness)
  await fixture.connection.createTable(table, commitOf(fixture, 'created'))
  if (rows.length > 0) await fixture.connection.apply(batchOf(table, { upserts: rows }), commitOf(fixture, 'filled'))
  return fixture
}

export function commitOf(fixture: { readonly fence: Fence }, state: string): Commit {
  return { checkpoint: { name: 'copy', state, lastSyncAtMs: NOW_MS, lastSyncValue: state }, fence: fixture.fence }
}

export function batchOf(table: TargetTable, changes: Partial<WriteBatch>): WriteBatch {
  return { table, upserts: [], deletes: [], atMs: NOW_MS, ...changes }
}

/** The checkpoint as it is stored. */
export async function checkpointOf(fixture: TargetFixture): Promise<string | undefined> {
  return (await fixture.connection.ledger.readReplication('copy'))?.state
}

const STORAGE: Partial<Record<LogicalType, StorageClass>> = { integer: 'integer', boolean: 'integer', real: 'real', blob: 'blob' }

export function columnOf(name: string, logicalType: LogicalType = 'integer', changes: Partial<ColumnSchema> = {}): ColumnSchema {
  return {
    name, ordinal: 1, sourceType: logicalType, logicalType, storage: STORAGE[logicalType] ?? 'text', scale: 0, nullable: true, onUnrepresentable: 'error', ...changes,
  }
}

/** A table of the columns given, numbered from 1, with the first one as its key. */
export function tableOf(columns: readonly ColumnSchema[], changes: Partial<TargetTable> = {}): TargetTable {
  const numbered = columns.map((column, index) => ({ ...column, ordinal: index + 1 }))
  return {
    name: 'items', columns: numbered, key: numbered.slice(0, 1).map((column) => column.name), indexes: [], enforceUniques: false,
    deletedAtColumn: undefined, origin: 'memory:items', ...changes,
  }
}

export const ITEMS: TargetTable = tableOf([columnOf('id', 'integer', { nullable: false }), columnOf('label', 'text'), columnOf('size', 'integer')])

/** The oracle's view of the table must be exactly these rows. */
export async function expectRows(fixture: TargetFixture, table: TargetTable, rows: readonly RowValues[], what = 'stored rows'): Promise<void> {
  const stored = await fixture.harness.rows(table.name, table.columns.map((column) => column.name))
  equal(stored.map((row) => row.join(' | ')).toSorted(), cells(rows, table.columns).toSorted(), what)
}

/** Puts rows into a load by the door that fits each value, as a decoder does. */
export function fill(load: TableLoad, table: TargetTable, rows: readonly RowValues[]): void {
  for (const row of rows) {
    row.forEach((value, index) => putCell(load, value, table.columns[index]?.storage ?? 'text'))
    load.endRow()
  }
}

function putCell(load: TableLoad, value: RowValues[number], storage: StorageClass): void {
  if (value === null) load.null()
  else if (typeof value === 'bigint') load.bigint(value)
  else if (typeof value === 'boolean') load.value(value)
  else if (typeof value === 'number' && storage === 'real') load.real(value)
  else if (typeof value === 'number') load.integer(value)
  else putBytes(load, value)
}

/** A decoder uses its buffer again: the range lies in the midst of it, and is wiped as soon as the call returns. */
function putBytes(load: TableLoad, value: string | Uint8Array): void {
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value
  const buffer = new Uint8Array(bytes.length + 6).fill(0x7e)
  buffer.set(bytes, 3)
  if (typeof value === 'string') load.text(buffer, 3, 3 + bytes.length)
  else load.blob(buffer, 3, 3 + bytes.length)
  buffer.fill(0x21)
}

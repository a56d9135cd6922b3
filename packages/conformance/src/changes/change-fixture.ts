import type { ChangeConnection, ChangeEvent, ChangeSlice, ChangeSource, LogPosition, SchemaChange, SliceLimit, Value } from '@tidemark/core/adapter'
import { check } from '../assert/check.ts'
import { defined } from '../assert/defined.ts'
import type { ChangeClient, ChangeHarness } from '../harness/change-harness.ts'
import type { CapturedTable, ChangeStatement, ChangeTableSpec } from '../harness/change-spec.ts'
import type { RowRecord } from '../harness/table-spec.ts'
import { throughText } from '../source/source-fixture.ts'

export const SOURCE_NAME = 'conformance'

/** Large enough for everything that one case writes, so that a slice ends for its own reasons. */
export const AMPLE: SliceLimit = { events: 10_000, bytes: 16 << 20 }

/** A slice that brings nothing and is not the last may happen; this many in a row never end. */
const MOST_SLICES = 2_000

/** What a reader takes in: one log from one position on, in the order in which it gives it. */
export class LogReader {
  readonly connection: ChangeConnection
  readonly slices: ChangeSlice[] = []
  #position: LogPosition

  constructor(connection: ChangeConnection, position: LogPosition) {
    this.connection = connection
    this.#position = position
  }

  get position(): LogPosition {
    return this.#position
  }

  get events(): readonly ChangeEvent[] {
    return this.slices.flatMap((slice) => slice.events)
  }

  /** The next slice. A position crosses a restart as text. */
  async next(limit: SliceLimit = AMPLE, through?: LogPosition): Promise<ChangeSlice> {
    const slice = await this.connection.readChanges({ after: throughText(this.#position), through, limit })
    this.slices.push(slice)
    this.#position = slice.position
    return slice
  }

  /** Everything up to the log's end, or to `through`, as slices. */
  async drainSlices(limit?: SliceLimit, through?: LogPosition): Promise<readonly ChangeSlice[]> {
    const taken: ChangeSlice[] = []
    do {
      check(taken.length < MOST_SLICES, 'reading slice after slice comes to the log\'s end')
      taken.push(await this.next(limit, through))
    } while (taken.at(-1)?.isLast !== true)
    return taken
  }

  async drain(limit?: SliceLimit, through?: LogPosition): Promise<readonly ChangeEvent[]> {
    return (await this.drainSlices(limit, through)).flatMap((slice) => slice.events)
  }
}

/** An open connection that captures the tables, and a reader that stands at the log's end as it was then. */
export interface ChangeFixture extends AsyncDisposable {
  readonly harness: ChangeHarness
  readonly client: ChangeClient
  readonly source: ChangeSource
  readonly connection: ChangeConnection
  readonly start: LogPosition
  readonly reader: LogReader
}

export async function capture(harness: ChangeHarness, tables: readonly CapturedTable[], name: string = SOURCE_NAME): Promise<ChangeFixture> {
  const source = harness.source({ tables: tables.map((table) => table.ref), name })
  const connection = await source.connect()
  try {
    const start = await connection.head()
    const reader = new LogReader(connection, start)
    return { harness, client: harness.client, source, connection, start, reader, [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose]() }
  } catch (error) {
    await connection[Symbol.asyncDispose]()
    throw error
  }
}

/** Makes one table, puts rows into it, and captures it from then on. */
export async function captureOne(harness: ChangeHarness, spec: ChangeTableSpec, rows: readonly RowRecord[] = []): Promise<ChangeFixture & { readonly table: CapturedTable }> {
  const table = await harness.createTable(spec)
  if (rows.length > 0) await harness.client.run(insert(table, rows))
  return { ...(await capture(harness, [table])), table }
}

/** Runs the work in one transaction of the client. */
export async function inTransaction(client: ChangeClient, work: () => Promise<unknown>): Promise<void> {
  await client.begin()
  await work()
  await client.commit()
}

export async function openClient(harness: ChangeHarness): Promise<ChangeClient> {
  return await defined(harness.openClient?.bind(harness), 'openClient, which the facts promise')()
}

export function insert(table: CapturedTable, rows: readonly RowRecord[]): ChangeStatement {
  return { kind: 'insert', table, rows }
}

export function update(table: CapturedTable, where: RowRecord, set: RowRecord): ChangeStatement {
  return { kind: 'update', table, where, set }
}

export function remove(table: CapturedTable, where: RowRecord): ChangeStatement {
  return { kind: 'delete', table, where }
}

export const ITEMS: ChangeTableSpec = {
  name: 'items',
  columns: [{ name: 'id', kind: 'int' }, { name: 'seen', kind: 'int', nullable: true }, { name: 'note', kind: 'text', nullable: true }],
  key: ['id'],
}

export function item(id: number, seen: number | null = id, note: Value = `note ${id}`): RowRecord {
  return { id, seen, note }
}

export function items(from: number, to: number): readonly RowRecord[] {
  return Array.from({ length: to - from + 1 }, (_empty, index) => item(from + index))
}

/**
 * The events in an order that can be expected. A net effect has none within a transaction: there it is put in the order of the key `id`.
 */
export function ordered({ source }: ChangeFixture, events: readonly ChangeEvent[]): readonly ChangeEvent[] {
  if (source.capabilities.changes === 'every') return events
  const firsts = new Map<string, number>()
  for (const [index, event] of events.entries()) if (!firsts.has(event.tx.id)) firsts.set(event.tx.id, index)
  const placeOf = (event: ChangeEvent): number => firsts.get(event.tx.id) ?? 0
  return events.toSorted((left, right) => placeOf(left) - placeOf(right) || Number(left.key?.['id']) - Number(right.key?.['id']))
}

/** `insert 1`, `delete 2`: what happened to which row of a table with the key `id`. */
export function brief(events: readonly ChangeEvent[]): readonly string[] {
  return events.map((event) => `${event.op} ${String(event.key?.['id'])}`)
}

export function schemasOf(slices: readonly ChangeSlice[]): readonly SchemaChange[] {
  return slices.flatMap((slice) => slice.schemas)
}

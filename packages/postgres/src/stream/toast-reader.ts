import { TidemarkError, type AbortOptions, type ChangeEvent, type ChangeSlice, type RowUpdated, type RowValues, type Value } from '@tidemark/core/adapter'
import type { PostgresSession } from '../postgres-session.ts'
import { readRowsByKey } from '../read-rows-by-key.ts'
import type { PublishedTable } from './published-table.ts'
import { snapshotSees } from './snapshot-sees.ts'
import type { StreamTables } from './stream-tables.ts'

/** Changes of one slice, and so rows whose large values are in memory at once. */
export const REREAD_EVENTS = 256
/** Rows of one query. */
const BATCH = 100
/** A commit is in the log a moment before others see it, and longer where it waits for a standby. */
const LOOKS = 20
const LOOK_MS = 25

/** Of one table: the changes that lack something, by their key. */
interface Lacking {
  readonly published: PublishedTable
  readonly events: RowUpdated[]
  readonly keys: Map<string, RowValues>
}

/**
 * Reads the large values that the server did not send, as they are now: of a row that has been changed since, those may be newer than the change. What is not there any
 * more, the row or its column, stays unavailable. Takes no lock that a writer would wait for.
 */
export class ToastReader {
  readonly #session: PostgresSession
  readonly #tables: StreamTables

  constructor(session: PostgresSession, tables: StreamTables) {
    this.#session = session
    this.#tables = tables
  }

  /** The slice with what could be read. The very slice where nothing is missing. */
  async complete(slice: ChangeSlice, options: AbortOptions): Promise<ChangeSlice> {
    const lacking = this.#lacking(slice.events)
    if (lacking.length === 0 || !await this.#areSeen(lacking, options)) return slice
    const completed = new Map<ChangeEvent, ChangeEvent>()
    let bytes = 0
    for (const table of lacking) bytes += await this.#completeTable(table, { completed, ...options })
    return { ...slice, events: slice.events.map((event) => completed.get(event) ?? event), bytes: slice.bytes + bytes }
  }

  #lacking(events: readonly ChangeEvent[]): readonly Lacking[] {
    const byTable = new Map<PublishedTable, Lacking>()
    for (const event of events) {
      if (event.op !== 'update' || event.unavailable.length === 0 || event.key === null) continue
      const published = this.#tables.published({ schema: event.schema ?? 'public', name: event.table })
      if (published === undefined) continue
      const table: Lacking = byTable.get(published) ?? { published, events: [], keys: new Map() }
      byTable.set(published, table)
      const key = keyOf(published, event)
      table.events.push(event)
      table.keys.set(textOf(key), key)
    }
    return [...byTable.values()]
  }

  /** What a row had before a change that is not seen yet may be older than what was delivered. */
  async #areSeen(lacking: readonly Lacking[], { signal }: AbortOptions): Promise<boolean> {
    const xids = new Set(lacking.flatMap(({ events }) => events.map(({ tx }) => Number.parseInt(tx.id, 10))))
    for (let look = 0; look < LOOKS; look += 1) {
      const [row] = await this.#session.query({ text: 'SELECT pg_catalog.pg_current_snapshot()::pg_catalog.text', signal })
      const snapshot = row?.[0] ?? '0:0:'
      if ([...xids].every((xid) => snapshotSees(snapshot, xid))) return true
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
    return false
  }

  async #completeTable({ published, events, keys }: Lacking, { completed, ...options }: AbortOptions & { readonly completed: Map<ChangeEvent, ChangeEvent> }): Promise<number> {
    const wanted = new Set(events.flatMap(({ unavailable }) => unavailable))
    const columns = published.schema.columns.filter(({ name }) => wanted.has(name))
    const rows = new Map<string, RowValues>()
    const all = [...keys.values()]
    for (let at = 0; at < all.length; at += BATCH) {
      for (const row of await this.#rows({ published, names: columns.map(({ name }) => name), keys: all.slice(at, at + BATCH) }, options)) {
        rows.set(textOf(row.slice(0, published.key.length)), row.slice(published.key.length))
      }
    }
    for (const event of events) {
      const row = rows.get(textOf(keyOf(published, event)))
      if (row !== undefined) completed.set(event, withValues(event, { published, values: new Map(columns.map(({ name }, place) => [name, row[place] ?? null])) }))
    }
    return [...rows.values()].reduce((sum, row) => sum + row.reduce<number>((inner, value) => inner + sizeOf(value), 0), 0)
  }

  async #rows({ published: { schema, key }, names, keys }: { readonly published: PublishedTable; readonly names: readonly string[]; readonly keys: readonly RowValues[] }, options: AbortOptions): Promise<readonly RowValues[]> {
    const columns = [...key, ...names].flatMap((name) => schema.columns.find((column) => column.name === name) ?? [])
    try {
      return await readRowsByKey(this.#session, { table: schema, columns, key, keys, ...options })
    } catch (error) {
      // The table has changed since. Its next change says how.
      if (error instanceof TidemarkError && (error.code === 'TABLE_UNKNOWN' || error.code === 'COLUMN_UNKNOWN')) return []
      throw error
    }
  }
}

function keyOf({ key }: PublishedTable, event: RowUpdated): RowValues {
  return key.map((name) => event.key?.[name] ?? null)
}

/** In the order of the table's columns, as a row that came whole. */
function withValues(event: RowUpdated, { published, values }: { readonly published: PublishedTable; readonly values: ReadonlyMap<string, Value> }): RowUpdated {
  const read = new Set(event.unavailable.filter((name) => values.has(name)))
  const names = published.schema.columns.map(({ name }) => name)
  const all = new Map<string, Value | undefined>([...names.map((name): [string, undefined] => [name, undefined]), ...Object.entries(event.after)])
  for (const name of read) all.set(name, values.get(name))
  const after = Object.fromEntries([...all].flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
  return { ...event, after, unavailable: event.unavailable.filter((name) => !read.has(name)) }
}

/** No text of PostgreSQL has a NUL. */
function textOf(key: RowValues): string {
  return key.map((value) => (value instanceof Uint8Array ? `bytes ${Buffer.from(value).toString('hex')}` : `${typeof value} ${String(value)}`)).join('\0')
}

function sizeOf(value: Value): number {
  return typeof value === 'string' || value instanceof Uint8Array ? value.length : 8
}

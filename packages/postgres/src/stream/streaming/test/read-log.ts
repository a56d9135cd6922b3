import type { ChangeConnection, ChangeEvent, ChangeSlice, SchemaChange } from '@tidemark/core/adapter'
import { postgresChanges } from '../../postgres-changes.ts'
import type { StreamDatabase } from '../../test/stream-database.ts'
import type { StreamingOptions } from '../streaming-settings.ts'

/** The last row that a test writes: whoever has it has all. */
export const MARK = 2_000_000

/** What a log tells, in its order: without the time of its reading and the slot's name. */
export type Told = readonly (ChangeEvent | SchemaChange)[]

export interface ReadLog {
  /** Default: the database's. */
  readonly slot?: string | undefined
  readonly tables: readonly string[]
  readonly streaming: boolean | StreamingOptions
  /** Called once the slot is being read. */
  readonly onOpen?: (() => void) | undefined
  /** Every change is sent early: PostgreSQL 16 and later can be told so. */
  readonly isImmediate?: boolean | undefined
  readonly limit?: { readonly events: number; readonly bytes: number } | undefined
}

/** Reads a slot up to the mark and leaves it where it is, so that it can be read again. The server sends early what takes more than 64 kB. */
export async function readLog(database: StreamDatabase, { slot = database.slot, tables, streaming, onOpen, isImmediate = false, limit = { events: 500, bytes: 1 << 20 } }: ReadLog): Promise<Told> {
  const source = postgresChanges({ url: eager(database.url, isImmediate), slot, publication: database.slot, tables, streaming })
  await using connection = await source.connect()
  let after = await connection.retained('test')
  if (after === undefined) throw new Error('There is no slot')
  const told: (ChangeEvent | SchemaChange)[] = []
  for (let isDone = false; !isDone;) {
    const { woken, unsubscribe } = awakening(connection)
    const slice: ChangeSlice = await connection.readChanges({ after, limit })
    onOpen?.()
    after = slice.position
    told.push(...slice.schemas, ...slice.events.map((event) => plain(event, slot)))
    isDone = slice.events.some(({ after: row }) => row?.['id'] === MARK)
    if (slice.isLast && !isDone) await woken
    unsubscribe()
  }
  return told
}

export function eager(url: string, isImmediate = false): string {
  const settings = isImmediate ? '-c debug_logical_replication_streaming=immediate' : '-c logical_decoding_work_mem=64kB'
  return `${url}?options=${encodeURIComponent(settings)}`
}

/** Reads beside what is done then. */
export function beginReading(database: StreamDatabase, request: ReadLog): { readonly told: Promise<Told>; readonly isOpen: Promise<void> } {
  let opened = (): void => undefined
  const isOpen = new Promise<void>((resolve) => { opened = resolve })
  const told = readLog(database, { ...request, onOpen: () => opened() })
  return { told, isOpen: Promise.race([isOpen, told.then(() => undefined)]) }
}

export function eventsOf(told: Told): readonly ChangeEvent[] {
  return told.filter((entry): entry is ChangeEvent => 'op' in entry)
}

function plain(event: ChangeEvent, slot: string): ChangeEvent {
  const source = { ...event.source, receivedAtMs: 0, position: event.source.position.replace(slot, 'slot') }
  return { ...event, id: event.id.replace(slot, 'slot'), source }
}

function awakening(connection: ChangeConnection): { readonly woken: Promise<void>; readonly unsubscribe: () => void } {
  let wake = (): void => undefined
  const woken = new Promise<void>((resolve) => { wake = resolve })
  return { woken, unsubscribe: connection.onWake(() => wake()) }
}

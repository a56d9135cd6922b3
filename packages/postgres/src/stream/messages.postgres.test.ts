import { ChangeStream, type LogMessage, type MessageSelection } from '@tidemark/core'
import type { ChangeEvent } from '@tidemark/core/adapter'
import { memoryStateStore } from '@tidemark/core/testing'
import { describe, expect, it } from 'vitest'
import { polledPostgresChanges } from './polled-postgres-changes.ts'
import { postgresChanges, type PostgresChanges, type PostgresChangesOptions } from './postgres-changes.ts'
import { openStreamDatabase, versions, type StreamDatabase } from './test/stream-database.ts'

type Event = ChangeEvent | LogMessage
type Given = Partial<Pick<PostgresChangesOptions, 'tables' | 'messages'>>

const kinds: readonly { readonly kind: string; readonly open: (database: StreamDatabase, options?: Given) => PostgresChanges }[] = [
  { kind: 'streamed', open: ({ url, slot }, options) => postgresChanges({ url, slot, tables: ['items'], messages: true, ...options }) },
  {
    kind: 'polled',
    open: ({ sql, slot }, options) => polledPostgresChanges({
      execute: (text, parameters) => sql.unsafe(text, [...parameters]), slot, tables: ['items'], messages: true, pollIntervalMs: 2, maxPollIntervalMs: 2, ...options,
    }),
  },
]

/** Events of a subscriber that asked for messages, to wait for. */
class Seen {
  readonly events: Event[] = []
  #wake: () => void = () => undefined

  add({ events }: { readonly events: readonly Event[] }): void {
    this.events.push(...events)
    this.#wake()
  }

  async count(count: number): Promise<readonly Event[]> {
    while (this.events.length < count) await new Promise<void>((resolve) => { this.#wake = resolve })
    return this.events
  }
}

function brief(events: readonly Event[]): readonly string[] {
  return events.map((event) => (event.op === 'message' ? `${event.prefix}:${Buffer.from(event.content).toString('latin1')}${event.transactional ? '' : '!'}` : `${event.op} ${String(event.key?.['id'])}`))
}

async function follow(stream: ChangeStream, messages: MessageSelection | undefined, id = 'reader'): Promise<Seen> {
  const seen = new Seen()
  if (messages === undefined) await stream.subscribe({ id }, (batch) => seen.add(batch))
  else await stream.subscribe({ id, messages }, (batch) => seen.add(batch))
  return seen
}

const TABLE = 'CREATE TABLE items (id int4 PRIMARY KEY)'

describe.each(versions)('messages in the log of postgres %s', (version) => {
  describe.each(kinds)('$kind', ({ open }) => {
    it('come among the changes of their transaction, as they were written, to those who ask for them', async () => {
      await using database = await openStreamDatabase(version)
      const { sql } = database
      await sql.unsafe(TABLE)
      await using stream = new ChangeStream({ source: open(database), checkpoints: memoryStateStore() })
      const [all, some, none] = [await follow(stream, true), await follow(stream, { prefixes: ['b'] }, 'some'), await follow(stream, undefined, 'none')]
      await sql.begin(async (tx) => {
        await tx`SELECT pg_logical_emit_message(true, 'a', 'first')`
        await tx`INSERT INTO items VALUES (1)`
        await tx`SELECT pg_logical_emit_message(true, 'b', 'second')`
        await tx`INSERT INTO items VALUES (2)`
        await tx`SELECT pg_logical_emit_message(true, 'b', 'third')`
      })
      await sql.begin(async (tx) => {
        await tx`INSERT INTO items VALUES (3)`
        await tx`SELECT pg_logical_emit_message(true, 'a', 'rolled back')`
        await tx`SELECT pg_logical_emit_message(false, 'a', 'stays')`
        throw new Error('back')
      }).catch(() => undefined)
      await sql`INSERT INTO items VALUES (4)`
      expect(brief(await all.count(7))).toEqual(['a:first', 'insert 1', 'b:second', 'insert 2', 'b:third', 'a:stays!', 'insert 4'])
      expect(brief(await some.count(5))).toEqual(['insert 1', 'b:second', 'insert 2', 'b:third', 'insert 4'])
      expect(brief(await none.count(3))).toEqual(['insert 1', 'insert 2', 'insert 4'])
      const first = all.events.slice(0, 5)
      expect(first.map(({ tx }) => [tx.sequence, tx.last])).toEqual([[0, false], [1, false], [2, false], [3, false], [4, true]])
      expect(new Set(first.map(({ tx }) => tx.id)).size).toBe(1)
      expect(all.events[5]?.tx).toMatchObject({ sequence: 0, last: true, committedAtMs: undefined })
      const places = all.events.map(({ source }) => source.position)
      expect(places).toEqual(places.toSorted())
      expect(new Set(all.events.map(({ id }) => id)).size).toBe(7)
    })

    it('have exactly the content that was written', async () => {
      await using database = await openStreamDatabase(version)
      const { sql } = database
      await using stream = new ChangeStream({ source: open(database, { tables: [] }), checkpoints: memoryStateStore() })
      const seen = await follow(stream, true)
      const large = Buffer.alloc(1 << 20, Buffer.from([0, 255, 10, 0x4d, 0xc3]))
      const contents = [Buffer.alloc(0), Buffer.from([0]), Buffer.from('a\0b'), large, Buffer.from('über 𝄞')]
      for (const content of contents) {
        await sql`SELECT pg_logical_emit_message(true, ${'pre fix/ü'}, ${content}::bytea)`
        await sql`SELECT pg_logical_emit_message(false, '', ${content}::bytea)`
      }
      await sql`SELECT pg_logical_emit_message(true, 'end', '')`
      const events = await seen.count(contents.length * 2 + 1)
      const messages = events.filter((event) => event.op === 'message')
      expect(messages.map(({ prefix }) => prefix)).toEqual([...contents.flatMap(() => ['pre fix/ü', '']), 'end'])
      for (const [at, { content, prefix }] of messages.slice(0, -1).entries()) {
        expect(content.constructor, prefix).toBe(Uint8Array)
        expect(Buffer.compare(content, contents[Math.floor(at / 2)] ?? Buffer.from('?')), `${at}`).toBe(0)
      }
    })

    it('come again until they were handled, and the slot stands exactly behind the last that was', async () => {
      await using database = await openStreamDatabase(version)
      const { sql } = database
      await sql.unsafe(TABLE)
      const checkpoints = memoryStateStore()
      const streamOf = (): ChangeStream => new ChangeStream({ source: open(database), checkpoints, batch: { events: 1 }, buffer: { bytes: 1 }, stopGraceMs: 0 })
      { await using stream = streamOf(); await follow(stream, true) }
      // Records back to back: what is acknowledged must not be a byte more.
      await sql.unsafe(`DO $$ BEGIN FOR i IN 1..4 LOOP PERFORM pg_logical_emit_message(false, 'm', i::text); PERFORM pg_logical_emit_message(false, 'n', i::text); INSERT INTO items VALUES (i); COMMIT; END LOOP; END $$`)
      const wanted = [1, 2, 3, 4].flatMap((i) => [`m:${i}!`, `n:${i}!`, `insert ${i}`])
      const handled: string[] = []
      const ids = new Map<string, string>()
      while (handled.length < wanted.length) {
        await using stream = streamOf()
        let batches = 0
        await new Promise<void>((resolve) => {
          void stream.subscribe({ id: 'reader', messages: true }, async ({ events }) => {
            batches += 1
            for (const event of events) {
              const [text = ''] = brief([event])
              expect(ids.get(text) ?? event.id).toBe(event.id)
              ids.set(text, event.id)
            }
            // Killed in the middle of the second: it was not handled.
            if (batches > 1) {
              resolve()
              await new Promise(() => undefined)
            }
            handled.push(...brief(events))
            if (handled.length >= wanted.length) resolve()
          })
        })
      }
      expect(handled).toEqual(wanted)
    })

    it('move the slot also where nothing else is written', async () => {
      await using database = await openStreamDatabase(version)
      const { sql } = database
      await using stream = new ChangeStream({ source: open(database, { tables: [] }), checkpoints: memoryStateStore(), heartbeatIntervalMs: 20 })
      const seen = await follow(stream, true)
      const [{ lsn } = { lsn: '' }] = await sql<{ lsn: string }[]>`SELECT pg_logical_emit_message(false, 'm', 'x')::text AS lsn`
      await sql`SELECT pg_current_xact_id()`
      await seen.count(1)
      for (;;) {
        const [row] = await sql`SELECT confirmed_flush_lsn >= ${lsn}::pg_lsn AS moved FROM pg_replication_slots WHERE slot_name = ${database.slot}`
        if (row?.['moved'] === true) break
        await sql`SELECT pg_sleep(0.02)`
      }
    })

    it('are chosen at the source too; without them it says so to who asks', async () => {
      await using database = await openStreamDatabase(version)
      const { sql } = database
      await sql.unsafe(TABLE)
      {
        await using stream = new ChangeStream({ source: open(database, { messages: { prefixes: ['wanted'] } }), checkpoints: memoryStateStore() })
        const seen = await follow(stream, true)
        await sql`SELECT pg_logical_emit_message(i % 2 = 0, CASE WHEN i < 4 THEN 'other' ELSE 'wanted' END, i::text) FROM generate_series(1, 5) i`
        await sql`INSERT INTO items VALUES (1)`
        expect(brief(await seen.count(3))).toEqual(['wanted:5!', 'wanted:4', 'insert 1'])
      }
      await using stream = new ChangeStream({ source: open(database, { messages: undefined }), checkpoints: memoryStateStore() })
      await expect(stream.subscribe({ id: 'other', messages: true }, () => undefined)).rejects.toMatchObject({ code: 'NOT_SUPPORTED' })
      const seen = await follow(stream, undefined)
      await sql`SELECT pg_logical_emit_message(true, 'wanted', '')`
      await sql`INSERT INTO items VALUES (2)`
      expect(brief(await seen.count(1))).toEqual(['insert 2'])
    })
  })

  it.each([false, true])('of a transaction that is larger than a slice come once each, also over connections that break (in pieces: %s)', async (streaming) => {
    await using database = await openStreamDatabase(version)
    const { sql, admin } = database
    await sql.unsafe(TABLE)
    // What is more comes in pieces, where that is asked for.
    await admin.unsafe('DO $$ BEGIN EXECUTE format(\'ALTER DATABASE %I SET logical_decoding_work_mem = "64kB"\', current_database()); END $$')
    await using stream = new ChangeStream({ source: postgresChanges({ url: database.url, slot: database.slot, tables: ['items'], messages: true, streaming }), checkpoints: memoryStateStore(), batch: { events: 7 }, buffer: { bytes: 4096 }, retry: { baseMs: 5, maxMs: 20 } })
    const seen = new Seen()
    let broken = 0
    await stream.subscribe({ id: 'reader', messages: true }, async (batch) => {
      seen.add(batch)
      if (seen.events.length > broken * 60 && broken < 3) {
        broken += 1
        await admin`SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = ${database.slot} AND active`
      }
    })
    await sql.unsafe(`DO $$ BEGIN FOR i IN 1..150 LOOP PERFORM pg_logical_emit_message(true, 'm', i::text); INSERT INTO items VALUES (i); PERFORM pg_logical_emit_message(true, 'fill', repeat('x', 2000)); END LOOP; END $$`)
    const events = await seen.count(450)
    expect(brief(events).filter((text) => !text.startsWith('fill'))).toEqual(Array.from({ length: 150 }, (_, i) => [`m:${i + 1}`, `insert ${i + 1}`]).flat())
    expect(broken).toBe(3)
  })
})

it('what no selection can be is refused', () => {
  for (const messages of [false, { prefixes: [] }, 'all']) {
    expect(() => postgresChanges({ url: 'postgres://h/d', slot: 's', tables: [], messages: messages as unknown as true })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  }
  expect(() => postgresChanges({ url: 'postgres://h/d', slot: 's', tables: [] })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
})

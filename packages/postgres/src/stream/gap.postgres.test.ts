import { ChangeStream, type ChangeStreamEvents } from '@tidemark/core'
import { decodeCheckpoint, encodeCheckpoint, type TidemarkError } from '@tidemark/core/adapter'
import { memoryStateStore } from '@tidemark/core/testing'
import { describe, expect, it } from 'vitest'
import { toPlace, toPosition } from './log-place.ts'
import { parseLsn } from './lsn.ts'
import { postgresChanges } from './postgres-changes.ts'
import { brief, collect, Collected } from './test/collect.ts'
import { openStreamDatabase, versions, type StreamDatabase } from './test/stream-database.ts'

type Options = Partial<ConstructorParameters<typeof ChangeStream>[0]>

function open(database: StreamDatabase, options: Options = {}): ChangeStream {
  return new ChangeStream({ source: postgresChanges({ url: database.url, slot: database.slot, tables: ['items'] }), retry: { baseMs: 20, maxMs: 50 }, ...options })
}

/** A stream has read one row and is gone; its checkpoint is kept. */
async function prepare(database: StreamDatabase, checkpoints: ReturnType<typeof memoryStateStore>): Promise<void> {
  await database.sql`CREATE TABLE items (id int4 PRIMARY KEY)`
  await using stream = open(database, { checkpoints })
  const collected = await collect(stream)
  await database.sql`INSERT INTO items VALUES (1)`
  await collected.count(1)
}

async function errorOf(stream: ChangeStream): Promise<TidemarkError> {
  // Whatever else it is, a test that compares the code will show it.
  return await stream.subscribe({ id: 'reader' }, () => undefined).then(() => Promise.reject(new Error('It subscribed')), (error: unknown) => error as TidemarkError)
}

const whileAway: readonly { readonly what: string; readonly reason: string; readonly happen: (database: StreamDatabase) => Promise<unknown> }[] = [
  { what: 'was dropped', reason: 'slot-missing', happen: ({ admin, slot }) => admin`SELECT pg_drop_replication_slot(${slot})` },
  {
    what: 'was made anew by somebody', reason: 'slot-ahead',
    happen: async ({ admin, slot }) => {
      await admin`SELECT pg_drop_replication_slot(${slot})`
      await admin`SELECT pg_create_logical_replication_slot(${slot}, 'pgoutput')`
    },
  },
  { what: 'was moved ahead', reason: 'slot-ahead', happen: ({ admin, slot }) => admin`SELECT pg_replication_slot_advance(${slot}, pg_current_wal_insert_lsn())` },
  { what: 'lost its publication', reason: 'slot-missing', happen: ({ admin, slot }) => admin`DROP PUBLICATION ${admin(slot)}` },
]

describe.each(versions)('a gap of postgres %s', (version) => {
  it.each(whileAway)('is told of when the slot $what', async ({ reason, happen }) => {
    await using database = await openStreamDatabase(version)
    const checkpoints = memoryStateStore()
    await prepare(database, checkpoints)
    await database.sql`INSERT INTO items VALUES (2)`
    await happen(database)
    {
      await using stream = open(database, { checkpoints })
      const gaps: ChangeStreamEvents['gap'][] = []
      stream.on('gap', (gap) => void gaps.push(gap))
      expect(await errorOf(stream)).toMatchObject({ code: 'CHANGE_GAP', detail: reason })
      expect(gaps).toMatchObject([{ subscriber: 'reader', action: 'fail', error: { detail: reason } }])
    }
    await using stream = open(database, { checkpoints, onGap: 'resnapshot' })
    const collected = await collect(stream)
    await database.sql`INSERT INTO items VALUES (3)`
    const events = await collected.until((all) => all.some(({ key }) => key?.['id'] === 3))
    expect(brief(events).toSorted().slice(-3)).toEqual(expect.arrayContaining(['snapshot 1', 'snapshot 2']) as string[])
  })

  it('is told of by what is read from a place that the server has not come to: it was set back, and what it writes up to there would be passed over', async () => {
    await using database = await openStreamDatabase(version)
    await database.sql`CREATE TABLE items (id int4 PRIMARY KEY)`
    await using connection = await postgresChanges({ url: database.url, slot: database.slot, tables: ['items'] }).connect()
    const head = await connection.head()
    const later = toPosition({ ...toPlace(head), lsn: toPlace(head).lsn + 100_000_000n })
    await expect(connection.readChanges({ after: later, limit: { events: 10, bytes: 1e6 } })).rejects.toMatchObject({ code: 'CHANGE_GAP', detail: 'source-changed' })
    await connection.readChanges({ after: head, limit: { events: 10, bytes: 1e6 } })
  })

  it('is not made by a crash: where a subscriber begins is durable at the server, whatever waits to be', async () => {
    await using database = await openStreamDatabase(version)
    const { admin, sql, slot, url } = database
    await sql`CREATE TABLE items (id int4 PRIMARY KEY)`
    await using connection = await postgresChanges({ url, slot, tables: ['items'] }).connect()
    for (let id = 1; id <= 20; id += 1) {
      await sql.unsafe(`SET LOCAL synchronous_commit = off; INSERT INTO items VALUES (${id})`)
      const { lsn } = toPlace(await connection.head())
      const [row] = await admin`SELECT pg_current_wal_flush_lsn()::text AS flushed`
      expect(parseLsn(row?.['flushed'] as string)).toBeGreaterThanOrEqual(lsn)
    }
  })

  it('is told of for a checkpoint of another server, timeline or slot', async () => {
    await using database = await openStreamDatabase(version)
    const checkpoints = memoryStateStore()
    await prepare(database, checkpoints)
    const stored = decodeCheckpoint((await checkpoints.get('stream/default/postgres/reader'))?.value ?? '')
    const [system = '', timeline = '', slot = ''] = stored.position.epoch.split('.')
    expect(timeline).toMatch(/^[0-9A-F]{8}$/)
    await using stream = open(database, { checkpoints })
    for (const epoch of [`${system}0.${timeline}.${slot}`, `${system}.00000009.${slot}`, `${system}.${timeline}.other`]) {
      const from = encodeCheckpoint({ ...stored, position: { ...stored.position, epoch } })
      await expect(stream.subscribe({ id: 'other', from }, () => undefined)).rejects.toMatchObject({ code: 'CHANGE_GAP', detail: 'source-changed' })
    }
  })

  it.each(['fail', 'resnapshot'] as const)('is told of to a stream at work: %s', async (onGap) => {
    await using database = await openStreamDatabase(version)
    const { admin, sql, slot } = database
    await sql`CREATE TABLE items (id int4 PRIMARY KEY)`
    await using stream = open(database, { checkpoints: memoryStateStore(), onGap })
    const collected = new Collected()
    const subscription = await stream.subscribe({ id: 'reader' }, (batch) => collected.add(batch))
    const gapped = new Promise<ChangeStreamEvents['gap']>((resolve) => void stream.on('gap', resolve))
    await sql`INSERT INTO items VALUES (1)`
    await collected.count(1)
    // Dropped in the one moment in which nobody reads it.
    await admin.unsafe(`DO $$ BEGIN
      PERFORM pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '${slot}';
      LOOP
        BEGIN PERFORM pg_drop_replication_slot('${slot}'); EXIT; EXCEPTION WHEN object_in_use THEN PERFORM pg_sleep(0.001); END;
      END LOOP;
    END $$`)
    await sql`INSERT INTO items VALUES (2)`
    expect(await gapped).toMatchObject({ action: onGap, error: { code: 'CHANGE_GAP' } })
    if (onGap === 'fail') {
      await expect(subscription.done).rejects.toMatchObject({ code: 'CHANGE_GAP' })
      return
    }
    await sql`INSERT INTO items VALUES (3)`
    const events = await collected.until((all) => [2, 3].every((id) => all.some(({ key }) => key?.['id'] === id)))
    expect(brief(events)).toEqual(expect.arrayContaining(['insert 1', 'snapshot 1', 'snapshot 2']) as string[])
  })
})

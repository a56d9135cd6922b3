import { setTimeout } from 'node:timers/promises'
import { ChangeStream } from '@tidemark/core'
import type { ChangeBatch } from '@tidemark/core'
import type { ChangeEvent } from '@tidemark/core/adapter'
import { memoryStateStore } from '@tidemark/core/testing'
import { describe, expect, it } from 'vitest'
import { postgresChanges } from './postgres-changes.ts'
import { openStreamDatabase, versions, type StreamDatabase } from './test/stream-database.ts'
import { Replica } from './test/replica.ts'
import { startWriters } from './test/writers.ts'

const TABLES = ['first', 'second', 'third']

async function createTables({ sql }: StreamDatabase): Promise<void> {
  for (const table of TABLES) await sql.unsafe(`CREATE TABLE ${table} (id int4 PRIMARY KEY, n int4, note text); INSERT INTO ${table} SELECT i, 0, 'start' FROM generate_series(1, 2000) i`)
}

async function rowsOf({ sql }: StreamDatabase, table: string): Promise<readonly string[]> {
  return (await sql.unsafe(`SELECT id, n, note FROM ${table} ORDER BY id`)).map((row) => JSON.stringify(row))
}

function open(database: StreamDatabase, options: { readonly snapshotAgeMs: number; readonly checkpoints: ReturnType<typeof memoryStateStore> }): ChangeStream {
  const source = postgresChanges({ url: database.url, slot: database.slot, tables: TABLES, snapshotAgeMs: options.snapshotAgeMs })
  return new ChangeStream({ source, checkpoints: options.checkpoints, snapshot: 'initial', batch: { events: 150 } })
}

/** Until the mark, which is written last, has come. */
function untilMark(stream: ChangeStream, replica: Replica): Promise<void> {
  return new Promise((resolve, reject) => {
    const take = (batch: ChangeBatch): void => {
      replica.apply(batch.events)
      if (batch.events.some(({ op, key }) => op !== 'snapshot' && key?.['id'] === -1)) resolve()
    }
    void stream.subscribe({ id: 'replica' }, take).then((subscription) => void subscription.done.catch(reject), reject)
  })
}

describe.each(versions)('a snapshot of postgres %s', (version) => {
  it.each([{ snapshotAgeMs: 30_000 }, { snapshotAgeMs: 1 }])('and the changes behind it give the rows, whoever writes meanwhile ($snapshotAgeMs ms)', async ({ snapshotAgeMs }) => {
    await using database = await openStreamDatabase(version)
    await createTables(database)
    const writers = startWriters(database.sql, { tables: TABLES, seed: 7, writers: 4 })
    await using stream = open(database, { snapshotAgeMs, checkpoints: memoryStateStore() })
    const replica = new Replica()
    const completed = new Promise<void>((resolve) => void stream.on('snapshot', ({ phase }) => { if (phase === 'completed') resolve() }))
    const marked = untilMark(stream, replica)
    await Promise.race([completed, marked])
    await writers.stop()
    await database.sql`INSERT INTO third VALUES (-1, 0, 'mark')`
    await marked
    for (const table of TABLES) expect(replica.rows(table)).toEqual(await rowsOf(database, table))
    expect(replica.regressions).toEqual([])
    expect(writers.committed).toBeGreaterThan(20)
  })

  it('comes also when nobody writes', async () => {
    await using database = await openStreamDatabase(version)
    await createTables(database)
    await using stream = open(database, { snapshotAgeMs: 1, checkpoints: memoryStateStore() })
    const replica = new Replica()
    const completed = new Promise<void>((resolve) => void stream.on('snapshot', ({ phase }) => { if (phase === 'completed') resolve() }))
    await stream.subscribe({ id: 'replica' }, ({ events }) => replica.apply(events))
    await completed
    for (const table of TABLES) expect(replica.rows(table)).toEqual(await rowsOf(database, table))
  })

  it('waits for a transaction that writes no longer than it may, and leaves no log sender waiting', async () => {
    await using database = await openStreamDatabase(version)
    const { sql, url, slot } = database
    await createTables(database)
    await (await postgresChanges({ url, slot, tables: TABLES }).connect())[Symbol.asyncDispose]()
    await using stream = new ChangeStream({
      source: postgresChanges({ url, slot, tables: TABLES, snapshotWaitMs: 100 }), checkpoints: memoryStateStore(), snapshot: 'initial', retry: { baseMs: 10, maxMs: 20 },
    })
    const replica = new Replica()
    const completed = new Promise<void>((resolve) => void stream.on('snapshot', ({ phase }) => { if (phase === 'completed') resolve() }))
    const waited = new Promise<void>((resolve) => void stream.on('error', ({ error, attempt }) => { if (error.code === 'TIMEOUT' && error.detail === 'snapshot' && attempt === 3) resolve() }))
    await sql.begin(async (tx) => {
      await tx`UPDATE first SET n = 1 WHERE id = 1`
      await stream.subscribe({ id: 'replica' }, ({ events }) => replica.apply(events))
      await waited
      const [senders] = await sql<{ count: number }[]>`SELECT count(*)::int4 AS count FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'walsender'`
      // The stream, the snapshot that is being tried, and at most one that has just been told to end.
      expect(senders?.count).toBeLessThanOrEqual(3)
    })
    await completed
    for (const table of TABLES) expect(replica.rows(table)).toEqual(await rowsOf(database, table))
  })

  it('and the changes behind it give the rows of a partitioned table without a key', async () => {
    await using database = await openStreamDatabase(version)
    const { sql, url, slot } = database
    await sql.unsafe(`CREATE TABLE parts (id int4, n int4, note text) PARTITION BY RANGE (id);
      CREATE TABLE parts_low PARTITION OF parts FOR VALUES FROM (0) TO (1000); CREATE TABLE parts_high PARTITION OF parts FOR VALUES FROM (1000) TO (9000);
      ALTER TABLE parts REPLICA IDENTITY FULL; ALTER TABLE parts_low REPLICA IDENTITY FULL; ALTER TABLE parts_high REPLICA IDENTITY FULL;
      INSERT INTO parts SELECT i, 0, 'start' FROM generate_series(1, 2000) i`)
    await using stream = new ChangeStream({ source: postgresChanges({ url, slot, tables: ['parts'] }), checkpoints: memoryStateStore(), snapshot: 'initial', batch: { events: 150 } })
    const rows: string[] = []
    const events: ChangeEvent[] = []
    const completed = new Promise<void>((resolve) => void stream.on('snapshot', ({ phase }) => { if (phase === 'completed') resolve() }))
    const marked = new Promise<void>((resolve) => void stream.subscribe({ id: 'reader' }, (batch) => {
      for (const event of batch.events) {
        expect(event).toMatchObject({ table: 'parts', key: null })
        if (event.op === 'snapshot') rows.push(JSON.stringify(event.after))
        else events.push(event)
        if (event.op === 'delete') resolve()
      }
    }))
    await completed
    expect(rows.toSorted()).toEqual((await rowsOf(database, 'parts')).toSorted())
    await sql`INSERT INTO parts VALUES (5000, 1, 'new')`
    await sql`UPDATE parts SET id = 1, note = 'moved' WHERE id = 5000`
    await sql`DELETE FROM parts WHERE note = 'moved'`
    await marked
    // A row that moves to another partition is a delete and an insert.
    expect(events.slice(0, 2)).toMatchObject([{ op: 'insert', after: { id: 5000, note: 'new' } }, { op: 'delete', before: { id: 5000, n: 1, note: 'new' }, beforeKind: 'full' }])
  })

  it('of a table that is added to the list comes when the stream is opened with it, whoever writes meanwhile', async () => {
    await using database = await openStreamDatabase(version)
    await createTables(database)
    const checkpoints = memoryStateStore()
    const replica = new Replica()
    /** Resolves to the tables that rows were read of. */
    const follow = async (tables: readonly string[], mark: number): Promise<readonly string[]> => {
      const read = new Set<string>()
      const writers = startWriters(database.sql, { tables: TABLES, seed: mark, writers: 2 })
      const source = postgresChanges({ url: database.url, slot: database.slot, tables, snapshot: 'auto', snapshotAgeMs: 1 })
      await using stream = new ChangeStream({ source, checkpoints, batch: { events: 150 } })
      const completed = new Promise<void>((resolve) => void stream.on('snapshot', ({ phase }) => { if (phase === 'completed') resolve() }))
      const marked = new Promise<void>((resolve) => void stream.subscribe({ id: 'replica' }, ({ events }) => {
        replica.apply(events)
        for (const { op, table } of events) if (op === 'snapshot') read.add(table)
        if (events.some(({ op, key }) => op !== 'snapshot' && key?.['id'] === -mark)) resolve()
      }))
      await completed
      await writers.stop()
      await database.sql.unsafe(`INSERT INTO first VALUES (-${mark}, 0, 'mark')`)
      await marked
      return [...read].toSorted()
    }
    expect(await follow(['first'], 1)).toEqual(['first'])
    expect(await follow(TABLES, 2)).toEqual(['second', 'third'])
    for (const table of TABLES) expect(replica.rows(table)).toEqual(await rowsOf(database, table))
    expect(replica.regressions).toEqual([])
  })

  it('goes on where it was when it is stopped again and again', async () => {
    await using database = await openStreamDatabase(version)
    await createTables(database)
    const checkpoints = memoryStateStore()
    const writers = startWriters(database.sql, { tables: TABLES, seed: 11, writers: 2 })
    const replica = new Replica()
    for (let part = 0; part < 5; part += 1) {
      await using stream = open(database, { snapshotAgeMs: 30_000, checkpoints })
      await new Promise<void>((resolve, reject) => {
        let batches = 0
        const take = (batch: ChangeBatch): void => {
          replica.apply(batch.events)
          batches += 1
          if (batches === 6) resolve()
        }
        stream.subscribe({ id: 'replica' }, take).catch(reject)
      })
    }
    await using stream = open(database, { snapshotAgeMs: 30_000, checkpoints })
    const completed = new Promise<void>((resolve) => void stream.on('snapshot', ({ phase }) => { if (phase === 'completed') resolve() }))
    const marked = untilMark(stream, replica)
    await completed
    await writers.stop()
    await database.sql`INSERT INTO third VALUES (-1, 0, 'mark')`
    await marked
    for (const table of TABLES) expect(replica.rows(table)).toEqual(await rowsOf(database, table))
    expect(replica.snapshotRows).toBeLessThan(2 * 3 * 2000)
  })

  it('has the rows of a table without a key, and leaves nothing behind at the server', async () => {
    await using database = await openStreamDatabase(version)
    const { sql, slot } = database
    await sql.unsafe('CREATE TABLE lines (note text, n int4); ALTER TABLE lines REPLICA IDENTITY FULL; INSERT INTO lines SELECT \'same\', i / 2 FROM generate_series(0, 999) i')
    const events: ChangeEvent[] = []
    {
      await using stream = new ChangeStream({ source: postgresChanges({ url: database.url, slot, tables: ['lines'] }), checkpoints: memoryStateStore(), snapshot: 'initial', batch: { events: 90 } })
      const completed = new Promise<void>((resolve) => void stream.on('snapshot', ({ phase }) => { if (phase === 'completed') resolve() }))
      await stream.subscribe({ id: 'lines' }, (batch) => void events.push(...batch.events))
      await completed
      expect(events.map(({ after }) => Number(after?.['n'])).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, index) => Math.floor(index / 2)))
      expect(new Set(events.map(({ id }) => id)).size).toBe(1000)
    }
    const left = await database.admin`SELECT slot_name, temporary FROM pg_replication_slots WHERE database = current_database()`
    expect([...left]).toEqual([{ slot_name: slot, temporary: false }])
    // The transaction that read the rows has ended too.
    for (;;) {
      const rows = await database.admin`SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'tidemark'`
      if (rows.length === 0) break
      await setTimeout(10)
    }
  })

  it('has the rows of a table without a key for each of those who read it in turn', async () => {
    await using database = await openStreamDatabase(version)
    await database.sql.unsafe('CREATE TABLE lines (n int4); ALTER TABLE lines REPLICA IDENTITY FULL')
    await database.sql`INSERT INTO lines SELECT generate_series(1, 500)`
    await using connection = await postgresChanges({ url: database.url, slot: database.slot, tables: ['lines'] }).connect()
    const reached = await connection.head()
    const readers = [{ limit: 60 }, { limit: 60 }, { limit: 90 }].map(({ limit }) => ({ limit, after: undefined as string | undefined, isDone: false, rows: [] as number[] }))
    // Each needs nine chunks at most: who begins anew needs more, and for ever.
    for (let turn = 0; turn < 9; turn += 1) {
      for (const reader of readers) {
        if (reader.isDone) continue
        const chunk = await connection.readChunk?.({ table: 'lines', after: reader.after, reached, limit: { events: reader.limit, bytes: 1e6 } })
        if (chunk === undefined) throw new Error('no chunk')
        reader.rows.push(...chunk.events.map(({ after }) => Number(after?.['n'])))
        reader.after = chunk.last ?? reader.after
        reader.isDone = chunk.isLast
      }
    }
    const all = Array.from({ length: 500 }, (_, index) => index + 1)
    for (const { rows, isDone } of readers) expect({ isDone, rows: rows.toSorted((a, b) => a - b) }).toEqual({ isDone: true, rows: all })
  })
})

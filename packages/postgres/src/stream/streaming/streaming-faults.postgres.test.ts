import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { ChangeStream, type ChangeStreamEvents } from '@tidemark/core'
import { memoryStateStore } from '@tidemark/core/testing'
import { startPostgres } from '@tidemark/test-servers'
import { runWorker } from '@tidemark/test-servers/run-worker'
import { describe, expect, it } from 'vitest'
import { postgresChanges } from '../postgres-changes.ts'
import { Collected } from '../test/collect.ts'
import { makeDatabase, openStreamDatabase, versions, type StreamDatabase } from '../test/stream-database.ts'
import { startWriters } from '../test/writers.ts'
import { ObservedSpool } from './test/observed-spool.ts'
import { beginReading, eager, eventsOf, MARK } from './test/read-log.ts'
import type { StreamingOptions } from './streaming-settings.ts'

const WORKER = fileURLToPath(new URL('../test/replica-worker.ts', import.meta.url))
const MEMORY_BYTES = 1024 * 1024
const ROWS = 4_000

function open({ url, slot }: StreamDatabase, streaming: StreamingOptions, checkpoints = memoryStateStore()): ChangeStream {
  const source = postgresChanges({ url: eager(url), slot, tables: ['items'], streaming })
  return new ChangeStream({ source, checkpoints, retry: { baseMs: 20, maxMs: 100 } })
}

async function createTable({ sql }: StreamDatabase): Promise<void> {
  await sql`CREATE TABLE items (id int4 PRIMARY KEY, n int4, note text)`
}

/** Begins a transaction of some megabytes that has not ended, and gives what ends it. */
async function beginLarge({ sql }: StreamDatabase, after = 0): Promise<(statement: 'COMMIT' | 'ROLLBACK') => Promise<void>> {
  const own = await sql.reserve()
  await own`BEGIN`
  await own`INSERT INTO items SELECT i, 0, repeat('x', 1000) FROM generate_series(${after + 1}::int4, ${after + ROWS}) i`
  return async (statement) => {
    await own.unsafe(statement)
    own.release()
  }
}

function errorOf(stream: ChangeStream): Promise<ChangeStreamEvents['error']> {
  return new Promise((resolve) => void stream.on('error', resolve))
}

const ALL = Array.from({ length: ROWS }, (_, index) => index + 1)
const idsOf = (collected: Collected): readonly unknown[] => collected.events.map(({ key }) => key?.['id'])

describe.each(versions)('transactions that postgres %s sends early', (version) => {
  it('are sent again when the connection breaks meanwhile, and what was spooled is thrown away', async () => {
    await using database = await openStreamDatabase(version)
    await createTable(database)
    const spool = new ObservedSpool()
    await using stream = open(database, { memoryBytes: MEMORY_BYTES, spool })
    const collected = new Collected()
    await stream.subscribe({ id: 'reader' }, (batch) => collected.add(batch))
    const end = await beginLarge(database)
    await spool.used()
    const failed = errorOf(stream)
    await database.admin`SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = ${database.slot} AND active`
    await failed
    await database.sql`INSERT INTO items VALUES (${MARK}, 0, 'between')`
    await collected.count(1)
    expect(idsOf(collected)).toEqual([MARK])
    await end('COMMIT')
    await collected.count(ROWS + 1)
    expect(idsOf(collected)).toEqual([MARK, ...ALL])
    expect(collected.events.map(({ tx }) => tx.sequence)).toEqual([0, ...ALL.map((id) => id - 1)])
    expect(spool.opened).toBeGreaterThan(1)
    await stream.stop()
    expect(spool.left).toBe(0)
  })

  it('end the stream by a code where there is no room for them, and nothing is lost', async () => {
    await using database = await openStreamDatabase(version)
    await createTable(database)
    const checkpoints = memoryStateStore()
    {
      await using stream = open(database, { memoryBytes: MEMORY_BYTES }, checkpoints)
      const collected = new Collected()
      const subscription = await stream.subscribe({ id: 'reader' }, (batch) => collected.add(batch))
      const end = await beginLarge(database)
      await expect(subscription.done).rejects.toMatchObject({ code: 'SPOOL_FULL', detail: 'memory', retryable: false })
      await end('COMMIT')
      expect(collected.events).toEqual([])
      expect(await database.slotColumn('active')).toBe('false')
    }
    {
      await using stream = open(database, { memoryBytes: MEMORY_BYTES, spool: new ObservedSpool(), maxSpoolBytes: MEMORY_BYTES }, checkpoints)
      const subscription = await stream.subscribe({ id: 'reader' }, () => undefined)
      await expect(subscription.done).rejects.toMatchObject({ code: 'SPOOL_FULL', detail: 'spool' })
    }
    await using stream = open(database, { memoryBytes: MEMORY_BYTES, spool: new ObservedSpool() }, checkpoints)
    const collected = new Collected()
    await stream.subscribe({ id: 'reader' }, (batch) => collected.add(batch))
    await collected.count(ROWS)
    expect(idsOf(collected)).toEqual(ALL)
  })

  it('are sent again when the spool did not keep them', async () => {
    await using database = await openStreamDatabase(version)
    await createTable(database)
    let damaged = 0
    const spool = new ObservedSpool((bytes) => (damaged++ < 2 ? bytes.fill(0, 100, 101) : bytes))
    await using stream = open(database, { memoryBytes: MEMORY_BYTES, spool })
    const collected = new Collected()
    await stream.subscribe({ id: 'reader' }, (batch) => collected.add(batch))
    const failed = errorOf(stream)
    await (await beginLarge(database))('COMMIT')
    expect(await failed).toMatchObject({ error: { code: 'SPOOL_FAILED', detail: 'corrupt' } })
    await collected.count(ROWS)
    expect(idsOf(collected)).toEqual(ALL)
  })

  it('leave nothing in the spool when the stream is stopped, or read no further', async () => {
    await using database = await openStreamDatabase(version)
    await createTable(database)
    const spool = new ObservedSpool()
    const stream = open(database, { memoryBytes: MEMORY_BYTES, spool })
    await stream.subscribe({ id: 'reader' }, () => undefined)
    const end = await beginLarge(database)
    await spool.used()
    await stream.stop()
    expect(spool.left).toBe(0)
    // By the signal of a read.
    const source = postgresChanges({ url: eager(database.url), slot: database.slot, tables: ['items'], streaming: { memoryBytes: MEMORY_BYTES, spool } })
    const controller = new AbortController()
    await using connection = await source.connect()
    const after = await connection.retained('test')
    if (after === undefined) throw new Error('There is no slot')
    const { opened } = spool
    while (spool.opened === opened) {
      await connection.readChanges({ after, limit: { events: 100, bytes: 1 << 20 } })
      await setImmediate() // a read never waits for what has not come
    }
    expect(spool.left).toBe(1)
    controller.abort()
    await expect(connection.readChanges({ after, limit: { events: 100, bytes: 1 << 20 }, signal: controller.signal })).rejects.toMatchObject({ code: 'ABORTED' })
    await connection[Symbol.asyncDispose]()
    expect(spool.left).toBe(0)
    await end('ROLLBACK')
  })

  it('are forgotten where the server was killed before they had ended', async () => {
    await using server = await startPostgres({ version, restartable: true })
    await using database = await makeDatabase(server)
    await createTable(database)
    const spool = new ObservedSpool()
    await using stream = open(database, { memoryBytes: MEMORY_BYTES, spool })
    const collected = new Collected()
    await stream.subscribe({ id: 'reader' }, (batch) => collected.add(batch))
    await beginLarge(database) // and its connection goes with the server
    await spool.used()
    await (await beginLarge(database, 10_000))('COMMIT')
    await collected.count(ROWS)
    await server.restart('kill')
    await (await beginLarge(database))('COMMIT')
    await collected.count(2 * ROWS)
    expect(idsOf(collected)).toEqual([...ALL.map((id) => id + 10_000), ...ALL])
    expect(new Set(collected.events.map(({ tx }) => tx.id)).size).toBe(2)
  })

  it('come at their COMMIT PREPARED where they are committed in two phases', async () => {
    await using server = await startPostgres({ version, settings: { max_prepared_transactions: '10' } })
    await using database = await makeDatabase(server)
    await createTable(database)
    const { told, isOpen } = beginReading(database, { tables: ['items'], streaming: true })
    await isOpen
    for (const [name, first] of [['kept', 0], ['undone', 10_000]] as const) {
      const own = await database.sql.reserve()
      await own.unsafe(`BEGIN; INSERT INTO items SELECT i, 0, repeat('x', 1000) FROM generate_series(${first + 1}, ${first + 300}) i; PREPARE TRANSACTION '${name}'`)
      own.release()
    }
    await database.sql`INSERT INTO items VALUES (5000, 0, 'between')`
    await database.sql.unsafe('ROLLBACK PREPARED \'undone\'')
    await database.sql.unsafe('COMMIT PREPARED \'kept\'')
    await database.sql`INSERT INTO items VALUES (${MARK}, 0, 'last')`
    expect(eventsOf(await told).map(({ key }) => key?.['id'])).toEqual([5000, ...ALL.slice(0, 300), MARK])
  })
})

it('a copy is the same after its process was killed again and again while transactions came early, and each change took effect once', async () => {
  await using database = await openStreamDatabase(undefined)
  const { sql } = database
  await sql.unsafe('CREATE TABLE items (id int4 PRIMARY KEY, n int4, note text); INSERT INTO items SELECT i, 0, \'start\' FROM generate_series(1, 2000) i')
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-stream-'))
  const path = join(folder, 'replica.db')
  try {
    const writers = startWriters(sql, { tables: ['items'], seed: 5, writers: 2 })
    for (const [round, batches] of [0, 1, 2, 5, 9, 14, 20].entries()) {
      const large = sql.begin(async (tx) => {
        await tx.unsafe(`INSERT INTO items SELECT i, 0, repeat('x', 1000) FROM generate_series(${200_000 + round * 3_000}, ${200_000 + round * 3_000 + 1_500}) i; SAVEPOINT a; INSERT INTO items SELECT i, 0, repeat('y', 1000) FROM generate_series(500000, 501500) i`)
        await tx.unsafe(`ROLLBACK TO a; UPDATE items SET n = n + 1 WHERE id >= ${200_000 + round * 3_000}`)
      })
      expect(await runWorker({ file: WORKER, args: [eager(database.url), database.slot, path, 'streaming'], killAfter: batches, onLine: () => Promise.resolve() })).toMatchObject({ wasKilled: true })
      await large
    }
    await writers.stop()
    await sql`INSERT INTO items VALUES (${MARK}, 0, 'mark')`
    expect(await runWorker({ file: WORKER, args: [eager(database.url), database.slot, path, 'streaming'], killAfter: Infinity, onLine: () => Promise.resolve() })).toMatchObject({ wasKilled: false })
    using copy = new DatabaseSync(path, { readOnly: true })
    const rows = copy.prepare('SELECT id, n, note FROM items ORDER BY id').all().map((row) => ({ ...row }))
    expect(rows).toEqual([...await sql`SELECT id, n, note FROM items ORDER BY id`])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

import { ChangeStream, type ChangeStreamEvents } from '@tidemark/core'
import { memoryStateStore } from '@tidemark/core/testing'
import { startPostgres } from '@tidemark/test-servers'
import { describe, expect, it } from 'vitest'
import { postgresChanges, type PostgresChanges } from './postgres-changes.ts'
import { brief, collect, Collected } from './test/collect.ts'
import { makeDatabase, openStreamDatabase, versions, type StreamDatabase } from './test/stream-database.ts'

function sourceOf(database: StreamDatabase): PostgresChanges {
  return postgresChanges({ url: database.url, slot: database.slot, tables: ['items'] })
}

describe.each(versions)('a slot of postgres %s', (version) => {
  it('says what the server keeps for it, is kept by stop and dropped by destroy', async () => {
    await using database = await openStreamDatabase(version)
    const { sql, admin } = database
    await sql`CREATE TABLE items (id int4 PRIMARY KEY, note text)`
    const source = sourceOf(database)
    expect(await source.slotStatus()).toMatchObject({ slot: database.slot, health: 'missing', isActive: false })
    await using stream = new ChangeStream({ source, checkpoints: memoryStateStore() })
    const collected = await collect(stream)
    await sql`INSERT INTO items VALUES (1, 'x')`
    await collected.count(1)
    expect(await source.slotStatus()).toMatchObject({ health: 'unbounded', isActive: true, safeBytes: undefined, maxRetainedBytes: undefined })
    await expect(source.drop()).rejects.toMatchObject({ code: 'LEASE_HELD' })
    await stream.stop()
    await sql`INSERT INTO items SELECT i, repeat('y', 1000) FROM generate_series(2, 1000) i`
    const behind = await source.slotStatus()
    expect(behind).toMatchObject({ health: 'unbounded', isActive: false })
    expect(behind.lagBytes).toBeGreaterThan(500_000)
    expect(behind.retainedBytes).toBeGreaterThanOrEqual(behind.lagBytes)
    await stream.destroy()
    expect(await source.slotStatus()).toMatchObject({ health: 'missing' })
    expect([...await admin`SELECT pubname FROM pg_publication`]).toEqual([])
    await source.drop()
  })

  it('is dropped by destroy for good, also where listeners have its log read all the time', async () => {
    await using database = await openStreamDatabase(version)
    const { sql, admin } = database
    await sql`CREATE TABLE items (id int4 PRIMARY KEY, note text)`
    const source = sourceOf(database)
    for (let turn = 0; turn < 3; turn += 1) {
      await using stream = new ChangeStream({ source, checkpoints: memoryStateStore(), retry: { baseMs: 1, maxMs: 5 } })
      stream.on('change', () => undefined)
      await collect(stream)
      await stream.destroy()
      expect([...await admin`SELECT slot_name FROM pg_replication_slots WHERE database = current_database()`]).toEqual([])
      expect([...await admin`SELECT pubname FROM pg_publication`]).toEqual([])
    }
  })

  it('waits for a durable subscriber that is away, and is read again from there when it comes', async () => {
    await using database = await openStreamDatabase(version)
    const { sql } = database
    await sql`CREATE TABLE items (id int4 PRIMARY KEY, note text)`
    await using stream = new ChangeStream({ source: sourceOf(database), checkpoints: memoryStateStore(), buffer: { bytes: 50_000 }, batch: { events: 50 } })
    const first = await collect(stream, 'first')
    const second = new Collected()
    const away = await stream.subscribe({ id: 'second' }, (batch) => second.add(batch))
    await sql`INSERT INTO items VALUES (1)`
    await Promise.all([first.count(1), second.count(1)])
    await away.unsubscribe()
    for (let id = 2; id <= 400; id += 1) await sql`INSERT INTO items VALUES (${id}, repeat('z', 500))`
    await first.count(400)
    await stream.subscribe({ id: 'second' }, (batch) => second.add(batch))
    await sql`INSERT INTO items VALUES (401)`
    const wanted = Array.from({ length: 401 }, (_, index) => `insert ${index + 1}`)
    expect(brief(await second.count(401))).toEqual(wanted)
    // It stands ahead, and sees none of them again.
    expect(brief(await first.count(401))).toEqual(wanted)
  })
})

it('a slot that the server gave up is a gap, and is seen to come', async () => {
  await using server = await startPostgres({ restartable: true })
  await using database = await makeDatabase(server)
  const { sql, admin } = database
  await admin`ALTER SYSTEM SET max_slot_wal_keep_size = '64MB'`
  await admin`SELECT pg_reload_conf()`
  await sql`CREATE TABLE items (id int4 PRIMARY KEY, note text)`
  const source = sourceOf(database)
  const checkpoints = memoryStateStore()
  {
    await using stream = new ChangeStream({ source, checkpoints })
    const collected = await collect(stream)
    await sql`INSERT INTO items VALUES (1)`
    await collected.count(1)
  }
  const seen = new Set<string>()
  while (!seen.has('lost')) {
    const { health } = await source.slotStatus()
    seen.add(health)
    // Each is a file of 16 MB.
    await admin`SELECT pg_logical_emit_message(true, 'fill', 'x'), pg_switch_wal()`
    await admin`CHECKPOINT`
  }
  expect([...seen]).toEqual(['ok', 'filling', 'lost'])
  await using stream = new ChangeStream({ source, checkpoints, onGap: 'resnapshot' })
  const gaps: ChangeStreamEvents['gap'][] = []
  stream.on('gap', (gap) => void gaps.push(gap))
  const collected = await collect(stream)
  expect(brief(await collected.count(1))).toEqual(['snapshot 1'])
  expect(gaps).toMatchObject([{ error: { code: 'CHANGE_GAP', detail: 'slot-lost' } }])
  expect(await source.slotStatus()).toMatchObject({ health: 'ok' })
})

import { setTimeout } from 'node:timers/promises'
import { TLSSocket } from 'node:tls'
import { ChangeStream, type ChangeStreamEvents } from '@tidemark/core'
import { memoryStateStore } from '@tidemark/core/testing'
import { describe, expect, it } from 'vitest'
import { makeCertificate } from '../test/certificate.ts'
import { passThrough, startProxy } from '../test/proxy.ts'
import { postgresChanges } from './postgres-changes.ts'
import { brief, collect, Collected } from './test/collect.ts'
import { openStreamDatabase, versions, type StreamDatabase } from './test/stream-database.ts'

const SENDER_TIMEOUT_MS = 1_000
const LARGE_ROWS = 60_000

/** With a time-out of the server's log sender that a test can wait for. */
function withTimeout(url: string): string {
  return `${url}?options=${encodeURIComponent(`-c wal_sender_timeout=${SENDER_TIMEOUT_MS}`)}`
}

function open(database: StreamDatabase, url: string, checkpoints = memoryStateStore()): ChangeStream {
  const source = postgresChanges({ url, slot: database.slot, tables: ['items'], queryTimeoutMs: 2_000 })
  return new ChangeStream({ source, checkpoints, retry: { baseMs: 20, maxMs: 100 }, buffer: { bytes: 1 << 20 } })
}

describe.each(versions)('the stream of postgres %s', (version) => {
  it('is kept by the server while its consumer is stuck, holds little memory, and is free at once when it is stopped', async () => {
    await using database = await openStreamDatabase(version)
    const { sql } = database
    await sql`CREATE TABLE items (id int4 PRIMARY KEY, note text)`
    const stream = open(database, withTimeout(database.url))
    const errors: ChangeStreamEvents['error'][] = []
    stream.on('error', (error) => void errors.push(error))
    let release = (): void => undefined
    const stuck = new Promise<void>((resolve) => { release = resolve })
    const entered = new Promise<void>((resolve) => void stream.subscribe({ id: 'stuck' }, async () => {
      resolve()
      await stuck
    }).then(() => sql`INSERT INTO items SELECT i, repeat('x', 1000) FROM generate_series(1, ${LARGE_ROWS}) i`))
    await entered
    const pid = await database.slotColumn('active_pid')
    const rss = process.memoryUsage().rss
    await setTimeout(4 * SENDER_TIMEOUT_MS)
    expect(await database.slotColumn('active_pid')).toBe(pid)
    expect(errors).toEqual([])
    expect(process.memoryUsage().rss - rss).toBeLessThan(64 * 1024 * 1024)
    const begun = performance.now()
    release()
    await stream.stop()
    expect(await database.slotColumn('active')).toBe('false')
    // A limit of the specification, not of the machine: the handler is not waited for.
    expect(performance.now() - begun).toBeLessThan(4_000)
  })

  it('is opened again when it breaks, and goes on exactly', async () => {
    await using database = await openStreamDatabase(version)
    const { sql, admin, slot } = database
    await sql`CREATE TABLE items (id int4 PRIMARY KEY, note text)`
    await using stream = open(database, database.url)
    const collected = await collect(stream)
    for (let id = 1; id <= 30; id += 1) {
      await sql`INSERT INTO items VALUES (${id})`
      if (id % 10 !== 5) continue
      await collected.count(id - 4)
      await admin`SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = ${slot} AND active`
    }
    expect(brief(await collected.count(30))).toEqual(Array.from({ length: 30 }, (_, index) => `insert ${index + 1}`))
  })

  it('goes on within a transaction that came in parts when it breaks there', async () => {
    await using database = await openStreamDatabase(version)
    const { sql, admin, slot } = database
    await sql`CREATE TABLE items (id int4 PRIMARY KEY, note text)`
    await using stream = new ChangeStream({
      source: postgresChanges({ url: database.url, slot, tables: ['items'] }), checkpoints: memoryStateStore(), batch: { events: 500 }, buffer: { bytes: 1 << 20 },
      retry: { baseMs: 20, maxMs: 100 },
    })
    const collected = new Collected()
    let broken = 0
    await stream.subscribe({ id: 'reader' }, async (batch) => {
      collected.add(batch)
      if (broken < 3 && collected.batches.length % 7 === 6) {
        broken += 1
        await admin`SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = ${slot} AND active`
      }
    })
    await sql`INSERT INTO items SELECT i, repeat('y', 200) FROM generate_series(1, 30000) i`
    const events = await collected.count(30_000)
    expect(events.map(({ key }) => key?.['id'])).toEqual(Array.from({ length: 30_000 }, (_, index) => index + 1))
    expect(events.map(({ tx }) => tx.sequence)).toEqual(Array.from({ length: 30_000 }, (_, index) => index))
    expect(broken).toBe(3)
  })

  it('is given up when the server has gone silent', async () => {
    await using database = await openStreamDatabase(version)
    const { sql } = database
    await sql`CREATE TABLE items (id int4 PRIMARY KEY, note text)`
    let isSilent = false
    await using proxy = await startProxy((client, toServer) => {
      const server = toServer()
      client.pipe(server)
      server.on('data', (bytes) => { if (!isSilent) client.write(bytes) })
    }, database.url)
    await using stream = open(database, withTimeout(proxy.url(database.url)))
    const collected = await collect(stream)
    await sql`INSERT INTO items VALUES (1)`
    await collected.count(1)
    const failed = new Promise<ChangeStreamEvents['error']>((resolve) => void stream.on('error', resolve))
    isSilent = true
    expect(await failed).toMatchObject({ error: { code: 'SOURCE_UNREACHABLE', detail: 'SILENT' } })
    isSilent = false
    await sql`INSERT INTO items VALUES (2)`
    expect(brief(await collected.count(2))).toEqual(['insert 1', 'insert 2'])
  })

  it('runs over TLS, with rows larger than what may wait', async () => {
    await using database = await openStreamDatabase(version)
    const { sql, slot } = database
    await sql.unsafe('CREATE TABLE items (id int4 PRIMARY KEY, note text); ALTER TABLE items ALTER note SET STORAGE EXTERNAL; ALTER TABLE items REPLICA IDENTITY FULL')
    const { cert, key } = makeCertificate('localhost')
    await using proxy = await startProxy((client, toServer) => {
      client.once('data', () => {
        client.write('S')
        const secured = new TLSSocket(client, { isServer: true, cert, key })
        secured.on('error', () => undefined)
        passThrough(secured, toServer)
      })
    }, database.url)
    const url = proxy.url(database.url).replace('127.0.0.1', 'localhost')
    await using stream = new ChangeStream({ source: postgresChanges({ url, slot, tables: ['items'], tls: { ca: cert } }), checkpoints: memoryStateStore(), snapshot: 'initial' })
    const completed = new Promise<void>((resolve) => void stream.on('snapshot', ({ phase }) => { if (phase === 'completed') resolve() }))
    const collected = await collect(stream)
    await completed
    await sql`INSERT INTO items VALUES (1, repeat('x', 20000000))`
    await sql`UPDATE items SET id = 2`
    await sql`INSERT INTO items SELECT i, repeat('y', 1000) FROM generate_series(3, 5000) i`
    const events = await collected.count(5000)
    expect(events.slice(0, 2).map(({ op, before, after }) => [op, String(before?.['note'] ?? '').length, String(after?.['note'] ?? '').length])).toEqual([['insert', 0, 20_000_000], ['update', 20_000_000, 20_000_000]])
    expect(events[1]).toMatchObject({ changed: ['id'] })
  })

  it('serves live subscribers beside durable ones, from the log\'s end', async () => {
    await using database = await openStreamDatabase(version)
    const { sql } = database
    await sql`CREATE TABLE items (id int4 PRIMARY KEY, note text)`
    await using stream = open(database, database.url)
    const durable = await collect(stream)
    await sql`INSERT INTO items VALUES (1)`
    await durable.count(1)
    const live = new Collected()
    await stream.subscribe({ id: 'live', durable: false }, (batch) => live.add(batch))
    await sql`INSERT INTO items VALUES (2)`
    await sql`UPDATE items SET note = 'x' WHERE id = 1`
    expect(brief(await live.count(2))).toEqual(['insert 2', 'update 1'])
    expect(brief(await durable.count(3))).toEqual(['insert 1', 'insert 2', 'update 1'])
  })
})

import { setImmediate } from 'node:timers/promises'
import { ChangeStream } from '@tidemark/core'
import type { ChangeConnection, ChangeEvent, ChangeSlice, Fence, LogPosition } from '@tidemark/core/adapter'
import { memoryStateStore } from '@tidemark/core/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { polledPostgresChanges, type PolledPostgresChangesOptions } from './polled-postgres-changes.ts'
import { postgresChanges } from './postgres-changes.ts'
import { brief, Collected } from './test/collect.ts'
import { EVERY_TYPE } from './test/every-type.ts'
import { openStreamDatabase, versions, type StreamDatabase } from './test/stream-database.ts'

const LIMIT = { events: 1000, bytes: 1 << 20 }
/** Looked at as often as it is read. */
const AT_ONCE = { pollIntervalMs: 1, maxPollIntervalMs: 1 }

/** Statements on whichever of four connections is free, and how many they were. */
interface Counted {
  readonly execute: PolledPostgresChangesOptions['execute']
  readonly looks: { readonly bytes: number }[]
  count: number
}

function counted({ sql }: StreamDatabase): Counted {
  const counter: Counted = {
    count: 0, looks: [],
    execute: async (text, parameters) => {
      counter.count += 1
      const rows = await sql.unsafe(text, [...parameters])
      if (text.includes('peek_binary')) counter.looks.push({ bytes: String(rows[0]?.['row']).length })
      return rows
    },
  }
  return counter
}

function sourceOf(database: StreamDatabase, options: Partial<PolledPostgresChangesOptions> = {}): ReturnType<typeof polledPostgresChanges> {
  return polledPostgresChanges({ execute: counted(database).execute, slot: database.slot, tables: ['items'], ...AT_ONCE, ...options })
}

async function fenceOf(connection: ChangeConnection, holder = 'test'): Promise<Fence> {
  const fence = await connection.leases.acquireLease({ lease: 'test', holder, nowMs: Date.now(), ttlMs: 60_000 })
  if (fence === undefined) throw new Error('The slot is taken')
  return fence
}

async function begin(connection: ChangeConnection): Promise<LogPosition> {
  const retained = await connection.retained('test')
  if (retained === undefined) throw new Error('There is no slot')
  return retained
}

/** Slices until one is as wanted. */
async function readUntil(connection: ChangeConnection, after: LogPosition, isEnough: (slices: readonly ChangeSlice[]) => boolean): Promise<readonly ChangeSlice[]> {
  const slices: ChangeSlice[] = []
  while (!isEnough(slices)) {
    slices.push(await connection.readChanges({ after: slices.at(-1)?.position ?? after, limit: LIMIT }))
    // A stream that has nothing does not wait for it.
    await setImmediate()
  }
  return slices
}

const eventsOf = (slices: readonly ChangeSlice[]): readonly ChangeEvent[] => slices.flatMap(({ events }) => events)
const hasEvents = (count: number) => (slices: readonly ChangeSlice[]): boolean => eventsOf(slices).length >= count

describe.each(versions)('polling postgres %s', (version) => {
  let database: StreamDatabase
  beforeAll(async () => {
    database = await openStreamDatabase(version)
    // Whatever the sessions of a pool are set to.
    await database.admin.unsafe(`DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET DateStyle = ''German''', current_database()); EXECUTE format('ALTER DATABASE %I SET bytea_output = ''escape''', current_database());
      EXECUTE format('ALTER DATABASE %I SET TimeZone = ''Asia/Tokyo''', current_database()); EXECUTE format('ALTER DATABASE %I SET extra_float_digits = -5', current_database()); END $$`)
    await database.sql.unsafe('CREATE TABLE items (id int4 PRIMARY KEY, note text); CREATE TABLE other (id int4 PRIMARY KEY)')
  })
  afterAll(() => database[Symbol.asyncDispose]())

  /** A slot of one test's own, new. */
  async function fresh<T>(work: (options: { readonly slot: string }) => Promise<T>): Promise<T> {
    await database.sql.unsafe('TRUNCATE items, other')
    slots += 1
    const slot = `${database.slot}_${slots}`
    try {
      return await work({ slot })
    } finally {
      await sourceOf(database, { slot }).drop()
    }
  }
  let slots = 0

  it('gives whole transactions in order, also those that were made meanwhile, and moves the slot', () => fresh(async ({ slot }) => {
    const { sql } = database
    const checkpoints = memoryStateStore()
    {
      await using stream = new ChangeStream({ source: sourceOf(database, { slot }), checkpoints })
      const collected = new Collected()
      await stream.subscribe({ id: 'reader' }, (batch) => collected.add(batch))
      await sql.begin(async (tx) => {
        await tx`INSERT INTO items VALUES (1, 'one'), (2, 'two')`
        await tx`UPDATE items SET note = 'zwei' WHERE id = 2`
      })
      await sql`DELETE FROM items WHERE id = 1`
      const events = await collected.count(4)
      expect(brief(events)).toEqual(['insert 1', 'insert 2', 'update 2', 'delete 1'])
      expect(events.map(({ tx }) => tx.last)).toEqual([false, false, true, true])
    }
    await sql`INSERT INTO items VALUES (3, 'three')`
    const [row] = await sql`SELECT count(*)::int AS n FROM pg_logical_slot_peek_binary_changes(${slot}, NULL, NULL, 'proto_version', '1', 'publication_names', ${slot}) WHERE get_byte(data, 0) = ${'I'.charCodeAt(0)}`
    await using stream = new ChangeStream({ source: sourceOf(database, { slot }), checkpoints })
    const collected = new Collected()
    await stream.subscribe({ id: 'reader' }, (batch) => collected.add(batch))
    await sql`INSERT INTO items VALUES (4, 'four')`
    expect(brief(await collected.count(2))).toEqual(['insert 3', 'insert 4'])
    expect(row).toEqual({ n: 1 })
  }))

  it('gives the events of the stream, for every type, whatever sessions are set to', async () => {
    await using own = await openStreamDatabase(version)
    const { sql, admin, slot } = own
    await admin.unsafe(`DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET DateStyle = ''German''', current_database()); EXECUTE format('ALTER DATABASE %I SET bytea_output = ''escape''', current_database()); EXECUTE format('ALTER DATABASE %I SET extra_float_digits = -5', current_database()); END $$`)
    await sql.unsafe(`CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE DOMAIN small AS int4; CREATE TYPE pair AS (a int4, b text);
      CREATE TABLE every (id int4 PRIMARY KEY, ${EVERY_TYPE.map(({ type }, index) => `c${index} ${type}`).join(', ')}); ALTER TABLE every REPLICA IDENTITY FULL`)
    await using polled = await sourceOf(own, { tables: ['every'] }).connect()
    await using streamed = await postgresChanges({ url: own.url, slot: `${slot}_s`, tables: ['every'], publication: slot }).connect()
    const [start, streamStart] = [await begin(polled), await begin(streamed)]
    const rows = Math.max(...EVERY_TYPE.map(({ values }) => values.length))
    for (let row = 0; row <= rows; row += 1) await sql.unsafe(`INSERT INTO every VALUES (${[row, ...EVERY_TYPE.map(({ values }) => values[row] ?? 'NULL')].join(', ')})`)
    await sql.unsafe('UPDATE every SET id = id + 100; DELETE FROM every WHERE id > 101; TRUNCATE every')
    const total = (rows + 1) * 2 + rows - 1 + 1
    const comparable = (slices: readonly ChangeSlice[]): readonly unknown[] => eventsOf(slices).map(({ source, ...event }) => ({ ...event, position: source.position.replace(`${slot}_s`, slot), id: event.id.replace(`${slot}_s`, slot) }))
    const [left, right] = [await readUntil(polled, start, hasEvents(total)), await readUntil(streamed, streamStart, hasEvents(total))]
    expect(comparable(left)).toEqual(comparable(right))
  })

  it('delivers a transaction that is larger than a look in parts, each look within its bounds, and goes on within one', () => fresh(async ({ slot }) => {
    const { sql } = database
    const counter = counted(database)
    const source = sourceOf(database, { slot, execute: counter.execute, maxPollRows: 300, maxPollBytes: 50_000 })
    await using connection = await source.connect()
    const start = await begin(connection)
    await sql`INSERT INTO items VALUES (0, 'before')`
    await sql`INSERT INTO items SELECT i, repeat('x', 100) FROM generate_series(1, 4000) i`
    await sql`INSERT INTO items VALUES (5000, repeat('y', 200000))`
    await sql`INSERT INTO items VALUES (5001, 'after')`
    const slices = await readUntil(connection, start, hasEvents(4003))
    expect(eventsOf(slices).map(({ key }) => key?.['id'])).toEqual([...Array.from({ length: 4001 }, (_, id) => id), 5000, 5001])
    expect(slices.some(({ commit }) => !commit)).toBe(true)
    // The one row that is larger than a look comes alone.
    const sizes = counter.looks.map(({ bytes }) => bytes).toSorted((a, b) => b - a)
    expect(sizes[0]).toBeLessThan(280_000)
    expect(sizes[1]).toBeLessThan(70_000)
    const part = slices.find(({ commit }) => !commit)
    await using again = await source.connect()
    const rest = await readUntil(again, part?.position ?? start, (all) => eventsOf(all).some(({ key }) => key?.['id'] === 5001))
    const from = slices.findIndex(({ commit }) => !commit) + 1
    expect(brief(eventsOf(rest))).toEqual(brief(eventsOf(slices.slice(from))))
  }))

  it('loses and repeats nothing, wherever it ends between look, delivery and move', () => fresh(async ({ slot }) => {
    const { sql } = database
    const source = sourceOf(database, { slot })
    await (await source.connect())[Symbol.asyncDispose]()
    const COUNT = 16
    for (let first = 0; first < COUNT; first += 4) {
      const connections = await Promise.all([0, 1, 2, 3].map(() => sql.reserve()))
      await Promise.all(connections.map((connection, index) => connection.unsafe(`BEGIN; INSERT INTO items VALUES (${first + index})`)))
      await Promise.all(connections.map((connection) => connection.unsafe('COMMIT')))
      for (const connection of connections) connection.release()
    }
    const seen: string[] = []
    for (let stop = 0; stop < COUNT; stop += 1) {
      await using connection = await source.connect()
      const fence = await fenceOf(connection)
      const after = await begin(connection)
      // Looked at, and gone without a word.
      expect((await (await source.connect()).readChanges({ after, limit: { events: 1, bytes: 1 } })).events).toHaveLength(1)
      const slice = await connection.readChanges({ after, limit: { events: 1, bytes: 1 << 20 } })
      seen.push(...brief(slice.events))
      await connection.retain({ consumer: 'test', position: slice.position, fence })
    }
    expect(seen.toSorted()).toEqual(Array.from({ length: COUNT }, (_, id) => `insert ${id}`).toSorted())
    // And with one connection, the slot moved behind each.
    await sql`INSERT INTO items SELECT i, 'again' FROM generate_series(100, 120) i`
    for (let id = 200; id < 220; id += 1) await sql`INSERT INTO items VALUES (${id})`
    await using connection = await source.connect()
    const fence = await fenceOf(connection)
    const ids: unknown[] = []
    for (let after = await begin(connection); ids.length < 41;) {
      const slice = await connection.readChanges({ after, limit: { events: 1, bytes: 1 << 20 } })
      ids.push(...slice.events.map(({ key }) => key?.['id']))
      if (slice.commit) await connection.retain({ consumer: 'test', position: slice.position, fence })
      after = slice.position
    }
    expect(ids).toEqual([...Array.from({ length: 21 }, (_, index) => index + 100), ...Array.from({ length: 20 }, (_, index) => index + 200)])
  }))

  it('asks once a look while nothing comes, ever later, and catches up where only others write', () => fresh(async ({ slot }) => {
    const counter = counted(database)
    await using connection = await sourceOf(database, { slot, execute: counter.execute }).connect()
    const fence = await fenceOf(connection)
    let { position } = await connection.readChanges({ after: await begin(connection), limit: LIMIT })
    counter.count = 0
    while (counter.count < 3) ({ position } = await connection.readChanges({ after: position, limit: LIMIT }))
    expect(counter.looks.length).toBeGreaterThanOrEqual(3)
    await database.sql`INSERT INTO other SELECT generate_series(1, 1000)`
    const written = await connection.head()
    const [slice] = (await readUntil(connection, position, (all) => (all.at(-1)?.position.sequence ?? '') >= written.sequence)).slice(-1)
    await connection.retain({ consumer: 'test', position: slice?.position ?? position, fence })
    expect((await begin(connection)).sequence).toBe(slice?.position.sequence)
    // One that is not due asks nothing.
    const patient = counted(database)
    await using late = await sourceOf(database, { slot, execute: patient.execute, pollIntervalMs: 3_600_000, maxPollIntervalMs: 3_600_000 }).connect()
    const after = await late.readChanges({ after: await begin(late), limit: LIMIT })
    patient.count = 0
    for (let time = 0; time < 5; time += 1) await late.readChanges({ after: after.position, limit: LIMIT })
    expect(patient.count).toBe(0)
  }))

  it('follows the columns of a table as they change between two looks', () => fresh(async ({ slot }) => {
    await using own = await openStreamDatabase(version)
    const { sql } = own
    await sql`CREATE TABLE items (id int4 PRIMARY KEY, a text)`
    await using connection = await sourceOf(own, { slot }).connect()
    const start = await begin(connection)
    await sql`INSERT INTO items VALUES (1, 'x')`
    const first = await readUntil(connection, start, hasEvents(1))
    await sql.unsafe(`ALTER TABLE items ADD b int4 DEFAULT 7; INSERT INTO items VALUES (2, 'y', 2)`)
    const second = await readUntil(connection, first.at(-1)?.position ?? start, hasEvents(1))
    expect(eventsOf([...first, ...second]).map(({ after }) => after)).toEqual([{ id: 1, a: 'x' }, { id: 2, a: 'y', b: 2 }])
    expect(second.flatMap(({ schemas }) => schemas)).toMatchObject([{ table: 'items', version: 2 }])
    await sourceOf(own, { slot }).drop()
  }))

  it.each([
    ['was moved ahead', 'slot-ahead', (slot: string) => `SELECT pg_replication_slot_advance('${slot}', pg_current_wal_insert_lsn())`],
    ['was dropped', 'slot-missing', (slot: string) => `SELECT pg_drop_replication_slot('${slot}')`],
    ['was made anew', 'slot-ahead', (slot: string) => `SELECT pg_drop_replication_slot('${slot}'); SELECT pg_create_logical_replication_slot('${slot}', 'pgoutput')`],
  ])('tells of a gap when the slot %s', (_, detail, sql) => fresh(async ({ slot }) => {
    await using connection = await sourceOf(database, { slot }).connect()
    const start = await begin(connection)
    await database.sql`INSERT INTO items VALUES (1)`
    const position = (await readUntil(connection, start, hasEvents(1))).at(-1)?.position ?? start
    await database.sql`INSERT INTO items VALUES (2)`
    await database.admin.unsafe(sql(slot))
    await expect(connection.readChanges({ after: position, limit: LIMIT })).rejects.toMatchObject({ code: 'CHANGE_GAP', detail })
    await expect(connection.readChanges({ after: position, limit: LIMIT })).rejects.toMatchObject({ code: 'CHANGE_GAP' })
    await expect(connection.verify(position)).rejects.toMatchObject({ code: 'CHANGE_GAP' })
  }))

  it('goes on where somebody has moved the slot no further than it has read', () => fresh(async ({ slot }) => {
    await using connection = await sourceOf(database, { slot }).connect()
    let after = await begin(connection)
    for (let id = 0; id < 6; id += 1) {
      await database.sql`INSERT INTO items VALUES (${id})`
      const slices = await readUntil(connection, after, hasEvents(1))
      expect(brief(eventsOf(slices))).toEqual([`insert ${id}`])
      if (id % 2 === 1) await database.admin`SELECT pg_replication_slot_advance(${slot}, (SELECT max(lsn) FROM (SELECT lsn FROM pg_logical_slot_peek_binary_changes(${slot}, NULL, NULL, 'proto_version', '1', 'publication_names', ${slot}) WHERE get_byte(data, 0) = 67 LIMIT 1) l))`
      after = slices.at(-1)?.position ?? after
    }
  }))

  it('is read by one poller at a time, and whoever lost the lease moves nothing', () => fresh(async ({ slot }) => {
    await using first = await sourceOf(database, { slot }).connect()
    await using second = await sourceOf(database, { slot }).connect()
    const request = { lease: 'test', nowMs: Date.now(), ttlMs: 60_000 }
    const stale = await fenceOf(first, 'first')
    expect(await second.leases.acquireLease({ ...request, lease: 'another', holder: 'second' })).toBeUndefined()
    await database.sql`INSERT INTO items VALUES (1)`
    const slice = (await readUntil(first, await begin(first), hasEvents(1))).at(-1)
    const before = await begin(first)
    const taken = await second.leases.acquireLease({ ...request, holder: 'second', nowMs: Date.now() + 120_000 })
    expect(taken?.token).toBeGreaterThan(stale.token)
    expect(await first.leases.renewLease(stale, { ...request, holder: 'first' })).toBe(false)
    await expect(first.retain({ consumer: 'test', position: slice?.position ?? before, fence: stale })).rejects.toMatchObject({ code: 'LEASE_LOST' })
    expect(await begin(first)).toEqual(before)
  }))

  it('of a stream that another process serves is LEASE_HELD, and its own after that', () => fresh(async ({ slot }) => {
    const checkpoints = memoryStateStore()
    await using first = new ChangeStream({ source: sourceOf(database, { slot }), checkpoints, instance: 'a' })
    await using second = new ChangeStream({ source: sourceOf(database, { slot }), checkpoints, instance: 'b' })
    await first.subscribe({ id: 'reader' }, () => undefined)
    await expect(second.subscribe({ id: 'reader' }, () => undefined)).rejects.toMatchObject({ code: 'LEASE_HELD' })
    await first.stop()
    await second.subscribe({ id: 'reader' }, () => undefined)
  }))
})

it('options that are wrong are all named', () => {
  const options = { execute: 1 as unknown as PolledPostgresChangesOptions['execute'], slot: 'Not-OK', tables: [], pollIntervalMs: 0, maxPollRows: 1.5, maxPollBytes: -1 }
  expect(() => polledPostgresChanges(options)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', issues: ['slot', 'tables', 'execute', 'pollIntervalMs', 'maxPollRows', 'maxPollBytes'].map((path) => expect.objectContaining({ path }) as unknown) }))
})

import { setTimeout } from 'node:timers/promises'
import type { ChangeConnection, ChangeSlice, Fence, LogPosition } from '@tidemark/core/adapter'
import { describe, expect, it } from 'vitest'
import { postgresChanges } from './postgres-changes.ts'
import { brief } from './test/collect.ts'
import { openStreamDatabase, versions, type StreamDatabase } from './test/stream-database.ts'

const LIMIT = { events: 1, bytes: 1 << 20 }

/** A connection and the lease under which it retains. */
interface Held extends AsyncDisposable {
  readonly connection: ChangeConnection
  readonly fence: Fence
}

async function hold(database: StreamDatabase): Promise<Held> {
  const connection = await postgresChanges({ url: database.url, slot: database.slot, tables: ['items'] }).connect()
  const fence = await connection.leases.acquireLease({ lease: 'test', holder: 'test', nowMs: Date.now(), ttlMs: 60_000 })
  if (fence === undefined) throw new Error('The slot is taken')
  return { connection, fence, [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose]() }
}

/** The next slice that has something, or that reaches the predicate. */
async function nextSlice(connection: ChangeConnection, after: LogPosition, isEnough: (slice: ChangeSlice) => boolean = ({ events }) => events.length > 0): Promise<ChangeSlice> {
  let position = after
  for (;;) {
    const slice = await connection.readChanges({ after: position, limit: LIMIT })
    if (isEnough(slice)) return slice
    position = slice.position
    await setTimeout(2)
  }
}

async function begin({ connection }: Held): Promise<LogPosition> {
  const retained = await connection.retained('test')
  if (retained === undefined) throw new Error('There is no slot')
  return retained
}

describe.each(versions)('acknowledgement of postgres %s', (version) => {
  it('loses no transaction, wherever the reader stops between commits that lie back to back', async () => {
    await using database = await openStreamDatabase(version)
    const { sql } = database
    await sql`CREATE TABLE items (id int4 PRIMARY KEY)`
    await (await hold(database))[Symbol.asyncDispose]()
    const COUNT = 24
    for (let first = 0; first < COUNT; first += 4) await commitTogether(database, [first, first + 1, first + 2, first + 3])
    const seen: string[] = []
    for (let stop = 0; stop < COUNT; stop += 1) {
      await using held = await hold(database)
      const slice = await nextSlice(held.connection, await begin(held))
      seen.push(...brief(slice.events))
      // Durable, and then gone without another word than the acknowledgement.
      await held.connection.retain({ consumer: 'test', position: slice.position, fence: held.fence })
    }
    expect(seen.toSorted()).toEqual(Array.from({ length: COUNT }, (_, id) => `insert ${id}`).toSorted())
    expect(seen).toHaveLength(COUNT)
  })

  it('says nothing of what is not durable', async () => {
    await using database = await openStreamDatabase(version)
    const { sql } = database
    await sql`CREATE TABLE items (id int4 PRIMARY KEY)`
    for (let time = 0; time < 2; time += 1) {
      await using held = await hold(database)
      if (time === 0) await sql`INSERT INTO items VALUES (1)`
      const first = await nextSlice(held.connection, await begin(held))
      expect(brief(first.events)).toEqual(['insert 1'])
      // Keepalives come and go, and are not adopted.
      await sql`CREATE TABLE ${sql(`noise_${time}`)} (id int4)`
      await nextSlice(held.connection, first.position, ({ position }) => position.sequence > first.position.sequence)
    }
  })

  it('gives only places that the server named, also for a position between two of them', async () => {
    await using database = await openStreamDatabase(version)
    const { sql } = database
    await sql`CREATE TABLE items (id int4 PRIMARY KEY)`
    await using held = await hold(database)
    const start = await begin(held)
    await sql`INSERT INTO items VALUES (1)`
    const first = await nextSlice(held.connection, start)
    await sql`INSERT INTO items VALUES (2)`
    const second = await nextSlice(held.connection, first.position)
    const between = await held.connection.head()
    await held.connection.retain({ consumer: 'test', position: between, fence: held.fence })
    await untilConfirmed(database, second)
    await expect(held.connection.retain({ consumer: 'test', position: second.position, fence: { ...held.fence, token: 99 } })).rejects.toMatchObject({ code: 'LEASE_LOST' })
  })

  it('moves the slot on where only others write', async () => {
    await using database = await openStreamDatabase(version)
    const { sql } = database
    await sql`CREATE TABLE items (id int4 PRIMARY KEY)`
    await sql`CREATE TABLE other (id int4 PRIMARY KEY)`
    await using held = await hold(database)
    const start = await begin(held)
    await sql`INSERT INTO other SELECT generate_series(1, 1000)`
    const written = await held.connection.head()
    const slice = await nextSlice(held.connection, start, ({ position }) => position.sequence >= written.sequence)
    expect(slice.events).toEqual([])
    await held.connection.retain({ consumer: 'test', position: slice.position, fence: held.fence })
    await untilConfirmed(database, slice)
  })
})

/** Transactions that have done all but commit, and then do so at once: the records of their commits are neighbours in the log. */
async function commitTogether({ sql }: StreamDatabase, ids: readonly number[]): Promise<void> {
  const connections = await Promise.all(ids.map(() => sql.reserve()))
  await Promise.all(connections.map((connection, index) => connection.unsafe(`BEGIN; INSERT INTO items VALUES (${ids[index] ?? 0})`)))
  await Promise.all(connections.map((connection) => connection.unsafe('COMMIT')))
  for (const connection of connections) connection.release()
}

/** The slot stands exactly at the slice's position. */
async function untilConfirmed(database: StreamDatabase, slice: ChangeSlice): Promise<void> {
  const wanted = slice.position.sequence
  for (;;) {
    const text = await database.slotColumn('confirmed_flush_lsn')
    const [high = '', low = ''] = (text ?? '').split('/')
    const digits = ((BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`)).toString(36)
    if (`${(digits.length - 1).toString(36)}${digits}` === wanted) return
    await setTimeout(10)
  }
}

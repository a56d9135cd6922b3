import { ChangeStream, type ChangeStreamEvents } from '@tidemark/core'
import { memoryStateStore } from '@tidemark/core/testing'
import { describe, expect, it } from 'vitest'
import { postgresChanges, type PostgresChanges, type PostgresChangesOptions } from './postgres-changes.ts'
import { brief, collect, Collected } from './test/collect.ts'
import { openStreamDatabase, versions, type StreamDatabase } from './test/stream-database.ts'

const MEGABYTE = 1024 * 1024

function sourceOf({ url, slot }: StreamDatabase, options: Partial<PostgresChangesOptions> = {}): PostgresChanges {
  return postgresChanges({ url, slot, tables: ['items'], ...options })
}

/** Retention events as they come, to wait for. */
function watch(stream: ChangeStream): { readonly until: (predicate: (event: ChangeStreamEvents['retention']) => boolean) => Promise<ChangeStreamEvents['retention']> } {
  const seen: ChangeStreamEvents['retention'][] = []
  let wake: () => void = () => undefined
  stream.on('retention', (event) => {
    seen.push(event)
    wake()
  })
  return {
    until: async (predicate) => {
      for (;;) {
        const found = seen.find(predicate)
        if (found !== undefined) return found
        await new Promise<void>((resolve) => { wake = resolve })
      }
    },
  }
}

async function fill({ sql }: StreamDatabase, megabytes: number): Promise<void> {
  for (let count = 0; count < megabytes; count += 1) await sql`SELECT pg_logical_emit_message(true, 'fill', repeat('x', ${MEGABYTE}))`
}

describe.each(versions)('what postgres %s keeps for a slot', (version) => {
  it('is told of from half of what it may be, with how fast it grows', async () => {
    await using database = await openStreamDatabase(version)
    await database.sql`CREATE TABLE items (id int4 PRIMARY KEY)`
    await using stream = new ChangeStream({
      source: sourceOf(database, { maxRetainedBytes: 24 * MEGABYTE }), checkpoints: memoryStateStore(), heartbeatIntervalMs: 20, batch: { events: 1 }, buffer: { bytes: 1 },
    })
    const events = watch(stream)
    // A consumer that is stuck: what it has not taken is kept.
    let release: () => void = () => undefined
    const stuck = new Promise<void>((resolve) => { release = resolve })
    await stream.subscribe({ id: 'reader' }, () => stuck)
    expect(await events.until(({ health }) => health === 'ok')).toMatchObject({ source: 'postgres', action: 'none', maxRetainedBytes: 24 * MEGABYTE })
    await database.sql`INSERT INTO items SELECT generate_series(1, 10)`
    await fill(database, 14)
    const filling = await events.until(({ health }) => health === 'filling')
    expect(filling).toMatchObject({ action: 'alert' })
    expect(filling.retainedBytes).toBeGreaterThanOrEqual(12 * MEGABYTE)
    expect(filling.bytesPerSecond).toBeGreaterThan(0)
    expect(filling.exhaustedInMs).toBeGreaterThan(0)
    await fill(database, 12)
    expect(await events.until(({ health }) => health === 'over')).toMatchObject({ action: 'alert', exhaustedInMs: 0 })
    expect((await stream.source('postgres')).retention).toMatchObject({ health: 'over' })
    // An alert is all: the slot is there.
    expect(await database.slotColumn('active')).toBe('true')
    release()
  })

  it('is given up where that is the policy, told before and as a gap with its reason', async () => {
    await using database = await openStreamDatabase(version)
    await database.sql`CREATE TABLE items (id int4 PRIMARY KEY)`
    const checkpoints = memoryStateStore()
    const open = (onGap: 'fail' | 'resnapshot'): ChangeStream => new ChangeStream({
      source: sourceOf(database, { maxRetainedBytes: 8 * MEGABYTE, retentionPolicy: 'drop-slot' }), checkpoints, onGap, heartbeatIntervalMs: 20, retry: { baseMs: 20, maxMs: 50 }, batch: { events: 1 }, buffer: { bytes: 1 },
    })
    {
      await using stream = open('fail')
      const order: string[] = []
      stream.on('retention', ({ action }) => void (action === 'drop' && order.push('drop')))
      stream.on('gap', ({ error }) => void order.push(`gap ${error.detail}`))
      let release: () => void = () => undefined
      const stuck = new Promise<void>((resolve) => { release = resolve })
      const events = watch(stream)
      const { done } = await stream.subscribe({ id: 'reader' }, () => stuck)
      await database.sql`INSERT INTO items SELECT generate_series(1, 3)`
      await fill(database, 10)
      await events.until(({ action }) => action === 'drop')
      release()
      await expect(done).rejects.toMatchObject({ code: 'CHANGE_GAP', detail: 'slot-dropped' })
      expect(order.at(0)).toBe('drop')
      expect(order.at(-1)).toBe('gap slot-dropped')
    }
    // A later process learns of it too, whatever slot was made meanwhile.
    {
      await using stream = open('fail')
      await expect(stream.subscribe({ id: 'reader' }, () => undefined)).rejects.toMatchObject({ code: 'CHANGE_GAP', detail: 'slot-dropped' })
    }
    await using stream = open('resnapshot')
    const collected = await collect(stream)
    expect(brief(await collected.count(3))).toEqual(['snapshot 1', 'snapshot 2', 'snapshot 3'])
    await database.sql`INSERT INTO items VALUES (4)`
    expect(brief(await collected.count(4)).at(-1)).toBe('insert 4')
  })

  it('is never given up where the slot may be another\'s', async () => {
    await using database = await openStreamDatabase(version)
    const { admin, sql, slot } = database
    await sql`CREATE TABLE items (id int4 PRIMARY KEY)`
    await admin`CREATE PUBLICATION theirs FOR TABLE items`
    const source = sourceOf(database, { publication: 'theirs', maxRetainedBytes: 1, retentionPolicy: 'drop-slot' })
    await expect(source.connect()).rejects.toMatchObject({ code: 'LOG_NOT_OWNED', detail: 'publication' })
    expect(await database.slotColumn('slot_name')).toBeUndefined()
    // One that is read by somebody else is not taken from under them.
    await using first = await sourceOf(database).connect()
    await first.leases.acquireLease({ lease: 'a', holder: 'a', nowMs: 0, ttlMs: 1 })
    await using second = await sourceOf(database, { maxRetainedBytes: 1, retentionPolicy: 'drop-slot' }).connect()
    await sql`INSERT INTO items VALUES (1)`
    const told: string[] = []
    await expect(second.tend?.({ tell: (_, action) => void told.push(action) })).rejects.toMatchObject({ code: 'LEASE_HELD' })
    expect(told).toEqual(['drop'])
    expect(await database.slotColumn('active')).toBe('true')
    const [row] = await admin`SELECT obj_description(oid, 'pg_publication') AS mark FROM pg_publication WHERE pubname = ${slot}`
    expect(row).toEqual({ mark: `managed by tidemark for slot ${slot}` })
  })

  it('outlives a failover where asked to and able to', async () => {
    await using database = await openStreamDatabase(version)
    await database.sql`CREATE TABLE items (id int4 PRIMARY KEY)`
    const [{ major } = { major: 0 }] = await database.admin<{ major: number }[]>`SELECT current_setting('server_version_num')::int4 / 10000 AS major`
    if (major < 17) {
      await expect(sourceOf(database, { failover: true }).connect()).rejects.toMatchObject({ code: 'SERVER_UNSUPPORTED', detail: 'failover' })
      expect(await database.slotColumn('slot_name')).toBeUndefined()
      return
    }
    await (await sourceOf(database).connect())[Symbol.asyncDispose]()
    expect(await database.slotColumn('failover')).toBe('false')
    await (await sourceOf(database, { failover: true }).connect())[Symbol.asyncDispose]()
    expect(await database.slotColumn('failover')).toBe('true')
    await sourceOf(database).drop()
    await using stream = new ChangeStream({ source: sourceOf(database, { failover: true }), checkpoints: memoryStateStore() })
    const collected = new Collected()
    await stream.subscribe({ id: 'reader' }, (batch) => collected.add(batch))
    await database.sql`INSERT INTO items VALUES (1)`
    expect(brief(await collected.count(1))).toEqual(['insert 1'])
    expect(await database.slotColumn('failover')).toBe('true')
  })
})

it('refuses options that can\'t be', () => {
  expect(() => postgresChanges({ url: 'postgres://h/d', slot: 's', tables: ['t'], maxRetainedBytes: 0 })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  expect(() => postgresChanges({ url: 'postgres://h/d', slot: 's', tables: ['t'], retentionPolicy: 'drop-slot' })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
})

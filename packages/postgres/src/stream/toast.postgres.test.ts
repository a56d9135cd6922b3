import { ChangeStream } from '@tidemark/core'
import type { ChangeEvent } from '@tidemark/core/adapter'
import { memoryStateStore } from '@tidemark/core/testing'
import { startPostgres } from '@tidemark/test-servers'
import { describe, expect, it, vi } from 'vitest'
import { PostgresSession } from '../postgres-session.ts'
import { postgresChanges, type PostgresChangesOptions } from './postgres-changes.ts'
import { collect } from './test/collect.ts'
import { makeDatabase, openStreamDatabase, versions, type StreamDatabase } from './test/stream-database.ts'

/** Too large to stand in its row, and not compressed. */
const LARGE = 20_000
const TABLES = `CREATE TABLE docs (part int4, id int4, note text, body text, data bytea, tags timestamptz[], PRIMARY KEY (part, id));
  ALTER TABLE docs ALTER body SET STORAGE EXTERNAL, ALTER data SET STORAGE EXTERNAL, ALTER tags SET STORAGE EXTERNAL; CREATE TABLE log (id int4 PRIMARY KEY)`
const ROW = `repeat('body ', ${LARGE / 5}), decode(repeat('00ff', ${LARGE}), 'hex'), array_fill('2024-01-02 03:04:05.6+02'::timestamptz, ARRAY[3000])`

function open(database: StreamDatabase, options: Partial<PostgresChangesOptions> = {}): ChangeStream {
  return new ChangeStream({ source: postgresChanges({ url: database.url, slot: database.slot, tables: ['docs', 'log'], unchangedToast: 'reread', ...options }), checkpoints: memoryStateStore(), snapshot: 'none' })
}

const updates = (events: readonly ChangeEvent[]): readonly Extract<ChangeEvent, { readonly op: 'update' }>[] => events.filter((event) => event.op === 'update')

describe.each(versions)('large values of postgres %s that an update leaves as they were', (version) => {
  it('are read where that is wanted, exactly as the stream would have them', async () => {
    await using database = await openStreamDatabase(version)
    const { sql } = database
    await sql.unsafe(TABLES)
    await using stream = open(database)
    const collected = await collect(stream)
    await sql.unsafe(`INSERT INTO docs SELECT 1, 1, 'a', ${ROW}`)
    await sql`UPDATE docs SET note = 'b'`
    const [inserted, updated] = await collected.count(2)
    expect(updated?.unavailable).toEqual([])
    expect(updated?.after).toEqual({ ...inserted?.after, note: 'b' })
    expect(Object.keys(updated?.after ?? {})).toEqual(Object.keys(inserted?.after ?? {}))
    expect(updates(collected.events)[0]?.changed).toBeUndefined()
    await sql`UPDATE docs SET body = 'short'`
    await collected.count(3)
    expect(collected.events[2]).toMatchObject({ unavailable: [], after: { note: 'b', body: 'short', data: inserted?.after?.['data'] } })
  })

  it('stay unavailable by default', async () => {
    await using database = await openStreamDatabase(version)
    await database.sql.unsafe(TABLES)
    await using stream = open(database, { unchangedToast: undefined })
    const collected = await collect(stream)
    await database.sql.unsafe(`INSERT INTO docs SELECT 1, 1, 'a', ${ROW}`)
    await database.sql`UPDATE docs SET note = 'b'`
    expect((await collected.count(2))[1]).toMatchObject({ unavailable: ['body', 'data', 'tags'], after: { part: 1, id: 1, note: 'b' } })
  })

  it('may be newer than the change, and stay unavailable where row, key or column are gone', async () => {
    await using database = await openStreamDatabase(version)
    const { sql } = database
    await sql.unsafe(TABLES)
    await sql.unsafe(`INSERT INTO docs SELECT 1, i, 'a', ${ROW} FROM generate_series(1, 4) i`)
    const checkpoints = memoryStateStore()
    const source = postgresChanges({ url: database.url, slot: database.slot, tables: ['docs', 'log'], unchangedToast: 'reread' })
    { await using stream = new ChangeStream({ source, checkpoints }); await collect(stream) }
    await sql.unsafe(`UPDATE docs SET note = 'b'; UPDATE docs SET body = 'newer' WHERE id = 1; DELETE FROM docs WHERE id = 2; UPDATE docs SET id = 30 WHERE id = 3; ALTER TABLE docs DROP tags`)
    await using stream = new ChangeStream({ source, checkpoints })
    const collected = await collect(stream)
    const first = updates(await collected.count(7)).slice(0, 4)
    const brief = first.map(({ key, unavailable, after }) => [key?.['id'], unavailable.toSorted(), typeof after['body'] === 'string' ? after['body'].length : after['body']])
    // Without the column that is gone the others can be had, or none: they were asked for together.
    expect(brief.map(([id]) => id)).toEqual([1, 2, 3, 4])
    expect(first.filter(({ key }) => key?.['id'] === 2 || key?.['id'] === 3).map(({ unavailable }) => unavailable)).toEqual([['body', 'data', 'tags'], ['body', 'data', 'tags']])
    for (const { key, unavailable, after } of first) {
      if (unavailable.includes('body')) expect(after).not.toHaveProperty('body')
      else expect(after['body']).toBe(key?.['id'] === 1 ? 'newer' : 'body '.repeat(LARGE / 5))
    }
  })

  it('of many rows are asked for together, without waiting for who writes', async () => {
    await using database = await openStreamDatabase(version)
    const { sql } = database
    await sql.unsafe(TABLES)
    await sql.unsafe(`INSERT INTO docs SELECT i % 7, i, 'a', repeat(i::text || ' ', 5000) FROM generate_series(1, 600) i`)
    await using stream = open(database)
    const collected = await collect(stream)
    const query = vi.spyOn(PostgresSession.prototype, 'query')
    await using held = { sql: await sql.reserve(), [Symbol.asyncDispose]: async () => { await held.sql`ROLLBACK`; held.sql.release() } }
    await sql`UPDATE docs SET note = 'b'`
    // From now on every row is locked by somebody who does not commit.
    await held.sql`BEGIN`
    await held.sql`UPDATE docs SET body = 'not committed'`
    const events = updates(await collected.count(600))
    const rereads = query.mock.calls.filter(([{ text }]) => text.includes('"docs"') && text.startsWith('SELECT "part"')).length
    query.mockRestore()
    expect(events.every(({ unavailable }) => unavailable.length === 0)).toBe(true)
    expect(events.every(({ after }) => after['body'] === `${String(after['id'])} `.repeat(5000))).toBe(true)
    expect(rereads).toBeGreaterThan(0)
    expect(rereads).toBeLessThanOrEqual(12)
  })

  it('are never older than what came before, also where a commit is in the log before anybody sees it', async () => {
    await using server = await startPostgres({ version, settings: { synchronous_commit: 'local' } })
    await using database = await makeDatabase(server)
    const { sql, admin } = database
    await sql.unsafe(TABLES)
    await sql.unsafe(`INSERT INTO docs SELECT 1, 1, 'a', ${ROW}`)
    await using stream = open(database)
    const collected = await collect(stream)
    const standbys = async (names: string): Promise<void> => {
      await admin.unsafe(`ALTER SYSTEM SET synchronous_standby_names = '${names}'`)
      await admin`SELECT pg_reload_conf()`
      while ((await admin`SHOW synchronous_standby_names`)[0]?.['synchronous_standby_names'] !== names) await admin`SELECT pg_sleep(0.01)`
    }
    await standbys('nobody')
    // Waits for a standby that never comes; nobody sees it.
    const waiting = sql.begin(async (tx) => {
      await tx`SET LOCAL synchronous_commit = 'on'`
      await tx.unsafe(`UPDATE docs SET body = repeat('new  ', ${LARGE / 5})`)
      await tx`UPDATE docs SET note = 'b'`
    })
    const [changed, touched] = updates(await collected.count(2))
    expect(changed?.after['body']).toBe('new  '.repeat(LARGE / 5))
    expect(touched?.unavailable).toContain('body')
    expect((await sql`SELECT note FROM docs`)[0]?.['note']).toBe('a')
    await standbys('')
    await waiting
    await sql`UPDATE docs SET note = 'c'`
    expect(updates(await collected.count(3))[2]).toMatchObject({ unavailable: [], after: { note: 'c', body: 'new  '.repeat(LARGE / 5) } })
  })
})

it('refuses what is no choice', () => {
  expect(() => postgresChanges({ url: 'postgres://h/d', slot: 's', tables: ['t'], unchangedToast: 'maybe' as unknown as 'reread' })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
})

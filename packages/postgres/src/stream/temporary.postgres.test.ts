import { ChangeStream } from '@tidemark/core'
import { describe, expect, it } from 'vitest'
import { postgresChanges, type PostgresChanges } from './postgres-changes.ts'
import { brief, Collected } from './test/collect.ts'
import { openStreamDatabase, versions, type StreamDatabase } from './test/stream-database.ts'

function sourceOf(database: StreamDatabase): PostgresChanges {
  return postgresChanges({ url: database.url, slot: database.slot, tables: ['items'], temporary: true })
}

describe.each(versions)('a temporary slot of postgres %s', (version) => {
  async function left({ admin }: StreamDatabase): Promise<readonly unknown[]> {
    return [...await admin`SELECT slot_name AS name FROM pg_replication_slots WHERE database = current_database() UNION ALL SELECT pubname FROM pg_publication`]
  }

  it('shows what is there and what comes, moves on by itself and leaves nothing behind', async () => {
    await using database = await openStreamDatabase(version)
    const { sql } = database
    await sql.unsafe('CREATE TABLE items (id int4 PRIMARY KEY, note text); INSERT INTO items VALUES (1)')
    {
      await using stream = new ChangeStream({ source: sourceOf(database) })
      const collected = new Collected()
      await stream.subscribe({ id: 'look', durable: false, snapshot: 'initial' }, (batch) => collected.add(batch))
      await collected.count(1)
      await sql`INSERT INTO items VALUES (2, 'two')`
      expect(brief(await collected.until((all) => all.some(({ key }) => key?.['id'] === 2)))).toEqual(['snapshot 1', 'insert 2'])
      const before = await database.slotColumn('confirmed_flush_lsn')
      expect(await database.slotColumn('temporary')).toBe('true')
      for (let id = 3; await database.slotColumn('confirmed_flush_lsn') === before; id += 1) await sql`INSERT INTO items VALUES (${id})`
    }
    // The process of the slot ends a moment after its connection.
    while (await database.slotColumn('active') !== undefined) await sql`SELECT pg_sleep(0.01)`
    expect(await left(database)).toEqual([])
  })

  it('that went with its connection is a gap', async () => {
    await using database = await openStreamDatabase(version)
    const { sql, admin, slot } = database
    await sql`CREATE TABLE items (id int4 PRIMARY KEY)`
    await using stream = new ChangeStream({ source: sourceOf(database), retry: { baseMs: 10, maxMs: 20 } })
    const collected = new Collected()
    const subscription = await stream.subscribe({ id: 'look', durable: false }, (batch) => collected.add(batch))
    await sql`INSERT INTO items VALUES (1)`
    await collected.count(1)
    await admin`SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = ${slot}`
    await expect(subscription.done).rejects.toMatchObject({ code: 'CHANGE_GAP', detail: 'slot-missing' })
  })
})

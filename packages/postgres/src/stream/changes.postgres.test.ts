import { ChangeStream } from '@tidemark/core'
import { memoryStateStore } from '@tidemark/core/testing'
import { describe, expect, it } from 'vitest'
import { postgresChanges } from './postgres-changes.ts'
import { brief, collect } from './test/collect.ts'
import { openStreamDatabase, versions } from './test/stream-database.ts'

describe.each(versions)('changes of postgres %s', (version) => {
  it('come as whole transactions, in commit order, also those that were made meanwhile', async () => {
    await using database = await openStreamDatabase(version)
    const { sql, url, slot } = database
    await sql`CREATE TABLE items (id int8 PRIMARY KEY, note text)`
    const checkpoints = memoryStateStore()
    const source = () => postgresChanges({ url, slot, tables: ['items'] })
    {
      await using stream = new ChangeStream({ source: source(), checkpoints })
      const collected = await collect(stream)
      await sql.begin(async (tx) => {
        await tx`INSERT INTO items VALUES (1, 'one'), (2, 'two')`
        await tx`UPDATE items SET note = 'zwei' WHERE id = 2`
      })
      await sql`DELETE FROM items WHERE id = 1`
      const events = await collected.count(4)
      expect(brief(events)).toEqual(['insert 1', 'insert 2', 'update 2', 'delete 1'])
      expect(events.map(({ tx }) => tx.last)).toEqual([false, false, true, true])
      expect(events[2]).toMatchObject({ before: { id: 2 }, beforeKind: 'key', after: { id: 2, note: 'zwei' }, schema: 'public', table: 'items' })
    }
    expect(await database.slotColumn('active')).toBe('false')
    await sql`INSERT INTO items VALUES (3, 'three')`
    await using stream = new ChangeStream({ source: source(), checkpoints })
    const collected = await collect(stream)
    await sql`INSERT INTO items VALUES (4, 'four')`
    expect(brief(await collected.count(2))).toEqual(['insert 3', 'insert 4'])
  })

  it('come behind the rows that are there where the source was made so, by a client of the application too', async () => {
    await using database = await openStreamDatabase(version)
    const { sql, slot } = database
    await sql`CREATE TABLE users (id int4 PRIMARY KEY)`
    await sql`INSERT INTO users VALUES (1), (2)`
    const source = postgresChanges({ sql, slot, tables: ['public.users'], snapshot: 'auto', onGap: 'fail' })
    await using stream = new ChangeStream({ source, checkpoints: memoryStateStore() })
    const collected = await collect(stream)
    await collected.count(2)
    await sql`INSERT INTO users VALUES (3)`
    expect(brief(await collected.count(3))).toEqual(['snapshot 1', 'snapshot 2', 'insert 3'])
  })
})

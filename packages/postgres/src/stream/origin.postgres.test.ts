import { ChangeStream } from '@tidemark/core'
import { memoryStateStore } from '@tidemark/core/testing'
import { describe, expect, it } from 'vitest'
import { postgresChanges } from './postgres-changes.ts'
import { brief, collect } from './test/collect.ts'
import { openStreamDatabase, versions, type StreamDatabase } from './test/stream-database.ts'

/** A row as a replication from elsewhere would write it. */
async function insertFromAfar({ admin }: StreamDatabase, id: number): Promise<void> {
  await admin`SELECT pg_replication_origin_session_setup(${'far'})`
  await admin`INSERT INTO items VALUES (${id})`
  await admin`SELECT pg_replication_origin_session_reset()`
}

describe.each(versions)('the origin of changes of postgres %s', (version) => {
  it('is told, or what has one is left out', async () => {
    await using database = await openStreamDatabase(version)
    const { admin, sql, url, slot } = database
    await sql`CREATE TABLE items (id int4 PRIMARY KEY)`
    await admin`SELECT pg_replication_origin_create('far') WHERE NOT EXISTS (SELECT 1 FROM pg_replication_origin WHERE roname = 'far')`
    await using every = new ChangeStream({ source: postgresChanges({ url, slot, tables: ['items'] }), checkpoints: memoryStateStore() })
    const all = await collect(every)
    const own = postgresChanges({ url, slot: `${slot}_own`, tables: ['items'], origin: 'none' })
    const [{ major } = { major: 0 }] = await admin<{ major: number }[]>`SELECT current_setting('server_version_num')::int4 / 10000 AS major`
    if (major < 16) {
      await expect(own.connect()).rejects.toMatchObject({ code: 'SERVER_UNSUPPORTED', detail: 'origin' })
      expect([...await admin`SELECT 1 FROM pg_publication WHERE pubname = ${`${slot}_own`}`]).toEqual([])
    }
    await using local = new ChangeStream({ source: own, checkpoints: memoryStateStore() })
    const here = major < 16 ? undefined : await collect(local)
    await sql`INSERT INTO items VALUES (1)`
    await insertFromAfar(database, 2)
    await sql`INSERT INTO items VALUES (3)`
    const events = await all.count(3)
    expect(events.map(({ tx }) => tx.origin)).toEqual([undefined, 'far', undefined])
    if (here !== undefined) expect(brief(await here.count(2))).toEqual(['insert 1', 'insert 3'])
  })
})

import { describe, expect, it } from 'vitest'
import { postgresChanges } from './postgres-changes.ts'
import { postgresJanitor } from './postgres-janitor.ts'
import { openStreamDatabase, versions } from './test/stream-database.ts'

async function make(url: string, slot: string): Promise<void> {
  await (await postgresChanges({ url, slot, tables: ['items'] }).connect())[Symbol.asyncDispose]()
}

describe.each(versions)('what streams have left at postgres %s', (version) => {
  it('is found and dropped by what made it, and nothing that is another\'s, in use or read', async () => {
    await using database = await openStreamDatabase(version)
    const { admin, url, slot } = database
    await database.sql`CREATE TABLE items (id int4 PRIMARY KEY)`
    for (const name of ['left', 'kept', 'read', 'gone']) await make(url, `${slot}_${name}`)
    await admin`SELECT pg_drop_replication_slot(${`${slot}_gone`})`
    // Ours by name only, by a publication only that says something else, and of another kind under a name of ours.
    await admin`SELECT pg_create_logical_replication_slot(${`${slot}_left2`}, 'pgoutput')`
    await admin.unsafe(`CREATE PUBLICATION theirs; COMMENT ON PUBLICATION theirs IS 'managed by tidemark for slot ${slot}_left2, said somebody'`)
    await make(url, `${slot}_other`)
    await admin`SELECT pg_drop_replication_slot(${`${slot}_other`})`
    await admin`SELECT pg_create_logical_replication_slot(${`${slot}_other`}, 'test_decoding')`
    await using reader = await postgresChanges({ url, slot: `${slot}_read`, tables: ['items'] }).connect()
    await reader.leases.acquireLease({ lease: 'a', holder: 'a', nowMs: 0, ttlMs: 1 })
    const janitor = postgresJanitor({ url, inUse: [`${slot}_kept`] })
    const wanted = [{ slot: `${slot}_gone`, hasSlot: false, publications: [`${slot}_gone`] }, { slot: `${slot}_left`, hasSlot: true, publications: [`${slot}_left`] }]
    const listed = await janitor.list()
    expect(listed).toMatchObject(wanted)
    expect(listed[1]?.retainedBytes).toBeGreaterThanOrEqual(0)
    if (Number(version) >= 17) expect(listed[1]?.inactiveSinceMs).toBeGreaterThan(Date.now() - 3_600_000)
    expect(await janitor.drop()).toMatchObject(wanted)
    expect(await janitor.list()).toEqual([])
    const slots = await admin<{ name: string }[]>`SELECT slot_name::text AS name FROM pg_replication_slots WHERE database = current_database() ORDER BY 1`
    expect(slots.map(({ name }) => name)).toEqual(['kept', 'left2', 'other', 'read'].map((name) => `${slot}_${name}`))
    const publications = await admin<{ name: string }[]>`SELECT pubname::text AS name FROM pg_publication ORDER BY 1`
    expect(publications.map(({ name }) => name)).toEqual([...['kept', 'other', 'read'].map((name) => `${slot}_${name}`), 'theirs'])
  })
})

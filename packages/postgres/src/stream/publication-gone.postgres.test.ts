import { ChangeStream, type ChangeStreamEvents } from '@tidemark/core'
import { memoryStateStore } from '@tidemark/core/testing'
import { describe, expect, it } from 'vitest'
import { polledPostgresChanges } from './polled-postgres-changes.ts'
import { postgresChanges, type PostgresChanges } from './postgres-changes.ts'
import { Collected } from './test/collect.ts'
import { openStreamDatabase, versions, type StreamDatabase } from './test/stream-database.ts'

const harms: readonly { readonly what: string; readonly harm: (database: StreamDatabase) => Promise<unknown> }[] = [
  { what: 'dropped', harm: ({ sql, slot }) => sql.unsafe(`DROP PUBLICATION ${slot}`) },
  { what: 'dropped and made again', harm: async ({ sql, slot }) => {
    await sql.unsafe(`DROP PUBLICATION ${slot}`)
    await sql`INSERT INTO items VALUES (100)`
    await sql.unsafe(`CREATE PUBLICATION ${slot} FOR TABLE items`)
  } },
  { what: 'without a table any more', harm: ({ sql, slot }) => sql.unsafe(`ALTER PUBLICATION ${slot} SET TABLE others`) },
  { what: 'without the table that has the name now', harm: ({ sql }) => sql.unsafe('DROP TABLE items; CREATE TABLE items (id int4 PRIMARY KEY)') },
  { what: 'with a table that has another name now', harm: ({ sql }) => sql.unsafe('ALTER TABLE items RENAME TO moved; CREATE TABLE items (id int4 PRIMARY KEY)') },
]

const kinds: readonly { readonly kind: string; readonly open: (database: StreamDatabase) => PostgresChanges }[] = [
  { kind: 'streamed', open: ({ url, slot }) => postgresChanges({ url, slot, tables: ['items', 'others'] }) },
  { kind: 'polled', open: ({ sql, slot }) => polledPostgresChanges({ execute: (text, parameters) => sql.unsafe(text, [...parameters]), slot, tables: ['items', 'others'], pollIntervalMs: 5, maxPollIntervalMs: 5 }) },
]

const cases = kinds.flatMap((kind) => harms.map((harm) => ({ ...kind, ...harm })))

describe.each(versions)('a publication of postgres %s under a stream at work', (version) => {
  it.each(cases)('is $what: a gap, with a snapshot behind it if wanted ($kind)', async ({ harm, open, kind }) => {
    await using database = await openStreamDatabase(version)
    const { sql } = database
    await sql.unsafe('CREATE TABLE items (id int4 PRIMARY KEY); CREATE TABLE others (id int4 PRIMARY KEY)')
    await using stream = new ChangeStream({
      source: open(database), checkpoints: memoryStateStore(), retry: { baseMs: 20, maxMs: 50 }, heartbeatIntervalMs: 30, onGap: kind === 'polled' ? 'fail' : 'resnapshot',
    })
    const collected = new Collected()
    const { done } = await stream.subscribe({ id: 'reader' }, (batch) => collected.add(batch))
    const gapped = new Promise<ChangeStreamEvents['gap']>((resolve) => void stream.on('gap', resolve))
    await sql`INSERT INTO items VALUES (1)`
    await collected.count(1)
    await harm(database)
    await sql`INSERT INTO items VALUES (2)`
    expect(await gapped).toMatchObject({ error: { code: 'CHANGE_GAP', detail: expect.stringMatching(/^(?:publication-changed|slot-missing)$/) as unknown } })
    if (kind === 'polled') {
      await expect(done).rejects.toMatchObject({ code: 'CHANGE_GAP' })
      return
    }
    await sql`INSERT INTO items VALUES (3)`
    await collected.until((all) => all.some(({ key }) => key?.['id'] === 3))
    expect(collected.events.map(({ key }) => key?.['id'])).toEqual(expect.arrayContaining([1, 2, 3]))
  })
})

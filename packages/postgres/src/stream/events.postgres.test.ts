import { ChangeStream } from '@tidemark/core'
import type { ChangeEvent } from '@tidemark/core/adapter'
import { memoryStateStore } from '@tidemark/core/testing'
import { describe, expect, it } from 'vitest'
import { postgresSource } from '../postgres-source.ts'
import { postgresChanges } from './postgres-changes.ts'
import { brief, collect } from './test/collect.ts'
import { openStreamDatabase, versions, type StreamDatabase } from './test/stream-database.ts'
import { EVERY_TYPE } from './test/every-type.ts'

const LARGE = 'x'.repeat(20_000)

function open(database: StreamDatabase, tables: readonly string[], options: Partial<ConstructorParameters<typeof ChangeStream>[0]> = {}): ChangeStream {
  return new ChangeStream({ source: postgresChanges({ url: database.url, slot: database.slot, tables }), checkpoints: memoryStateStore(), ...options })
}

function images(events: readonly ChangeEvent[]): readonly object[] {
  return events.map(({ op, key, before, beforeKind, after, unavailable }) => ({ op, key, before, beforeKind, after, unavailable }))
}

describe.each(versions)('events of postgres %s', (version) => {
  it('name what the server did not send, and take it from the old row where that has it', async () => {
    await using database = await openStreamDatabase(version)
    const { sql } = database
    await sql.unsafe(`CREATE TABLE part (id int4 PRIMARY KEY, n int4, big text); ALTER TABLE part ALTER big SET STORAGE EXTERNAL;
      CREATE TABLE full_ (id int4 PRIMARY KEY, n int4, big text); ALTER TABLE full_ ALTER big SET STORAGE EXTERNAL; ALTER TABLE full_ REPLICA IDENTITY FULL`)
    await using stream = open(database, ['part', 'full_'])
    const collected = await collect(stream)
    for (const table of ['part', 'full_']) await sql.unsafe(`INSERT INTO ${table} VALUES (1, 1, '${LARGE}'); UPDATE ${table} SET n = NULL; UPDATE ${table} SET id = 2; DELETE FROM ${table}`)
    const events = await collected.count(8)
    const none = { before: null, beforeKind: 'none', unavailable: [] }
    expect(images(events)).toEqual([
      { op: 'insert', key: { id: 1 }, ...none, after: { id: 1, n: 1, big: LARGE } },
      { op: 'update', key: { id: 1 }, before: { id: 1 }, beforeKind: 'key', after: { id: 1, n: null }, unavailable: ['big'] },
      { op: 'update', key: { id: 2 }, before: { id: 1 }, beforeKind: 'key', after: { id: 2, n: null }, unavailable: ['big'] },
      { op: 'delete', key: { id: 2 }, before: { id: 2 }, beforeKind: 'key', after: null, unavailable: [] },
      { op: 'insert', key: { id: 1 }, ...none, after: { id: 1, n: 1, big: LARGE } },
      { op: 'update', key: { id: 1 }, before: { id: 1, n: 1, big: LARGE }, beforeKind: 'full', after: { id: 1, n: null, big: LARGE }, unavailable: [] },
      { op: 'update', key: { id: 2 }, before: { id: 1, n: null, big: LARGE }, beforeKind: 'full', after: { id: 2, n: null, big: LARGE }, unavailable: [] },
      { op: 'delete', key: { id: 2 }, before: { id: 2, n: null, big: LARGE }, beforeKind: 'full', after: null, unavailable: [] },
    ])
    expect(events[5]).toMatchObject({ changed: ['n'] })
  })

  it('tell of a truncate of each table, of rows without a key, of partitions by their root, and not of other tables', async () => {
    await using database = await openStreamDatabase(version)
    const { sql, slot } = database
    await sql.unsafe(`CREATE TABLE a (id int4 PRIMARY KEY); CREATE TABLE b (note text); ALTER TABLE b REPLICA IDENTITY FULL; CREATE TABLE other (id int4 PRIMARY KEY);
      CREATE TABLE parts (id int4 PRIMARY KEY, n int4) PARTITION BY RANGE (id); CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10); CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (10) TO (20);
      CREATE PUBLICATION ${slot} FOR TABLE a, b, other, parts WITH (publish_via_partition_root = true)`)
    await using stream = open(database, ['a', 'b', 'parts'])
    const collected = await collect(stream)
    await sql.unsafe('INSERT INTO other VALUES (1); INSERT INTO b VALUES (\'x\'), (NULL); DELETE FROM b WHERE note = \'x\'; INSERT INTO parts VALUES (1, 1); UPDATE parts SET id = 11; TRUNCATE a, b, other')
    const events = await collected.count(8)
    expect(events.map(({ op, table, key }) => `${op} ${table} ${JSON.stringify(key)}`)).toEqual([
      'insert b null', 'insert b null', 'delete b null', 'insert parts {"id":1}', 'delete parts {"id":1}', 'insert parts {"id":11}', 'truncate a null', 'truncate b null',
    ])
    expect(events.map(({ tx }) => tx.sequence)).toEqual(events.map((_, index) => index))
  })

  it('have the same values as the rows of a page and of a snapshot, for every type', async () => {
    await using database = await openStreamDatabase(version)
    const { sql } = database
    await sql.unsafe(`CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE DOMAIN small AS int4; CREATE TYPE pair AS (a int4, b text);
      CREATE TABLE every (id int4 PRIMARY KEY, ${EVERY_TYPE.map(({ type }, index) => `c${index} ${type}`).join(', ')})`)
    await using stream = open(database, ['every'])
    const collected = await collect(stream)
    const rows = Math.max(...EVERY_TYPE.map(({ values }) => values.length))
    for (let row = 0; row <= rows; row += 1) await sql.unsafe(`INSERT INTO every VALUES (${[row, ...EVERY_TYPE.map(({ values }) => values[row] ?? 'NULL')].join(', ')})`)
    const streamed = (await collected.count(rows + 1)).map(({ after }) => after)
    const later = await (async () => {
      await using again = open(database, ['every'], { name: 'again', snapshot: 'initial' })
      await stream.stop()
      return (await (await collect(again)).count(rows + 1)).map(({ after }) => after)
    })()
    expect(later).toEqual(streamed)
    await using connection = await postgresSource({ url: database.url }).connect()
    const overrides = Object.fromEntries(EVERY_TYPE.map((_, index) => [`c${index}`, { onUnrepresentable: 'text' } as const]))
    const table = await connection.describeTable({ schema: 'public', name: 'every' }, { overrides })
    const page = await connection.readRows({ table, columns: table.columns, key: ['id'], limit: 100 })
    expect(streamed.map((row) => Object.values(row ?? {}))).toEqual(page.rows)
  })

  it('follow the columns of a table as they change, between the changes that have them', async () => {
    await using database = await openStreamDatabase(version)
    const { sql } = database
    await sql`CREATE TABLE items (id int4 PRIMARY KEY, a text)`
    await using stream = open(database, ['items'])
    const collected = await collect(stream)
    await sql.unsafe(`INSERT INTO items VALUES (1, 'x'); ALTER TABLE items ADD b int4 DEFAULT 7; INSERT INTO items VALUES (2, 'y', 2)`)
    await sql.unsafe('ALTER TABLE items DROP a; INSERT INTO items VALUES (3, 3); ALTER TABLE items RENAME b TO c; ALTER TABLE items ALTER c TYPE text; INSERT INTO items VALUES (4, \'four\')')
    const events = await collected.count(4)
    expect(brief(events)).toEqual(['insert 1', 'insert 2', 'insert 3', 'insert 4'])
    expect(events.map(({ after }) => after)).toEqual([{ id: 1, a: 'x' }, { id: 2, a: 'y', b: 2 }, { id: 3, b: 3 }, { id: 4, c: 'four' }])
    const told = collected.batches.flatMap((batch) => batch.schemas.map((schema) => `${schema.version} ${schema.columns?.map(({ name, type }) => `${name} ${type}`).join(', ')} before ${brief(batch.events)[0]}`))
    expect(told).toEqual([
      '2 id integer, a text, b integer before insert 2', '3 id integer, b integer before insert 3', '4 id integer, c text before insert 4',
    ])
    expect(events.map(({ source }) => source.schemaVersion)).toEqual([1, 2, 3, 4])
  })

  it('come in parts where a transaction is larger than a batch', async () => {
    await using database = await openStreamDatabase(version)
    const { sql } = database
    await sql`CREATE TABLE items (id int4 PRIMARY KEY)`
    await using stream = open(database, ['items'], { batch: { events: 100 } })
    const collected = await collect(stream)
    await sql`INSERT INTO items SELECT generate_series(1, 1050)`
    await collected.count(1050)
    await sql`INSERT INTO items VALUES (2000)`
    const events = await collected.count(1051)
    expect(events.map(({ key }) => key?.['id'])).toEqual([...Array.from({ length: 1050 }, (_, index) => index + 1), 2000])
    expect(events.filter(({ tx }) => tx.last).map(({ key }) => key?.['id'])).toEqual([1050, 2000])
    expect(collected.batches.map(({ begin, commit, events: { length }, checkpoint }) => `${length} ${begin} ${commit} ${checkpoint !== null}`)).toEqual([
      '100 true false false', ...Array.from({ length: 9 }, () => '100 false false false'), '50 false true true', '1 true true true',
    ])
    expect(new Set(events.map(({ id }) => id)).size).toBe(1051)
    expect([...events].map(({ source }) => source.position).toSorted()).toEqual(events.map(({ source }) => source.position))
  })
})

import { TidemarkError } from '@tidemark/core/adapter'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { errorResponse, startProxy } from '../test/proxy.ts'
import { postgresChanges, type PostgresChangesOptions } from './postgres-changes.ts'
import { openStreamDatabase, versions, type StreamDatabase } from './test/stream-database.ts'

async function errorOf(database: StreamDatabase, options: Partial<PostgresChangesOptions & { readonly url: string }>): Promise<TidemarkError> {
  try {
    await (await postgresChanges({ url: database.url, slot: database.slot, tables: ['items'], ...options }).connect())[Symbol.asyncDispose]()
  } catch (error) {
    if (error instanceof TidemarkError) return error
    throw error
  }
  throw new Error('It connected')
}

describe.each(versions)('what stands in the way of a stream of postgres %s', (version) => {
  let database: StreamDatabase
  beforeAll(async () => {
    database = await openStreamDatabase(version)
    await database.sql.unsafe(`CREATE TABLE items (id int4 PRIMARY KEY); CREATE TABLE keyless (note text); CREATE TABLE silent (id int4 PRIMARY KEY); ALTER TABLE silent REPLICA IDENTITY NOTHING;
      CREATE UNLOGGED TABLE loose (id int4 PRIMARY KEY); CREATE VIEW seen AS SELECT * FROM items; CREATE TABLE "Odd ""name" (id int4 PRIMARY KEY)`)
  })
  afterAll(() => database[Symbol.asyncDispose]())

  async function made(): Promise<readonly unknown[]> {
    return [...await database.admin`SELECT slot_name AS name FROM pg_replication_slots WHERE database = current_database() UNION ALL SELECT pubname FROM pg_publication ORDER BY 1`]
  }

  it.each([
    ['a table that is not there', { tables: ['items', 'absent'] }, 'TABLE_UNKNOWN', undefined],
    ['a view', { tables: ['items', 'seen'] }, 'TABLE_NOT_CAPTURABLE', undefined],
    ['a table without an identity', { tables: ['keyless'] }, 'TABLE_NOT_CAPTURABLE', 'ALTER TABLE "public"."keyless" REPLICA IDENTITY FULL, or give it a primary key.'],
    ['a table whose identity is nothing', { tables: ['silent'] }, 'TABLE_NOT_CAPTURABLE', 'ALTER TABLE "public"."silent" REPLICA IDENTITY FULL, or give it a primary key.'],
    ['an unlogged table', { tables: ['loose'] }, 'TABLE_NOT_CAPTURABLE', 'ALTER TABLE "public"."loose" SET LOGGED'],
  ] as const)('%s, before anything is made', async (_, options, code, remedy) => {
    const error = await errorOf(database, options)
    expect(error.code).toBe(code)
    if (remedy !== undefined) expect(error.remedy).toBe(remedy)
    expect(await made()).toEqual([])
  })

  it('a user without the right to replicate', async () => {
    const role = `plain_${process.pid}_${version ?? 'any'}`
    await database.admin.unsafe(`CREATE ROLE ${role} LOGIN PASSWORD 'plain'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role}`)
    const error = await errorOf(database, { url: Object.assign(new URL(database.url), { username: role, password: 'plain' }).href })
    await database.admin.unsafe(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
    expect(error).toMatchObject({ code: 'SOURCE_PERMISSION_DENIED', detail: 'replication', remedy: expect.stringContaining(`ALTER ROLE "${role}" REPLICATION`) as unknown })
    expect(await made()).toEqual([])
  })

  it('a user who does not own the tables, with the statement for who does', async () => {
    const role = `reader_${process.pid}_${version ?? 'any'}`
    await database.admin.unsafe(`CREATE ROLE ${role} LOGIN REPLICATION PASSWORD 'reader'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role}`)
    const url = Object.assign(new URL(database.url), { username: role, password: 'reader' }).href
    const error = await errorOf(database, { url })
    expect(error.code).toBe('SOURCE_PERMISSION_DENIED')
    expect(await made()).toEqual([])
    await database.admin.unsafe(error.remedy.replace(/^[^:]*: /, ''))
    // With the publication there the user needs no more.
    await (await postgresChanges({ url, slot: database.slot, tables: ['items'] }).connect())[Symbol.asyncDispose]()
    await database.admin.unsafe(`SELECT pg_drop_replication_slot('${database.slot}'); DROP PUBLICATION ${database.slot}; DROP OWNED BY ${role}; DROP ROLE ${role}`)
  })

  it('a slot of another kind', async () => {
    await database.admin`SELECT pg_create_physical_replication_slot(${database.slot})`
    const error = await errorOf(database, {})
    await database.admin`SELECT pg_drop_replication_slot(${database.slot})`
    expect(error).toMatchObject({ code: 'LOG_NOT_OWNED', detail: 'slot' })
    expect(await made()).toEqual([])
  })

  it('a slot of another database', async () => {
    await using other = await openStreamDatabase(version)
    await other.sql`SELECT pg_create_logical_replication_slot(${other.slot}, 'pgoutput')`
    expect(await errorOf(database, { slot: other.slot })).toMatchObject({ code: 'LOG_NOT_OWNED', detail: 'slot' })
    expect(await made()).toEqual([])
  })

  it('a slot that another process reads, which can be had when that ends', async () => {
    const request = { lease: 'x', holder: 'a', nowMs: Date.now(), ttlMs: 60_000 }
    const source = postgresChanges({ url: database.url, slot: database.slot, tables: ['items'] })
    await using second = await source.connect()
    {
      await using first = await source.connect()
      expect(await first.leases.acquireLease(request)).toBeDefined()
      expect(await second.leases.acquireLease(request)).toBeUndefined()
      const after = await second.head()
      await expect(second.readChanges({ after, limit: { events: 1, bytes: 1 } })).rejects.toMatchObject({ code: 'LEASE_HELD', retryable: true })
    }
    expect(await second.leases.acquireLease(request)).toBeDefined()
    await second.release('x')
    expect(await made()).toEqual([])
  })

  it('a publication of others that has not every kind of change, or a filter', async () => {
    await database.sql.unsafe('CREATE PUBLICATION partly FOR TABLE items WITH (publish = \'insert\')')
    expect(await errorOf(database, { publication: 'partly' })).toMatchObject({ code: 'LOG_NOT_OWNED', detail: 'publication' })
    if (version !== '14') {
      await database.sql.unsafe('CREATE PUBLICATION filtered FOR TABLE items WHERE (id > 1)')
      expect(await errorOf(database, { publication: 'filtered' })).toMatchObject({ code: 'LOG_NOT_OWNED', detail: 'publication' })
    }
    await database.sql.unsafe('DROP PUBLICATION IF EXISTS partly, filtered')
  })

  it('a pooler that passes no replication connection on', async () => {
    await using proxy = await startProxy((client, toServer) => {
      client.once('data', (start: Buffer) => {
        if (start.includes('replication')) return void client.end(errorResponse('08P01'))
        const server = toServer()
        server.write(start)
        client.pipe(server).pipe(client)
      })
    }, database.url)
    expect(await errorOf(database, { url: proxy.url(database.url) })).toMatchObject({ code: 'LOG_UNAVAILABLE', detail: 'pooler' })
    expect(await made()).toEqual([])
  })

  it('nothing, also with strange names; a publication of ours follows the list of tables', async () => {
    const published = async (): Promise<readonly string[]> => (await database.admin`SELECT tablename FROM pg_publication_tables WHERE pubname = 'Pub "x'`).map((row) => String(row['tablename'])).toSorted()
    for (const tables of [['items'], ['items', '"Odd ""name"'], ['"Odd ""name"']]) {
      await using connection = await postgresChanges({ url: database.url, slot: database.slot, tables, publication: 'Pub "x' }).connect()
      expect((await connection.tables()).map(({ name }) => name)).toEqual(tables.map((name) => (name === 'items' ? name : 'Odd "name')))
      expect(await published()).toEqual(tables.map((name) => (name === 'items' ? name : 'Odd "name')).toSorted())
      if (tables.length === 1 && tables[0] !== 'items') await connection.release('x')
    }
    expect(await made()).toEqual([])
  })
})

it('options that are wrong are all named', () => {
  const options = { url: 'postgres://someone@localhost/any', slot: 'Not-OK', tables: [], publication: '', name: 'a b', snapshotAgeMs: 0 }
  expect(() => postgresChanges(options)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', issues: ['slot', 'tables', 'publication', 'name', 'snapshotAgeMs'].map((path) => expect.objectContaining({ path }) as unknown) }))
})

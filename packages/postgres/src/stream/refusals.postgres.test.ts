import { TidemarkError, type ChangeConnection, type Finding } from '@tidemark/core/adapter'
import { OLD_POSTGRES_VERSION, startPostgres, startPostgresPair, type PostgresSettings, type ServerAccess, type StartablePostgresVersion, type TestServer } from '@tidemark/test-servers'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { diagnoseStream } from './diagnose-stream.ts'
import { polledPostgresChanges } from './polled-postgres-changes.ts'
import { postgresChanges } from './postgres-changes.ts'
import { versions } from './test/stream-database.ts'

/** A server in some state, seen as its superuser and asked as a user who may stream. */
function look(server: ServerAccess): { readonly admin: postgres.Sql } & AsyncDisposable {
  const admin = postgres(server.superuserUrl(), { max: 1, onnotice: () => undefined })
  return { admin, [Symbol.asyncDispose]: () => admin.end({ timeout: 1 }) }
}

const TABLE = 'CREATE TABLE items (id int4 PRIMARY KEY); ALTER TABLE items OWNER TO tidemark; GRANT CREATE ON DATABASE postgres TO tidemark; GRANT CREATE ON SCHEMA public TO tidemark'

async function start(version: StartablePostgresVersion | undefined, settings: PostgresSettings): Promise<TestServer> {
  const server = await startPostgres({ version, settings })
  await using sql = look(server)
  await sql.admin.unsafe(TABLE)
  return server
}

async function errorOf(connecting: Promise<AsyncDisposable>): Promise<TidemarkError> {
  try {
    await (await connecting)[Symbol.asyncDispose]()
  } catch (error) {
    if (error instanceof TidemarkError) return error
    throw error
  }
  throw new Error('It connected')
}

const streamed = (server: ServerAccess): Promise<ChangeConnection> => postgresChanges({ url: server.url(), slot: 'mine', tables: ['items'] }).connect()
const stream: (server: ServerAccess) => Promise<AsyncDisposable> = streamed
/** A connection for each statement. */
const polled = (server: ServerAccess): Promise<ChangeConnection> => polledPostgresChanges({
  slot: 'mine', tables: ['items'],
  execute: async (text, parameters) => {
    const sql = postgres(server.url(), { max: 1, onnotice: () => undefined })
    return await sql.unsafe(text, [...parameters]).then((rows) => [...rows]).finally(() => sql.end({ timeout: 1 }))
  },
}).connect()
const poll = (server: ServerAccess): Promise<TidemarkError> => errorOf(polled(server))

/** Slots but those that were there, publications, and tables but the one that was made. */
async function made(admin: postgres.Sql): Promise<readonly unknown[]> {
  const rows = await admin`SELECT slot_name::text AS name FROM pg_replication_slots WHERE slot_name NOT LIKE 'taken%' UNION ALL SELECT pubname FROM pg_publication
    UNION ALL SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'items'`
  return rows.map(({ name }) => name as unknown)
}

async function findings(server: ServerAccess, slot = 'mine'): Promise<readonly Finding[]> {
  return (await diagnoseStream({ url: server.url() }, { slot, tables: ['items'] })).filter(({ id }) => id !== 'slots-unbounded')
}

const ids = (found: readonly Finding[]): readonly string[] => found.map(({ id, severity }) => `${severity} ${id}`)

describe.each(versions)('a server of postgres %s that can\'t be streamed from', (version) => {
  it('has a log without what decoding needs', async () => {
    await using server = await start(version, { wal_level: 'replica' })
    await using sql = look(server)
    for (const error of [await errorOf(stream(server)), await poll(server)]) {
      expect(error).toMatchObject({ code: 'LOG_UNAVAILABLE', detail: 'wal_level', retryable: false, remedy: expect.stringContaining('ALTER SYSTEM SET wal_level = \'logical\'') as unknown })
    }
    expect(ids(await findings(server))).toEqual(['error wal-level'])
    expect(await made(sql.admin)).toEqual([])
  })

  it('has no slot left', async () => {
    await using server = await start(version, { max_replication_slots: '1' })
    await using sql = look(server)
    await sql.admin`SELECT pg_create_physical_replication_slot('taken')`
    for (const error of [await errorOf(stream(server)), await poll(server)]) {
      expect(error).toMatchObject({ code: 'LOG_UNAVAILABLE', detail: 'max_replication_slots', remedy: expect.stringContaining('raise max_replication_slots') as unknown })
    }
    expect(ids(await findings(server))).toEqual(['error slots-exhausted'])
    expect(await made(sql.admin)).toEqual([])
    // With a place free again it is as always.
    await sql.admin`SELECT pg_drop_replication_slot('taken')`
    await (await stream(server))[Symbol.asyncDispose]()
    expect(await made(sql.admin)).toEqual(['mine', 'mine'])
  })

  it('has no log sender left', async () => {
    await using server = await start(version, { max_wal_senders: '1' })
    await using sql = look(server)
    await sql.admin.unsafe('CREATE PUBLICATION taken FOR TABLE items')
    await using taken = await postgresChanges({ url: server.superuserUrl(), slot: 'taken', publication: 'taken', tables: ['items'] }).connect()
    await taken.leases.acquireLease({ lease: 'a', holder: 'a', nowMs: 0, ttlMs: 1 })
    expect(await errorOf(stream(server))).toMatchObject({ code: 'LOG_UNAVAILABLE', detail: 'max_wal_senders', remedy: expect.stringContaining('Raise max_wal_senders') as unknown })
    const found = await findings(server)
    expect(ids(found)).toEqual(['error senders-exhausted'])
    expect(found[0]?.sql).toBe('ALTER SYSTEM SET max_wal_senders = 11')
    expect(ids(await findings(server, 'taken'))).toEqual(['info slot-active', 'error senders-exhausted'])
    expect(await made(sql.admin)).toEqual(['taken'])
  })

  it('has been told to keep less of its log than a slot needs', async () => {
    await using server = await start(version, { max_slot_wal_keep_size: '16MB', wal_keep_size: '0', min_wal_size: '32MB', checkpoint_timeout: '1h' })
    await using sql = look(server)
    const position = await (async () => {
      await using connection = await streamed(server)
      return connection.head()
    })()
    const state = async (): Promise<unknown> => (await sql.admin`SELECT wal_status FROM pg_replication_slots WHERE slot_name = 'mine'`)[0]?.['wal_status']
    const write = async (): Promise<void> => {
      await sql.admin`SELECT pg_logical_emit_message(false, 'fill', repeat('x', 1048576)) FROM generate_series(1, 4)`
      await sql.admin`SELECT pg_switch_wal()`
    }
    while (await state() !== 'unreserved') await write()
    expect(ids(await findings(server))).toEqual(['warning slot-filling'])
    while (await state() !== 'lost') {
      await write()
      await sql.admin`CHECKPOINT`
    }
    const found = await findings(server)
    expect(ids(found)).toEqual(['error slot-lost'])
    expect(found[0]?.sql).toBe('SELECT pg_drop_replication_slot(\'mine\')')
    // Whoever comes back is told, also when the slot was made anew for somebody else by then.
    for (const [open, detail] of [[polled, 'slot-lost'], [streamed, 'slot-ahead']] as const) {
      await using connection = await open(server)
      await expect(connection.verify(position)).rejects.toMatchObject({ code: 'CHANGE_GAP', detail })
    }
  })
})

describe.each(versions)('a standby of postgres %s', (version) => {
  it('is refused, and nothing made at it or its primary', async () => {
    await using pair = await startPostgresPair({ version })
    await using sql = look(pair.primary)
    await sql.admin.unsafe(TABLE)
    await using standby = look(pair.standby)
    const [{ lsn } = { lsn: '' }] = await sql.admin<{ lsn: string }[]>`SELECT pg_current_wal_lsn()::text AS lsn`
    while ((await standby.admin`SELECT pg_last_wal_replay_lsn() >= ${lsn}::pg_lsn AS is_there`)[0]?.['is_there'] !== true) await standby.admin`SELECT pg_sleep(0.01)`
    for (const error of [await errorOf(stream(pair.standby)), await poll(pair.standby)]) {
      expect(error).toMatchObject({ code: 'LOG_UNAVAILABLE', detail: 'standby', remedy: 'Connect to the primary.' })
    }
    expect(ids(await findings(pair.standby))).toEqual(['error standby'])
    expect(await made(sql.admin)).toEqual([])
    expect(await made(standby.admin)).toEqual([])
    // Promoted it goes on in a timeline of its own: a position of the primary is none of it.
    const positions = await Promise.all([polled, streamed].map(async (open) => {
      await using connection = await open(pair.primary)
      return connection.head()
    }))
    await standby.admin`SELECT pg_promote()`
    for (const [at, open] of [polled, streamed].entries()) {
      await using connection = await open(pair.standby)
      const position = positions[at] ?? expect.fail()
      await expect(connection.verify(position)).rejects.toMatchObject({ code: 'CHANGE_GAP', detail: 'source-changed' })
      await expect(connection.readChanges({ after: position, limit: { events: 1, bytes: 1 } })).rejects.toMatchObject({ code: 'CHANGE_GAP', detail: 'source-changed' })
    }
  })
})

describe('a server that is too old', () => {
  let server: TestServer
  beforeAll(async () => { server = await start(OLD_POSTGRES_VERSION, {}) })
  afterAll(() => server[Symbol.asyncDispose]())

  it('is refused as such, and nothing made', async () => {
    await using sql = look(server)
    for (const error of [await errorOf(stream(server)), await poll(server)]) expect(error).toMatchObject({ code: 'SERVER_UNSUPPORTED', retryable: false })
    await expect(findings(server)).rejects.toMatchObject({ code: 'SERVER_UNSUPPORTED' })
    expect(await made(sql.admin)).toEqual([])
  })
})

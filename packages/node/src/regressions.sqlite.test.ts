import { DatabaseSync } from 'node:sqlite'
import { readdirSync } from 'node:fs'
import { Replicator, type Replication, type SourceDialect } from '@tidemark/core'
import type { Commit, TargetConnection, TargetTable } from '@tidemark/core/adapter'
import { describe, expect, it } from 'vitest'
import { nodeSqliteSource } from './node-sqlite-source.ts'
import { nodeSqliteTarget } from './node-sqlite-target.ts'
import { useFolder } from './test/use-folder.ts'

const path = useFolder()
const source = (): SourceDialect => nodeSqliteSource({ path: path('source.db') })

function run(file: string, sql: string): void {
  using database = new DatabaseSync(path(file))
  database.exec(sql)
}

function all(sql: string): readonly unknown[] {
  using database = new DatabaseSync(path('copy.db'))
  return database.prepare(sql).all().map((row) => Object.values(row))
}

function replicatorOf(...replications: readonly Partial<Replication>[]): Replicator {
  return new Replicator({
    target: nodeSqliteTarget({ path: path('copy.db') }),
    replications: replications.map((options) => ({ name: 'users', source: source(), sourceTable: 'users', ...options })),
  })
}

const USERS = 'CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO users VALUES (1, \'a\'), (2, \'b\')'
const withCode = (code: string): Error => expect.objectContaining({ code }) as Error

const column = (name: string, ordinal: number, storage: 'integer' | 'text'): TargetTable['columns'][number] => ({
  name, ordinal, storage, sourceType: storage, logicalType: storage, scale: 0, nullable: false, onUnrepresentable: 'error',
})
const TABLE: TargetTable = {
  name: 'users', columns: [column('id', 1, 'integer'), column('name', 2, 'text')], key: ['id'], indexes: [], enforceUniques: false,
  deletedAtColumn: undefined, origin: 'sqlite:users',
}

async function open(): Promise<TargetConnection> {
  const connection = await nodeSqliteTarget({ path: path('copy.db') }).connect({ tablePrefix: 'tidemark_' })
  await connection.ledger.saveReplication({
    name: 'users', sourceAddress: 'x', sourceTable: 'users', targetTable: 'users', trackingColumn: 'id', syncIntervalMinutes: 1, isActive: true,
  }, 0)
  return connection
}

async function commitBy(connection: TargetConnection, holder: string, nowMs = 0): Promise<Commit> {
  const fence = await connection.ledger.acquireLease({ lease: 'replication:users', holder, nowMs, ttlMs: 1_000 })
  if (fence === undefined) throw new Error('The lease is held.')
  return { fence, checkpoint: { name: 'users', state: '', lastSyncAtMs: undefined, lastSyncValue: undefined } }
}

async function load(connection: TargetConnection, commit: Commit, table: TargetTable): Promise<void> {
  await using staged = await connection.openLoad(table, { resume: false, fence: commit.fence })
  for (const row of [[1, 'a'], [2, 'b']]) {
    for (const value of row) staged.value(value)
    staged.endRow()
  }
  await staged.commit(commit)
}

describe('a target', () => {
  it('keeps the rows that a new worker has staged from the old one that wakes up', async () => {
    await using old = await open()
    await using young = await open()
    const stale = await commitBy(old, 'old')
    const commit = await commitBy(young, 'young', 5_000)
    await load(young, commit, TABLE)
    await expect(old.openLoad(TABLE, { resume: false, fence: stale.fence })).rejects.toThrowError(withCode('LEASE_LOST'))
    await young.publishLoad(TABLE, commit)
    expect(all('SELECT * FROM users')).toEqual([[1, 'a'], [2, 'b']])
  })

  it('publishes over no table that was made by others while it loaded', async () => {
    await using connection = await open()
    const commit = await commitBy(connection, 'one')
    await load(connection, commit, TABLE)
    run('copy.db', 'CREATE TABLE USERS (mine TEXT); INSERT INTO users VALUES (\'precious\')')
    await expect(connection.publishLoad(TABLE, commit)).rejects.toThrowError(withCode('TARGET_NOT_OWNED'))
    expect(all('SELECT * FROM users')).toEqual([['precious']])
  })

  it('drops no table that it did not make', async () => {
    run('copy.db', 'CREATE TABLE users (mine TEXT)')
    run('source.db', USERS)
    await using replicator = replicatorOf({})
    await expect(replicator.remove('users', { dropTable: true })).rejects.toThrowError(withCode('TARGET_NOT_OWNED'))
    expect(all('SELECT name FROM sqlite_master WHERE name = \'users\'')).toEqual([['users']])
  })

  it('keeps a trigger whose table is written in another case', async () => {
    await using connection = await open()
    const commit = await commitBy(connection, 'one')
    await load(connection, commit, TABLE)
    await connection.publishLoad(TABLE, commit)
    run('copy.db', 'CREATE TRIGGER told AFTER INSERT ON USERS BEGIN SELECT 1; END')
    await load(connection, commit, TABLE)
    await connection.publishLoad(TABLE, commit)
    expect(all('SELECT name FROM sqlite_master WHERE type = \'trigger\'')).toEqual([['told']])
  })

  it('finds another name for an index where SQLite would take two for the same', async () => {
    await using connection = await open()
    const commit = await commitBy(connection, 'one')
    run('copy.db', 'CREATE TABLE TIDEMARK_USERS_NAME (mine TEXT)')
    const table = { ...TABLE, indexes: [{ columns: ['name'], unique: false }] }
    await load(connection, commit, table)
    await connection.publishLoad(table, commit)
    expect(all('SELECT count(*) FROM pragma_index_list(\'users\')')).toEqual([[1]])
  })

  it('publishes without the user\'s index on a column that the table has no more', async () => {
    await using connection = await open()
    const commit = await commitBy(connection, 'one')
    await load(connection, commit, TABLE)
    await connection.publishLoad(TABLE, commit)
    run('copy.db', 'CREATE INDEX mine ON users (name); CREATE INDEX kept ON users (id, abs(id))')
    const renamed = { ...TABLE, columns: [column('id', 1, 'integer'), column('title', 3, 'text')] }
    await load(connection, commit, renamed)
    await connection.publishLoad(renamed, commit)
    expect(all('SELECT name FROM pragma_index_list(\'users\')')).toEqual([['kept']])
  })

  it('leaves no image behind when the process dies', async () => {
    await using connection = await open()
    const commit = await commitBy(connection, 'one')
    await load(connection, commit, TABLE)
    // The connection is still open, as it would be at the moment of a kill.
    expect(readdirSync(path('.')).filter((name) => name.includes('load'))).toEqual([])
  })
})

describe('a replicator', () => {
  it('stays on schedule when its cursor can not be reset', async () => {
    run('source.db', USERS)
    await using replicator = replicatorOf({ mode: 'full', syncIntervalMinutes: 60 })
    await replicator.start()
    await expect(replicator.resetCursor('users')).rejects.toThrowError(withCode('NOT_SUPPORTED'))
    expect((await replicator.status())[0]).toMatchObject({ activity: 'waiting', nextSyncAtMs: expect.any(Number) as number })
  })

  it('can be started again after a stop that overtook its start', async () => {
    run('source.db', USERS)
    await using replicator = replicatorOf({ schedule: '0 0 1 1 *' })
    const started = replicator.start().catch(() => undefined)
    await replicator.stop()
    await started
    expect((await replicator.status())[0]).toMatchObject({ activity: 'stopped', nextSyncAtMs: undefined })
    await replicator.start()
    expect((await replicator.status())[0]).toMatchObject({ activity: 'waiting', nextSyncAtMs: expect.any(Number) as number })
  })

  it('begins no sync for a caller who has already given up', async () => {
    run('source.db', USERS)
    await using replicator = replicatorOf({})
    await replicator.status()
    await expect(replicator.syncNow('users', { signal: AbortSignal.abort() })).rejects.toThrowError(withCode('ABORTED'))
    expect((await replicator.status())[0]).toMatchObject({ activity: 'stopped', phase: 'new' })
    await replicator.stop()
    expect(all('SELECT count(*) FROM tidemark_replication_logs')).toEqual([[0]])
  })

  it('copies a full table once for a reconcile', async () => {
    run('source.db', USERS)
    await using replicator = replicatorOf({ mode: 'full' })
    expect(await replicator.reconcile('users')).toMatchObject({ rows: 2 })
  })

  it('leaves one runner when a replication is configured twice at once', async () => {
    run('source.db', USERS)
    await using replicator = replicatorOf({ schedule: '0 0 1 1 *' })
    await replicator.start()
    const waiting: string[] = []
    replicator.on('status:change', ({ activity }) => waiting.push(activity))
    const replication = { name: 'users', source: source(), sourceTable: 'users', schedule: '0 0 1 1 *' }
    await Promise.all([replicator.configure(replication), replicator.configure(replication)])
    await replicator.stop()
    const began = waiting.filter((activity) => activity === 'waiting').length
    expect(waiting.filter((activity) => activity === 'stopped').length).toBe(began + 1)
  })

  it('pauses a replication whose run still waits for its turn', async () => {
    run('source.db', USERS)
    let release: () => void = () => undefined
    const gate = new Promise<void>((resolve) => { release = resolve })
    const slow: SourceDialect = { ...source(), connect: async (options) => {
      await gate
      return source().connect(options)
    } }
    await using replicator = new Replicator({
      target: nodeSqliteTarget({ path: path('copy.db') }),
      concurrency: 1,
      replications: [
        { name: 'slow', source: slow, sourceTable: 'users', targetTable: 'slow' },
        { name: 'users', source: source(), sourceTable: 'users' },
      ],
    })
    await replicator.status()
    const first = replicator.syncNow('slow')
    const second = expect(replicator.syncNow('users')).rejects.toThrowError(withCode('ABORTED'))
    await replicator.pause('users')
    await second
    release()
    expect(await first).toMatchObject({ rows: 2 })
    expect((await replicator.status()).map(({ phase }) => phase)).toEqual(['live', 'new'])
  })
})

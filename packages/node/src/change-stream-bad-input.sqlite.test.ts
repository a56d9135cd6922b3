import { copyFileSync, renameSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { ChangeStream, type ChangeCheckpoint, type StateStore, type SubscribeOptions } from '@tidemark/core'
import { memoryStateStore } from '@tidemark/core/testing'
import { describe, expect, it } from 'vitest'
import { sqliteChanges, type NodeSqliteChangesOptions } from './sqlite-changes.ts'
import { Follower, StreamSubject } from './test/stream-subject.ts'
import { useFolder } from './test/use-folder.ts'

const path = useFolder()
const T = 'CREATE TABLE t (id INTEGER PRIMARY KEY, a)'
/** A coded error with a way out. */
const coded = (code: string, more: object = {}): object => ({ code, remedy: expect.stringMatching(/\w/) as string, ...more })

interface Everything {
  readonly schema: readonly unknown[]
  readonly rows: readonly unknown[]
}

function everything(name = 'data.db'): Everything {
  using database = new DatabaseSync(path(name))
  const schema = database.prepare('SELECT type, name, sql FROM sqlite_master ORDER BY name').all()
  return { schema, rows: database.prepare('SELECT * FROM t ORDER BY id').all() }
}

function make(sql: string, name = 'data.db'): void {
  using database = new DatabaseSync(path(name))
  database.exec(`PRAGMA journal_mode = WAL; ${sql}`)
}

interface Following {
  readonly follower: Follower
  readonly stream: ChangeStream
}

async function follow(store: StateStore, options: Partial<NodeSqliteChangesOptions> & { readonly onGap?: 'fail' | 'resnapshot'; readonly subscribe?: Partial<SubscribeOptions> } = {}): Promise<Following> {
  const { onGap, subscribe, ...source } = options
  const stream = new ChangeStream({ source: sqliteChanges({ path: path('data.db') }, { tables: ['t'], pollIntervalMs: 5, ...source }), checkpoints: store, snapshot: 'initial', onGap })
  const follower = new Follower()
  try {
    follower.subscription = await stream.subscribe({ id: 'follower', ...subscribe }, (batch) => follower.take(batch))
  } catch (error) {
    await stream.stop()
    throw error
  }
  return { follower, stream }
}

describe('tables that can\'t be captured', () => {
  it.each([
    ['an unknown one', ['nope'], 'TABLE_UNKNOWN'], ['an unknown one beside a known one', ['t', 'nope'], 'TABLE_UNKNOWN'], ['a view', ['v'], 'TABLE_NOT_CAPTURABLE'],
    ['a virtual table', ['f'], 'TABLE_NOT_CAPTURABLE'], ['a table of a virtual one', ['f_content'], 'TABLE_NOT_CAPTURABLE'], ['a table of SQLite', ['sqlite_sequence'], 'TABLE_NOT_CAPTURABLE'],
  ])('%s: refused, and nothing is touched', async (_what, tables, code) => {
    make(`${T}; INSERT INTO t VALUES (1, 1); CREATE VIEW v AS SELECT * FROM t; CREATE VIRTUAL TABLE f USING fts5(a); CREATE TABLE s (id INTEGER PRIMARY KEY AUTOINCREMENT)`)
    const before = everything()
    await expect(follow(memoryStateStore(), { tables })).rejects.toMatchObject(coded(code))
    expect(everything()).toEqual(before)
  })

  it('one that appears later: refused until it is there, captured from then on', async () => {
    make('CREATE TABLE other (id INTEGER PRIMARY KEY)')
    const store = memoryStateStore()
    await expect(follow(store)).rejects.toMatchObject(coded('TABLE_UNKNOWN'))
    make(T)
    const { follower, stream } = await follow(store)
    make('INSERT INTO t VALUES (1, 1)')
    await follower.until(({ events }) => events.length === 1)
    await stream.stop()
  })

  it('a database that is not there, or is none: refused, and none is made', async () => {
    const source = sqliteChanges({ path: path('none.db') }, { tables: ['t'] })
    await expect(source.connect()).rejects.toMatchObject(coded('SOURCE_UNREACHABLE'))
    expect(() => sqliteChanges(new DatabaseSync(':memory:'), { tables: ['t'] })).toThrow(expect.objectContaining(coded('NOT_SUPPORTED')) as Error)
  })
})

describe('subscribers that ask for what can\'t be', () => {
  it('an id that is in use: refused, and the first goes on', async () => {
    await using subject = new StreamSubject({ kind: 'triggers', path: path('data.db'), sql: T, tables: ['t'] })
    const first = await subject.follow()
    await expect(subject.follow()).rejects.toMatchObject(coded('SUBSCRIBER_EXISTS'))
    await subject.settled(first)
  })

  it.each([
    ['is none', () => 'not a checkpoint', 'STATE_CORRUPT'],
    ['is of a later release', () => JSON.stringify({ v: 99 }), 'STATE_NEWER'],
    ['is of another source', (own: string) => own.replace('"source":"sqlite"', '"source":"elsewhere"'), 'CHECKPOINT_FOREIGN'],
    ['is of another log', (own: string) => own.replace(/"epoch":"\w+"/, '"epoch":"000000000000"'), 'CHANGE_GAP'],
    ['is of a later place', (own: string) => own.replace(/"sequence":"\w+"/, '"sequence":"3zzzz"'), 'CHANGE_GAP'],
  ])('a checkpoint that %s: refused, and the stored one stays', async (_what, change, code) => {
    make(T)
    const store = memoryStateStore()
    const { stream } = await follow(store)
    await stream.stop()
    const before = await store.get('stream/default/sqlite/follower')
    const from = change(before?.value ?? '')
    await expect(follow(store, { subscribe: { from } })).rejects.toMatchObject(coded(code))
    expect(await store.get('stream/default/sqlite/follower')).toEqual(before)
  })

  it('a checkpoint from before the purge: a gap', async () => {
    make(T)
    const source = sqliteChanges({ path: path('data.db') }, { tables: ['t'], retention: { maxEvents: 5, whenFull: 'discard' } })
    await using connection = await source.connect()
    const old = await connection.head()
    make('INSERT INTO t WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50) SELECT i, i FROM n')
    while (await connection.purge()) await connection.head()
    const from = JSON.stringify({ v: 1, source: 'sqlite', ...old, snapshot: null })
    await expect(follow(memoryStateStore(), { subscribe: { from } })).rejects.toMatchObject(coded('CHANGE_GAP', { detail: 'log-truncated' }))
  })

  it('a second source on the log of the first: refused, and the first goes on; with a log of its own it is taken', async () => {
    make(`${T}; CREATE TABLE u (id INTEGER PRIMARY KEY, a)`)
    const source = (table: string, log?: string): ReturnType<typeof sqliteChanges> => sqliteChanges({ path: path('data.db') }, { name: `${table}${log ?? ''}`, tables: [table], log, pollIntervalMs: 5 })
    await using stream = new ChangeStream({ sources: [source('t'), source('u'), source('u', 'own')], checkpoints: memoryStateStore(), heartbeatIntervalMs: 5 })
    const [first, second] = [new Follower(), new Follower()]
    first.subscription = await stream.subscribe({ id: 'first', source: 't' }, (batch) => first.take(batch))
    await expect(stream.subscribe({ id: 'second', source: 'u' }, () => undefined)).rejects.toMatchObject(coded('LEASE_HELD'))
    second.subscription = await stream.subscribe({ id: 'second', source: 'uown' }, (batch) => second.take(batch))
    for (let id = 1; id <= 20; id += 1) {
      make(`INSERT INTO t VALUES (${id}, 1); INSERT INTO u VALUES (${id}, 1)`)
      await first.until(({ events }) => events.filter(({ table }) => table === 't').length === id)
      await second.until(({ events }) => events.filter(({ table }) => table === 'u').length === id)
    }
  })
})

it('two logs may capture one table: neither takes the other\'s triggers for the user\'s', async () => {
  make(T)
  const [one, two] = ['one', 'two'].map((log) => sqliteChanges({ path: path('data.db') }, { log, tables: ['t'] }))
  await using first = await one?.connect()
  await using second = await two?.connect()
  const positions = [await first?.head(), await second?.head()]
  make('INSERT INTO t VALUES (1, 1); REPLACE INTO t VALUES (1, 2)')
  for (const [index, connection] of [first, second].entries()) {
    const after = positions[index]
    const slice = after === undefined ? undefined : await connection?.readChanges({ after, limit: { events: 10, bytes: 1_000_000 } })
    expect(slice?.events.map(({ op }) => op)).toEqual(['insert', 'insert'])
  }
  const before = everything().schema
  await first?.head()
  await second?.head()
  expect(everything().schema).toEqual(before)
})

describe('a database file that was replaced while nobody listened', () => {
  const state = async (): Promise<{ readonly store: StateStore; readonly checkpoint: ChangeCheckpoint }> => {
    make(`${T}; INSERT INTO t VALUES (1, 'one')`)
    const store = memoryStateStore()
    const { follower, stream } = await follow(store)
    await follower.until(({ rows }) => rows.size === 1)
    await stream.stop()
    backup()
    const second = await follow(store)
    make('INSERT INTO t VALUES (2, \'two\'), (3, \'three\')')
    await second.follower.until(({ events }) => events.length === 2)
    await second.stream.stop()
    const stored = await store.get('stream/default/sqlite/follower')
    return { store, checkpoint: (stored?.value ?? '') as ChangeCheckpoint } // as a batch carried it
  }

  function backup(): void {
    make('PRAGMA wal_checkpoint(TRUNCATE)')
    copyFileSync(path('data.db'), path('backup.db'))
  }

  function restore(name = 'backup.db'): void {
    for (const suffix of ['-wal', '-shm']) rmSync(path(`data.db${suffix}`), { force: true })
    renameSync(path(name), path('data.db'))
  }

  /** Refused as it is; and with a new snapshot the copy is the table again. */
  async function expectGap(store: StateStore): Promise<void> {
    const { rows } = everything()
    const before = await store.get('stream/default/sqlite/follower')
    await expect(follow(store)).rejects.toMatchObject(coded('CHANGE_GAP', { detail: 'source-changed' }))
    expect(await store.get('stream/default/sqlite/follower')).toEqual(before)
    expect(everything().rows).toEqual(rows)
    const { follower, stream } = await follow(store, { onGap: 'resnapshot' })
    await follower.until((copy) => copy.rows.size === rows.length)
    expect([...follower.rows.values()].map((row) => ({ ...row }))).toEqual(rows.map((row) => expect.objectContaining(row as object) as object))
    await stream.stop()
  }

  it('by another one: a gap', async () => {
    const { store } = await state()
    make(`${T}; INSERT INTO t VALUES (9, 'another')`, 'other.db')
    make('PRAGMA wal_checkpoint(TRUNCATE)', 'other.db')
    restore('other.db')
    await expectGap(store)
  })

  it('by a backup: a gap', async () => {
    const { store } = await state()
    restore()
    await expectGap(store)
  })

  it.each([1, 2, 3, 30])('by a backup, to which %i changes were written since: a gap', async (writes) => {
    const { store } = await state()
    restore()
    for (let write = 1; write <= writes; write += 1) make(`INSERT INTO t VALUES (${100 + write}, 'since')`)
    await expectGap(store)
  })

  it('by itself, which is no gap', async () => {
    const { store } = await state()
    backup()
    restore()
    make('INSERT INTO t VALUES (4, \'four\')')
    const { follower, stream } = await follow(store)
    await follower.until(({ rows }) => rows.has(4))
    expect(follower.events).toHaveLength(1)
    await stream.stop()
  })
})

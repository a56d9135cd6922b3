import { DatabaseSync } from 'node:sqlite'
import type { ChangeEvent, SchemaChange } from '@tidemark/core'
import { toSequence, type ChangeConnection, type LogPosition } from '@tidemark/core/adapter'
import { describe, expect, it } from 'vitest'
import { sqliteChanges } from './sqlite-changes.ts'
import { changesOfFile } from './test/changes-of-file.ts'
import { useFolder } from './test/use-folder.ts'

const path = useFolder()
const LIMIT = { events: 100, bytes: 1_000_000 }

function open(name = 'data.db'): DatabaseSync {
  const database = new DatabaseSync(path(name))
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF')
  return database
}

interface Read {
  readonly events: readonly ChangeEvent[]
  readonly schemas: readonly SchemaChange[]
  readonly position: LogPosition
}

async function readOn(changes: ChangeConnection, after: LogPosition): Promise<Read> {
  const events: ChangeEvent[] = []
  const schemas: SchemaChange[] = []
  for (let position = after; ;) {
    const slice = await changes.readChanges({ after: position, limit: LIMIT })
    events.push(...slice.events)
    schemas.push(...slice.schemas)
    position = slice.position
    if (slice.isLast) return { events, schemas, position }
  }
}

function schemaOf(database: DatabaseSync): readonly unknown[] {
  return database.prepare('SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name').all()
}

describe('install and uninstall', () => {
  it('leave the schema as it was', async () => {
    using database = open()
    database.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, a UNIQUE); CREATE INDEX i ON t (a); CREATE TRIGGER own AFTER INSERT ON t BEGIN SELECT 1; END')
    const before = schemaOf(database)
    const changes = sqliteChanges(database, { tables: ['t'] })
    await changes.install()
    expect(await changes.status()).toMatchObject({ isInstalled: true, tables: [{ name: 't', version: 1 }] })
    expect(schemaOf(database)).not.toEqual(before)
    await changes.uninstall()
    expect(schemaOf(database)).toEqual(before)
    expect(await changes.status()).toMatchObject({ isInstalled: false, tables: [], events: 0 })
  })

  it('take one table off and keep the others', async () => {
    using database = open()
    database.exec('CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (id INTEGER PRIMARY KEY)')
    const changes = sqliteChanges(database, { tables: ['a', 'b'] })
    await using connection = await changes.connect()
    const start = await connection.head()
    await changes.uninstall({ tables: ['A'] })
    database.exec('INSERT INTO a VALUES (1); INSERT INTO b VALUES (2)')
    // A source that names only what is left: this one would capture `a` again at its next look.
    await using rest = await sqliteChanges(database, { tables: ['b'] }).connect()
    const read = await readOn(rest, start)
    expect(read.events.map(({ table, key }) => [table, key])).toEqual([['b', { id: 2 }]])
    expect(read.schemas).toMatchObject([{ table: 'a', columns: undefined }])
  })

  it('refuse a table of the log\'s name that somebody else made', async () => {
    using database = open()
    database.exec('CREATE TABLE t (id INTEGER PRIMARY KEY); CREATE TABLE tidemark_log (id INTEGER PRIMARY KEY)')
    await expect(sqliteChanges(database, { tables: ['t'] }).install()).rejects.toMatchObject({ code: 'LOG_NOT_OWNED' })
    await sqliteChanges(database, { tables: ['t'], log: 'other' }).install()
    expect(database.prepare('SELECT count(*) AS n FROM sqlite_master WHERE type = \'trigger\'').get()).toMatchObject({ n: 3 })
  })

  it('refuse the log of a later release, and leave it', async () => {
    using database = open()
    database.exec('CREATE TABLE t (id INTEGER PRIMARY KEY)')
    await sqliteChanges(database, { tables: ['t'] }).install()
    database.exec('UPDATE tidemark_log_meta SET value = 99 WHERE key = \'format\'')
    await expect(sqliteChanges(database, { tables: ['t'] }).install()).rejects.toMatchObject({ code: 'STATE_NEWER' })
  })

  it('say everything that is wrong with the options at once', () => {
    expect(() => sqliteChanges({ path: 'x' }, { tables: ['a\0b'], name: 'a b', pollIntervalMs: 0, retention: { maxEvents: 0 } })).toThrow(expect.objectContaining({
      code: 'CONFIG_INVALID', issues: [{ path: 'tables[0]' }, { path: 'name' }, { path: 'pollIntervalMs' }, { path: 'retention.maxEvents' }].map((issue) => expect.objectContaining(issue)),
    }))
    expect(() => sqliteChanges({ path: ':memory:' }, { tables: ['t'] })).toThrow(expect.objectContaining({ code: 'NOT_SUPPORTED' }))
  })
})

describe('tables of every width', () => {
  it('share one log', async () => {
    using database = open()
    const wide = Array.from({ length: 60 }, (_, index) => `c${index}`)
    database.exec(`CREATE TABLE narrow (id INTEGER PRIMARY KEY, a); CREATE TABLE wide (id INTEGER PRIMARY KEY, ${wide.join(', ')})`)
    await using changes = await sqliteChanges(database, { tables: ['narrow', 'wide'] }).connect()
    const start = await changes.head()
    database.exec('INSERT INTO narrow VALUES (1, 2); INSERT INTO wide (id, c0, c59) VALUES (1, 2, 3); UPDATE wide SET c59 = NULL; UPDATE narrow SET a = \'x\'; DELETE FROM wide')
    const { events } = await readOn(changes, start)
    expect(events.map(({ op, table }) => `${op} ${table}`)).toEqual(['insert narrow', 'insert wide', 'update wide', 'update narrow', 'delete wide'])
    expect(events[2]).toMatchObject({ before: { c0: 2n, c59: 3n }, after: { c0: 2n, c59: null }, changed: ['c59'] })
    expect(Object.keys(events[4]?.before ?? {})).toHaveLength(61)
  })

  it('are refused where the log can have no room for them', async () => {
    using database = open()
    database.exec(`CREATE TABLE t (${Array.from({ length: 99 }, (_, index) => `c${index}`).join(', ')})`)
    await expect(changesOfFile(path('data.db'), { tables: ['t'], maxColumns: 100 }).install()).rejects.toMatchObject({ code: 'TABLE_NOT_CAPTURABLE' })
  })
})

describe('alter', () => {
  it('drops a column, which the triggers alone would forbid, and tells no table that did not change', async () => {
    using database = open()
    database.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, a, b); CREATE TABLE o (id INTEGER PRIMARY KEY)')
    const source = sqliteChanges(database, { tables: ['t', 'o'] })
    await using changes = await source.connect()
    const start = await changes.head()
    expect(() => database.exec('ALTER TABLE t DROP COLUMN a')).toThrow(/no such column/)
    await source.alter('ALTER TABLE t DROP COLUMN a')
    database.exec('INSERT INTO t VALUES (1, 2); INSERT INTO o VALUES (3)')
    const { events, schemas } = await readOn(changes, start)
    expect(schemas).toMatchObject([{ table: 't', version: 2, columns: [{ name: 'id' }, { name: 'b' }] }])
    expect(events.map(({ after }) => after)).toEqual([{ id: 1, b: 2n }, { id: 3 }])
  })

  it('gives all rows of a table that was made anew and renamed', async () => {
    using database = open()
    database.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT); INSERT INTO t VALUES (1, \'x\'), (2, \'y\')')
    const source = sqliteChanges(database, { tables: ['t'] })
    await using changes = await source.connect()
    const start = await changes.head()
    await source.alter([
      'CREATE TABLE t_new (id INTEGER PRIMARY KEY, a TEXT NOT NULL, n INT DEFAULT 7)', 'INSERT INTO t_new (id, a) SELECT id, upper(a) FROM t',
      'DROP TABLE t', 'ALTER TABLE t_new RENAME TO t',
    ])
    database.exec('INSERT INTO t (id, a, n) VALUES (3, \'z\', 0)')
    const { events, schemas } = await readOn(changes, start)
    expect(schemas.at(-1)).toMatchObject({ table: 't', version: 2, columns: [{ name: 'id' }, { name: 'a' }, { name: 'n' }] })
    expect(events.map(({ op, after }) => [op, after])).toEqual([
      ['truncate', null], ['insert', { id: 1, a: 'X', n: 7 }], ['insert', { id: 2, a: 'Y', n: 7 }], ['insert', { id: 3, a: 'z', n: 0 }],
    ])
  })

  it('does nothing at all when a statement fails', async () => {
    using database = open()
    database.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, a)')
    const source = sqliteChanges(database, { tables: ['t'] })
    await source.install()
    const before = schemaOf(database)
    await expect(source.alter(['ALTER TABLE t ADD COLUMN b', 'ALTER TABLE t DROP COLUMN missing'])).rejects.toMatchObject({ code: 'SOURCE_FAILED' })
    expect(schemaOf(database)).toEqual(before)
  })
})

describe('a unique column that is generated', () => {
  it.each(['STORED', 'VIRTUAL'])('tells what an update replaces, whatever of it the statement names: %s', async (storage) => {
    using database = open()
    database.exec(`CREATE TABLE t (id INTEGER PRIMARY KEY, u TEXT, v INT, g TEXT AS (u || '/' || v) ${storage} UNIQUE); INSERT INTO t (id, u, v) VALUES (1, 'a', 1), (2, 'a', 2)`)
    await using connection = await sqliteChanges(database, { tables: ['t'] }).connect()
    const start = await connection.head()
    database.exec('UPDATE OR REPLACE t SET v = 1 WHERE id = 2')
    const { events } = await readOn(connection, start)
    expect(events.map(({ op, key }) => [op, key])).toEqual([['delete', { id: 1 }], ['update', { id: 2 }]])
  })
})

describe('what cannot be captured exactly', () => {
  it('is a gap where a table was dropped and made anew unseen', async () => {
    using database = open()
    database.exec('CREATE TABLE t (id INTEGER PRIMARY KEY)')
    await using changes = await sqliteChanges(database, { tables: ['t'] }).connect()
    const start = await changes.head()
    database.exec('DROP TABLE t; CREATE TABLE t (id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES (1, 2)')
    await expect(changes.readChanges({ after: start, limit: LIMIT })).rejects.toMatchObject({ code: 'CHANGE_GAP', detail: 'table-replaced' })
    const again = await changes.head()
    database.exec('INSERT INTO t VALUES (2, 3)')
    expect((await readOn(changes, again)).events).toMatchObject([{ op: 'insert', after: { id: 2, a: 3n } }])
  })

  it('is put right where a trigger of the user\'s, made after ours, fired first', async () => {
    using database = open()
    database.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, n INT)')
    await using changes = await sqliteChanges(database, { tables: ['t'] }).connect()
    const start = await changes.head()
    database.exec('CREATE TRIGGER later AFTER INSERT ON t BEGIN UPDATE t SET n = n + 1 WHERE id = new.id; DELETE FROM t WHERE id = 2; END')
    database.exec('INSERT INTO t VALUES (1, 10); INSERT INTO t VALUES (2, 20)')
    const { events, position } = await readOn(changes, start)
    expect(events.findLast(({ key }) => key?.['id'] === 1)).toMatchObject({ op: 'update', after: { id: 1, n: 11 } })
    expect(events.findLast(({ key }) => key?.['id'] === 2)).toMatchObject({ op: 'delete' })
    database.exec('INSERT INTO t VALUES (3, 30)')
    expect((await readOn(changes, position)).events.map(({ op }) => op)).toEqual(['insert', 'update'])
  })
})

describe('the log', () => {
  it('is purged below what consumers need, in bites, and never to its end', async () => {
    using database = open()
    database.exec('CREATE TABLE t (id INTEGER PRIMARY KEY)')
    await using changes = await sqliteChanges(database, { tables: ['t'] }).connect()
    const start = await changes.head()
    const fence = await changes.leases.acquireLease({ lease: 'stream/a', holder: 'me', nowMs: 0, ttlMs: 1_000 })
    if (fence === undefined) throw new Error('the lease was not given')
    await changes.retain({ consumer: 'a', position: start, fence })
    database.exec('WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000) INSERT INTO t SELECT i FROM n')
    await changes.purge()
    expect((await readOn(changes, start)).events).toHaveLength(12_000)
    const end = await changes.head()
    await changes.retain({ consumer: 'a', position: end, fence })
    let bites = 1
    while (await changes.purge()) bites += 1
    expect(bites).toBeGreaterThan(2)
    expect(database.prepare('SELECT count(*) AS n FROM tidemark_log').get()).toEqual({ n: 1 })
    await expect(changes.verify(start)).rejects.toMatchObject({ code: 'CHANGE_GAP', detail: 'log-truncated' })
    await changes.verify(end)
    database.exec('INSERT INTO t VALUES (20000)')
    expect((await readOn(changes, end)).events).toHaveLength(1)
  })

  it('drops the oldest beyond its limit where it is told to, and tells who needed them', async () => {
    using database = open()
    database.exec('CREATE TABLE t (id INTEGER PRIMARY KEY)')
    await using changes = await sqliteChanges(database, { tables: ['t'], retention: { maxEvents: 10, whenFull: 'discard' } }).connect()
    const start = await changes.head()
    for (let id = 1; id <= 30; id += 1) database.exec(`INSERT INTO t VALUES (${id})`)
    await changes.purge()
    await expect(changes.readChanges({ after: start, limit: LIMIT })).rejects.toMatchObject({ code: 'CHANGE_GAP', detail: 'log-truncated' })
    expect(database.prepare('SELECT count(*) AS n FROM tidemark_log').get()).toEqual({ n: 10 })
  })

  it('knows a database that was restored and written to past the position', async () => {
    {
      using database = open()
      database.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, a)')
      await sqliteChanges(database, { tables: ['t'] }).install()
      database.exec('INSERT INTO t VALUES (1, 0); PRAGMA wal_checkpoint(TRUNCATE); VACUUM INTO \'' + path('backup.db') + '\'')
      database.exec('INSERT INTO t VALUES (2, \'lost\')')
    }
    await using before = await sqliteChanges({ path: path('data.db') }, { tables: ['t'] }).connect()
    const position = await before.head()
    using restored = open('backup.db')
    restored.exec('INSERT INTO t VALUES (2, \'other\'), (3, 0), (4, 0)')
    await using after = await sqliteChanges({ path: path('backup.db') }, { tables: ['t'] }).connect()
    await expect(after.verify(position)).rejects.toMatchObject({ code: 'CHANGE_GAP', detail: 'source-changed' })
  })
})

describe('the place of a change in its transaction', () => {
  it('counts changes from 0, also behind marks of the log and from slice to slice', async () => {
    using database = open()
    database.exec('CREATE TABLE t (id INTEGER PRIMARY KEY)')
    const source = sqliteChanges(database, { tables: ['t'] })
    await source.install()
    database.exec('INSERT INTO t VALUES (1), (2), (3), (4), (5)')
    await using changes = await source.connect()
    const { epoch } = await changes.head()
    const places: unknown[] = []
    for (let after: LogPosition = { epoch, sequence: toSequence(0), detail: '' }; ;) {
      const slice = await changes.readChanges({ after, limit: { events: 2, bytes: 1_000_000 } })
      places.push(...slice.events.map(({ tx }) => [tx.sequence, tx.last]))
      after = slice.position
      if (slice.isLast) break
    }
    expect(places).toEqual([[0, false], [1, false], [2, false], [3, false], [4, true]])
  })
})

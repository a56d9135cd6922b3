import { DatabaseSync } from 'node:sqlite'
import { sessionChanges } from '@tidemark/node'
import { describe, expect, it, vi } from 'vitest'
import { useFolder } from '../test/use-folder.ts'
import { SessionSubject } from './test/session-subject.ts'

const path = useFolder()
const TABLE = 'CREATE TABLE t (id INTEGER PRIMARY KEY, a, b TEXT); INSERT INTO t VALUES (1, 1, \'x\')'
const withCode = (code: string, more = {}): Error => expect.objectContaining({ code, ...more }) as Error

describe('what is captured', () => {
  it('gives a transaction whole, its images full, with its own boundaries', async () => {
    await using subject = await SessionSubject.open(TABLE)
    subject.write('INSERT INTO t VALUES (2, 2.0, NULL); UPDATE t SET b = \'y\' WHERE id = 1')
    subject.write('DELETE FROM t WHERE id = 2')
    const [update, insert, remove] = await subject.events()
    expect(insert).toMatchObject({ op: 'insert', table: 't', schema: 'main', key: { id: 2 }, before: null, beforeKind: 'none', after: { id: 2, a: 2, b: null } })
    expect(update).toMatchObject({ op: 'update', key: { id: 1 }, before: { id: 1, a: 1n, b: 'x' }, beforeKind: 'full', after: { id: 1, a: 1n, b: 'y' }, changed: ['b'], unavailable: [] })
    expect(remove).toMatchObject({ op: 'delete', key: { id: 2 }, before: { id: 2, a: 2, b: null }, after: null, tx: { sequence: 0, last: true } })
    expect(insert?.tx.id).toBe(update?.tx.id)
    expect([update, insert].map((event) => [event?.tx.sequence, event?.tx.last])).toEqual([[0, false], [1, true]])
    expect(remove?.tx.id).not.toBe(insert?.tx.id)
    expect(typeof remove?.tx.committedAtMs).toBe('number')
  })

  it('merges what is written outside of transaction() between two looks', async () => {
    await using subject = await SessionSubject.open(TABLE)
    subject.database.exec('UPDATE t SET a = 2')
    subject.database.exec('UPDATE t SET a = 3')
    expect(await subject.changes()).toEqual([['update', { id: 1, a: 1n, b: 'x' }, { id: 1, a: 3n, b: 'x' }]])
  })

  it('keeps what was written outside apart from the transaction that follows', async () => {
    await using subject = await SessionSubject.open(TABLE)
    subject.database.exec('UPDATE t SET a = 2')
    subject.write('UPDATE t SET a = 3')
    expect((await subject.changes()).map(([, , after]) => after)).toEqual([{ id: 1, a: 2n, b: 'x' }, { id: 1, a: 3n, b: 'x' }])
  })

  it('shows nothing of an open transaction, its savepoints or its failed statements', async () => {
    await using subject = await SessionSubject.open(`${TABLE}; CREATE UNIQUE INDEX u ON t (b)`)
    subject.database.exec('BEGIN; INSERT INTO t VALUES (5, 5, \'five\'); SAVEPOINT s; INSERT INTO t VALUES (6, 6, \'six\'); ROLLBACK TO s; RELEASE s')
    expect(() => subject.database.exec('INSERT INTO t VALUES (7, 7, \'seven\'), (8, 8, \'five\')')).toThrow()
    expect(() => subject.database.exec('INSERT OR FAIL INTO t VALUES (9, 9, \'nine\'), (10, 10, \'five\')')).toThrow()
    expect(await subject.changes()).toEqual([])
    await expect(subject.chunk()).rejects.toThrow(withCode('SOURCE_BUSY', { retryable: true }))
    subject.database.exec('COMMIT')
    expect((await subject.events()).map(({ op, after }) => `${op} ${Object.values(after ?? {}).join()}`).toSorted()).toEqual(['insert 5,5,five', 'insert 9,9,nine'])
    subject.database.exec('BEGIN; DELETE FROM t; ROLLBACK')
    expect(await subject.changes()).toEqual([])
  })

  it('sees rows that REPLACE evicts, cascades and what triggers write', async () => {
    await using subject = await SessionSubject.open(`
      CREATE TABLE t (id INTEGER PRIMARY KEY, a, b TEXT UNIQUE); CREATE TABLE c (id INTEGER PRIMARY KEY, t REFERENCES t ON DELETE CASCADE);
      CREATE TRIGGER g AFTER DELETE ON c BEGIN INSERT INTO t VALUES (100 + old.id, 0, NULL); END;
      PRAGMA foreign_keys = ON; INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y'); INSERT INTO c VALUES (7, 1)`, { tables: ['t', 'c'] })
    subject.write('INSERT OR REPLACE INTO t VALUES (5, 5, \'y\'); DELETE FROM t WHERE id = 1')
    const seen = (await subject.events()).map(({ op, table, key }) => `${table} ${op} ${Object.values(key ?? {}).join()}`)
    expect(seen.toSorted()).toEqual(['c delete 7', 't delete 1', 't delete 2', 't insert 107', 't insert 5'])
  })

  it('gives nothing for what changed nothing in the end', async () => {
    await using subject = await SessionSubject.open(TABLE)
    subject.write('UPDATE t SET a = a; INSERT INTO t VALUES (2, 0, NULL); DELETE FROM t WHERE id = 2')
    expect(await subject.changes()).toEqual([])
    expect((await subject.connection.head()).sequence).toBe(subject.position.sequence)
  })

  it('gives a key that changed to an equal one by collation as one moved row', async () => {
    await using subject = await SessionSubject.open('CREATE TABLE t (k TEXT COLLATE NOCASE PRIMARY KEY, v); INSERT INTO t VALUES (\'a\', 1)')
    subject.write('UPDATE t SET k = \'A\'')
    expect(await subject.changes()).toEqual([['update', { k: 'a', v: 1n }, { k: 'A', v: 1n }]])
    subject.write('UPDATE t SET k = \'a\', v = 2')
    expect(await subject.changes()).toEqual([['update', { k: 'A', v: 1n }, { k: 'a', v: 2n }]])
  })

  it('takes other changes of the key for a deleted and an inserted row', async () => {
    await using subject = await SessionSubject.open(TABLE)
    subject.write('UPDATE t SET id = 9')
    expect((await subject.events()).map(({ op, key }) => [op, { ...key }]).toSorted()).toEqual([['delete', { id: 1 }], ['insert', { id: 9 }]])
  })

  it('gives deletes first, so that a unique value is free before another row takes it', async () => {
    await using subject = await SessionSubject.open('CREATE TABLE t (id INTEGER PRIMARY KEY, u UNIQUE); INSERT INTO t VALUES (1, \'x\'), (2, \'y\'), (3, \'z\')')
    subject.write('INSERT OR REPLACE INTO t VALUES (4, \'x\'); DELETE FROM t WHERE id = 2; UPDATE t SET u = \'y\' WHERE id = 3')
    expect((await subject.events()).map(({ op }) => op)).toEqual(['delete', 'delete', 'update', 'insert'])
  })

  it('works without rowid and with composite keys, whatever their order', async () => {
    await using subject = await SessionSubject.open('CREATE TABLE t (v, b INT, a TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID; INSERT INTO t VALUES (1, 2, \'p\'), (1, 1, \'p\'), (1, 1, \'o\')')
    subject.write('UPDATE t SET v = 2 WHERE b = 2')
    const [event] = await subject.events()
    expect(Object.entries(event?.key ?? {})).toEqual([['a', 'p'], ['b', 2]])
    const first = await subject.chunk('t', undefined, { events: 2, bytes: 1e9 })
    const second = await subject.chunk('t', first.last)
    expect([...first.events, ...second.events].map(({ key }) => Object.values(key ?? {}))).toEqual([['o', 1], ['p', 1], ['p', 2]])
  })

  it('captures more tables than have a session of their own, and no others', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f']
    await using subject = await SessionSubject.open(names.map((name) => `CREATE TABLE ${name} (id INTEGER PRIMARY KEY)`).join(';'), { tables: names.slice(0, 5) })
    subject.write(names.map((name) => `INSERT INTO ${name} VALUES (1)`).join(';'))
    expect((await subject.events()).map(({ table }) => table).toSorted()).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  it('leaves temporary tables of the same name out', async () => {
    await using subject = await SessionSubject.open(TABLE)
    subject.database.exec('CREATE TEMP TABLE t (id INTEGER PRIMARY KEY, a, b TEXT); INSERT INTO temp.t VALUES (50, 0, NULL)')
    subject.write('INSERT INTO main.t VALUES (2, 0, NULL)')
    expect((await subject.events()).map(({ key }) => ({ ...key }))).toEqual([{ id: 2 }])
  })

  it('never sees a row whose key has a NULL, in no image of the table', async () => {
    await using subject = await SessionSubject.open('CREATE TABLE t (k TEXT PRIMARY KEY, v); INSERT INTO t VALUES (NULL, 1), (\'a\', 1)')
    subject.write('UPDATE t SET v = 2')
    expect((await subject.events()).map(({ key }) => ({ ...key }))).toEqual([{ k: 'a' }])
    expect((await subject.chunk()).events.map(({ key }) => ({ ...key }))).toEqual([{ k: 'a' }])
  })

  it('computes generated columns of both images', async () => {
    await using subject = await SessionSubject.open('CREATE TABLE t (id INTEGER PRIMARY KEY, v AS (a || \'!\'), a TEXT, s INT AS (length(a)) STORED, b); INSERT INTO t (id, a) VALUES (1, \'x\')')
    subject.write('UPDATE t SET a = \'yy\' WHERE id = 1')
    expect(await subject.events()).toMatchObject([{ before: { v: 'x!', s: 1 }, after: { v: 'yy!', s: 2 }, changed: ['a', 'v', 's'], unavailable: [] }])
    expect((await subject.chunk()).events).toMatchObject([{ after: { id: 1, v: 'yy!', a: 'yy', s: 2, b: null } }])
  })

  it('names generated columns as unavailable where only the application can compute them', async () => {
    await using subject = await SessionSubject.open('CREATE TABLE t (id INTEGER PRIMARY KEY, a)')
    subject.database.function('twice', { deterministic: true }, (value) => Number(value) * 2)
    subject.database.exec('DROP TABLE t; CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, g AS (twice(a)))')
    const source = sessionChanges(subject.database, { tables: ['t'] })
    await using connection = await source.connect()
    const after = await connection.head()
    source.transaction(() => subject.database.exec('INSERT INTO t VALUES (1, 2)'))
    const { events } = await connection.readChanges({ after, limit: { events: 10, bytes: 1e6 } })
    expect(events.map(({ after, unavailable }) => ({ after: { ...after }, unavailable }))).toEqual([{ after: { id: 1, a: 2 }, unavailable: ['g'] }])
  })

  it('takes columns of any name', async () => {
    await using subject = await SessionSubject.open('CREATE TABLE t (id INTEGER PRIMARY KEY, "__proto__", "constructor", "a ""b"" c")')
    subject.write('INSERT INTO t VALUES (1, \'p\', \'c\', \'q\')')
    const [event] = await subject.events()
    expect(Object.entries(event?.after ?? {})).toEqual([['id', 1], ['__proto__', 'p'], ['constructor', 'c'], ['a "b" c', 'q']])
  })
})

describe('values that are no text', () => {
  const BROKEN = 'INSERT INTO t VALUES (2, CAST(x\'61ff\' AS TEXT), NULL)'

  it('stop the reader before them, and nobody else', async () => {
    await using subject = await SessionSubject.open(TABLE)
    subject.write('UPDATE t SET a = 2')
    subject.write(BROKEN)
    expect(await subject.slice()).toMatchObject({ events: [{ op: 'update' }], isLast: false })
    await expect(subject.slice()).rejects.toThrow(withCode('VALUE_UNREPRESENTABLE'))
    await expect(subject.slice()).rejects.toThrow(withCode('VALUE_UNREPRESENTABLE'))
    await expect(subject.chunk()).rejects.toThrow(withCode('VALUE_UNREPRESENTABLE'))
  })

  it('become text or NULL where the user says so, in change and snapshot alike', async () => {
    for (const [policy, value] of [['text', 'a\uFFFD'], ['null', null]] as const) {
      await using subject = await SessionSubject.open(`${TABLE}; ${BROKEN}`, { onUnrepresentable: policy })
      subject.write('UPDATE t SET b = \'z\' WHERE id = 2')
      expect(await subject.changes()).toEqual([['update', { id: 2, a: value, b: null }, { id: 2, a: value, b: 'z' }]])
      expect((await subject.chunk()).events.map(({ after }) => after?.['a'])).toEqual([1n, value])
    }
  })

  it('become text where they are inserted or changed, but never in a key', async () => {
    await using subject = await SessionSubject.open('CREATE TABLE t (k TEXT PRIMARY KEY, a)', { onUnrepresentable: 'text' })
    subject.write('INSERT INTO t VALUES (\'x\', CAST(x\'61ff\' AS TEXT))')
    expect(await subject.changes()).toEqual([['insert', null, { k: 'x', a: 'a\uFFFD' }]])
    subject.write('INSERT INTO t VALUES (CAST(x\'61ff\' AS TEXT), 1)')
    await expect(subject.slice()).rejects.toThrow(withCode('VALUE_UNREPRESENTABLE'))
    await expect(subject.chunk()).rejects.toThrow(withCode('VALUE_UNREPRESENTABLE'))
  })

  it('are not mistaken for the character that stands for them', async () => {
    await using subject = await SessionSubject.open(`${TABLE}; INSERT INTO t VALUES (2, char(0xfffd), char(0xfffd) || 'x')`)
    subject.write('UPDATE t SET a = 3 WHERE id = 2')
    expect(await subject.changes()).toEqual([['update', { id: 2, a: '\uFFFD', b: '\uFFFDx' }, { id: 2, a: 3n, b: '\uFFFDx' }]])
  })

  it('are told from texts in UTF-16 too', async () => {
    await using subject = await SessionSubject.open(`PRAGMA encoding = 'UTF-16le'; ${TABLE}; UPDATE t SET b = char(0xfffd) || 'é'`)
    subject.write('UPDATE t SET a = 3')
    expect(await subject.changes()).toEqual([['update', { id: 1, a: 1n, b: '\uFFFDé' }, { id: 1, a: 3n, b: '\uFFFDé' }]])
  })
})

describe('tables that can not be captured', () => {
  it.each([
    ['TABLE_UNKNOWN', 'nowhere'], ['TABLE_NOT_CAPTURABLE', 'keyless'], ['TABLE_NOT_CAPTURABLE', 'seen'],
    ['TABLE_NOT_CAPTURABLE', 'texts'], ['TABLE_NOT_CAPTURABLE', 'texts_content'], ['TABLE_UNKNOWN', 'temporary'],
  ])('%s for %s, and nothing is left behind', async (code, table) => {
    using database = new DatabaseSync(':memory:')
    database.exec('CREATE TABLE keyless (a); CREATE VIEW seen AS SELECT 1; CREATE VIRTUAL TABLE texts USING fts5(a); CREATE TEMP TABLE temporary (id INTEGER PRIMARY KEY)')
    database.exec('CREATE TABLE t (id INTEGER PRIMARY KEY)')
    const marks = (): unknown => database.prepare('SELECT count(*) AS n FROM temp.sqlite_master WHERE type = \'trigger\'').get()
    await expect(sessionChanges(database, { tables: ['t', table] }).connect()).rejects.toThrow(withCode(code))
    expect(marks()).toEqual({ n: 0 })
  })

  it('refuses bad options by name', () => {
    using database = new DatabaseSync(':memory:')
    expect(() => sessionChanges(database, { tables: [] })).toThrow(withCode('CONFIG_INVALID'))
    expect(() => sessionChanges(database, { tables: ['t', 'T'], maxBufferedBytes: 0 })).toThrow(withCode('CONFIG_INVALID', {
      issues: [expect.objectContaining({ path: 'tables[1]' }), expect.objectContaining({ path: 'maxBufferedBytes' })],
    }))
    expect(() => sessionChanges(database, { tables: ['temp.t'] })).toThrow(withCode('TABLE_NOT_CAPTURABLE'))
  })

  it('waits for an open transaction to end', async () => {
    using database = new DatabaseSync(':memory:')
    database.exec(`${TABLE}; BEGIN`)
    const source = sessionChanges(database, { tables: ['t'] })
    await expect(source.connect()).rejects.toThrow(withCode('SOURCE_BUSY', { retryable: true }))
    database.exec('COMMIT')
    await (await source.connect())[Symbol.asyncDispose]()
  })
})

describe('changed tables', () => {
  it('tells of added, renamed and dropped columns before the first change that has them', async () => {
    await using subject = await SessionSubject.open(TABLE)
    subject.write('UPDATE t SET a = 2')
    subject.database.exec('ALTER TABLE t ADD COLUMN c DEFAULT 7')
    subject.write('UPDATE t SET a = 3')
    expect(await subject.slice()).toMatchObject({ schemas: [], events: [{ after: { a: 2n } }], isLast: false })
    expect(await subject.slice()).toMatchObject({
      schemas: [{ table: 't', version: 2, columns: [{ name: 'id' }, { name: 'a' }, { name: 'b' }, { name: 'c' }] }], events: [{ after: { a: 3n, c: 7n }, source: { schemaVersion: 2 } }],
    })
    subject.database.exec('ALTER TABLE t RENAME COLUMN a TO aa; ALTER TABLE t DROP COLUMN b')
    subject.write('UPDATE t SET c = 8')
    expect(await subject.slice()).toMatchObject({ schemas: [{ version: 3 }], events: [{ before: { id: 1, aa: 3n, c: 7n }, after: { id: 1, aa: 3n, c: 8n } }] })
  })

  it('is exact for a column added between the writes of one transaction', async () => {
    await using subject = await SessionSubject.open(TABLE)
    subject.write('UPDATE t SET a = 2; ALTER TABLE t ADD COLUMN c DEFAULT 7; UPDATE t SET c = 8')
    expect(await subject.slice()).toMatchObject({ schemas: [{ version: 2 }], events: [{ before: { a: 1n, c: 7n }, after: { a: 2n, c: 8n } }] })
  })

  it('never gives a value under another column: such a transaction is a gap', async () => {
    for (const ddl of ['ALTER TABLE t RENAME COLUMN a TO c', 'ALTER TABLE t DROP COLUMN a; ALTER TABLE t ADD COLUMN c', 'ALTER TABLE t DROP COLUMN a']) {
      await using subject = await SessionSubject.open(TABLE)
      subject.write(`UPDATE t SET b = 'y', a = 9; ${ddl}`)
      await expect(subject.slice()).rejects.toThrow(withCode('CHANGE_GAP', { detail: 'capture-failed' }))
      subject.position = await subject.connection.head()
      subject.write('UPDATE t SET b = \'z\'')
      expect(await subject.changes()).toHaveLength(1)
    }
  })

  it('forgets the columns of a transaction that was rolled back', async () => {
    await using subject = await SessionSubject.open(TABLE)
    expect(() => subject.source.transaction(() => {
      subject.database.exec('ALTER TABLE t ADD COLUMN c; UPDATE t SET c = 1')
      throw new RangeError('no')
    })).toThrow(RangeError)
    subject.write('UPDATE t SET a = 2')
    expect(await subject.slice()).toMatchObject({ schemas: [], events: [{ source: { schemaVersion: 1 }, after: { a: 2n } }] })
  })

  it('tells that a table is gone, and of a gap when another takes its name', async () => {
    await using subject = await SessionSubject.open(TABLE)
    subject.write('UPDATE t SET a = 2; DROP TABLE t')
    expect(await subject.slice()).toMatchObject({ events: [], schemas: [{ table: 't', columns: undefined }] })
    expect(await subject.connection.tables()).toEqual([])
    await expect(subject.chunk()).rejects.toThrow(withCode('TABLE_UNKNOWN'))
    subject.write(TABLE)
    await expect(subject.slice()).rejects.toThrow(withCode('CHANGE_GAP', { detail: 'table-replaced' }))
    subject.position = await subject.connection.head()
    subject.write('UPDATE t SET a = 3')
    expect((await subject.changes()).at(-1)).toEqual(['update', { id: 1, a: 1n, b: 'x' }, { id: 1, a: 3n, b: 'x' }])
  })

  it.each([
    'CREATE TABLE n (id INTEGER PRIMARY KEY, a, b TEXT); INSERT INTO n VALUES (1, 2, \'x\'); DROP TABLE t; ALTER TABLE n RENAME TO t',
    'DROP TABLE t; CREATE TABLE t (id INTEGER PRIMARY KEY, a, b TEXT)',
  ])('is a gap when the table was made anew: %s', async (ddl) => {
    await using subject = await SessionSubject.open(TABLE)
    subject.write(ddl)
    await expect(subject.slice()).rejects.toThrow(withCode('CHANGE_GAP', { detail: 'table-replaced' }))
  })

  it('is none after VACUUM or a new index', async () => {
    await using subject = await SessionSubject.open(`CREATE TABLE z (a); ${TABLE}; DROP TABLE z`, { path: path('v.db') })
    subject.database.exec('VACUUM; CREATE INDEX i ON t (a); VACUUM')
    subject.write('UPDATE t SET a = 2')
    expect(await subject.changes()).toHaveLength(1)
  })
})

describe('gaps', () => {
  it('notices another connection\'s write, at the very end of the log too', async () => {
    await using subject = await SessionSubject.open(TABLE, { path: path('f.db') })
    subject.write('UPDATE t SET a = 2')
    await subject.events()
    using other = new DatabaseSync(path('f.db'))
    other.exec('UPDATE t SET a = 5')
    await expect(subject.connection.verify(subject.position)).rejects.toThrow(withCode('CHANGE_GAP', { detail: 'foreign-write' }))
    await expect(subject.slice()).rejects.toThrow(withCode('CHANGE_GAP', { detail: 'foreign-write' }))
    subject.position = await subject.connection.head()
    subject.write('UPDATE t SET a = 6')
    expect(await subject.changes()).toEqual([['update', { id: 1, a: 5n, b: 'x' }, { id: 1, a: 6n, b: 'x' }]])
  })

  it('notices it before a transaction, and records that one', async () => {
    await using subject = await SessionSubject.open(TABLE, { path: path('g.db') })
    subject.database.exec('UPDATE t SET b = \'lost in the gap\'')
    using other = new DatabaseSync(path('g.db'))
    other.exec('UPDATE t SET a = 5')
    subject.write('UPDATE t SET a = 6')
    await expect(subject.slice()).rejects.toThrow(withCode('CHANGE_GAP', { detail: 'foreign-write' }))
  })

  it('lets go of unread changes beyond the budget, and never fails the writer', async () => {
    await using subject = await SessionSubject.open(TABLE, { maxBufferedBytes: 4_000 })
    for (let index = 0; index < 50; index += 1) subject.write(`UPDATE t SET a = ${index + 100}`)
    subject.write('WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 500) INSERT INTO t SELECT i, i, \'b\' FROM n')
    expect(subject.database.prepare('SELECT count(*) AS n FROM t').get()).toEqual({ n: 492 })
    await expect(subject.slice()).rejects.toThrow(withCode('CHANGE_GAP', { detail: 'overflow' }))
    subject.position = await subject.connection.head()
    subject.write('UPDATE t SET a = 0 WHERE id = 1')
    expect(await subject.changes()).toHaveLength(1)
  })

  it('never overflows for a reader that keeps up', async () => {
    await using subject = await SessionSubject.open(TABLE, { maxBufferedBytes: 4_000 })
    for (let index = 0; index < 50; index += 1) {
      subject.write(`UPDATE t SET a = ${index + 100}`)
      expect(await subject.changes()).toHaveLength(1)
    }
  })

  it('knows a position of an earlier process from one of another database', async () => {
    const start = path('e.db')
    const position = await (async () => {
      await using subject = await SessionSubject.open(TABLE, { path: start })
      return subject.position
    })()
    await using again = await SessionSubject.open('SELECT 1', { path: start })
    await expect(again.connection.verify(position)).rejects.toThrow(withCode('CHANGE_GAP', { detail: 'earlier-process' }))
    await using other = await SessionSubject.open(TABLE, { path: path('other.db') })
    await expect(other.connection.verify(position)).rejects.toThrow(withCode('CHECKPOINT_FOREIGN'))
    await expect(other.connection.readChanges({ after: { ...other.position, epoch: 'x' }, limit: { events: 1, bytes: 1 } })).rejects.toThrow(withCode('CHECKPOINT_FOREIGN'))
  })

  it('goes on in the same process after a pause in which nobody wrote, and is a gap otherwise', async () => {
    await using subject = await SessionSubject.open(TABLE)
    subject.write('UPDATE t SET a = 2')
    await subject.connection[Symbol.asyncDispose]()
    const limit = { events: 10, bytes: 1e6 }
    const second = await subject.source.connect()
    expect(await second.readChanges({ after: subject.position, limit })).toMatchObject({ events: [{ after: { a: 2n } }] })
    await second[Symbol.asyncDispose]()
    subject.source.transaction(() => subject.database.exec('UPDATE t SET a = 3'))
    await using third = await subject.source.connect()
    await expect(third.readChanges({ after: subject.position, limit })).rejects.toThrow(withCode('CHANGE_GAP', { detail: 'not-recorded' }))
  })
})

describe('transaction()', () => {
  it('returns, throws and rolls back as the function says', async () => {
    await using subject = await SessionSubject.open(TABLE)
    const { database, source } = subject
    expect(source.transaction(() => database.prepare('UPDATE t SET a = 2 RETURNING a').get())).toEqual({ a: 2 })
    const fault = new RangeError('mine')
    expect(() => source.transaction(() => {
      database.exec('DELETE FROM t')
      throw fault
    })).toThrow(fault)
    expect(database.isTransaction).toBe(false)
    expect(await subject.changes()).toHaveLength(1)
  })

  it('runs a nested call in a savepoint of the outer transaction', async () => {
    await using subject = await SessionSubject.open(TABLE)
    const { database, source } = subject
    source.transaction(() => {
      database.exec('UPDATE t SET a = 2')
      expect(() => source.transaction(() => {
        database.exec('UPDATE t SET b = \'undone\'')
        throw new RangeError('inner')
      })).toThrow(RangeError)
      source.transaction(() => database.exec('INSERT INTO t VALUES (2, 0, NULL)'))
    })
    const events = await subject.events()
    expect(new Set(events.map(({ tx }) => tx.id)).size).toBe(1)
    expect(events.map(({ op }) => op).toSorted()).toEqual(['insert', 'update'])
  })

  it('joins a transaction of the application\'s own', async () => {
    await using subject = await SessionSubject.open(TABLE)
    subject.database.exec('BEGIN')
    subject.write('UPDATE t SET a = 2')
    expect(await subject.changes()).toEqual([])
    subject.database.exec('COMMIT')
    expect(await subject.changes()).toHaveLength(1)
  })

  it('refuses promises, and functions that end the transaction', async () => {
    await using subject = await SessionSubject.open(TABLE)
    const { database, source } = subject
    expect(() => source.transaction(async () => Promise.resolve(database.exec('DELETE FROM t')))).toThrow(TypeError)
    expect(database.prepare('SELECT count(*) AS n FROM t').get()).toEqual({ n: 1 })
    expect(() => source.transaction(() => database.exec('UPDATE t SET a = 2; COMMIT'))).toThrow(TypeError)
    expect((await subject.changes()).map(([, , after]) => after)).toEqual([{ id: 1, a: 2n, b: 'x' }])
  })

  it('rolls back and records nothing when COMMIT fails', async () => {
    await using subject = await SessionSubject.open(`${TABLE}; CREATE TABLE c (t REFERENCES t DEFERRABLE INITIALLY DEFERRED); PRAGMA foreign_keys = ON`)
    const { database, source } = subject
    expect(() => source.transaction(() => database.exec('UPDATE t SET a = 2; INSERT INTO c VALUES (99)'))).toThrow()
    expect(database.isTransaction).toBe(false)
    expect(await subject.changes()).toEqual([])
  })

  it('is a plain transaction while nobody is connected', () => {
    using database = new DatabaseSync(':memory:')
    database.exec(TABLE)
    const source = sessionChanges(database, { tables: ['t'] })
    source.transaction(() => database.exec('UPDATE t SET a = 2'))
    expect(database.prepare('SELECT a FROM t').get()).toEqual({ a: 2 })
  })

  it('carries the origin that the writer gives', async () => {
    await using subject = await SessionSubject.open(TABLE)
    subject.source.transaction(() => subject.database.exec('UPDATE t SET a = 2'), { origin: 'peer-7' })
    expect((await subject.events()).map(({ tx }) => tx.origin)).toEqual(['peer-7'])
  })

  it('wakes readers at the commit, whatever their listeners do', async () => {
    await using subject = await SessionSubject.open(TABLE)
    const seen: string[] = []
    subject.connection.onWake(() => {
      seen.push('first')
      throw new RangeError('a listener\'s own')
    })
    const stop = subject.connection.onWake(() => seen.push('second'))
    subject.write('UPDATE t SET a = 2')
    expect(seen).toEqual(['first', 'second'])
    stop()
    subject.write('UPDATE t SET a = 3')
    expect(seen).toEqual(['first', 'second', 'first'])
  })

  it('is not failed by a session that fails', async () => {
    await using subject = await SessionSubject.open(TABLE)
    const original = subject.database.createSession.bind(subject.database)
    const spy = vi.spyOn(subject.database, 'createSession').mockImplementation(() => {
      throw new RangeError('no memory')
    })
    subject.write('UPDATE t SET a = 2')
    expect(subject.database.prepare('SELECT a FROM t').get()).toEqual({ a: 2 })
    spy.mockImplementation(original)
    await expect(subject.slice()).rejects.toThrow(withCode('CHANGE_GAP', { detail: 'capture-failed' }))
    subject.position = await subject.connection.head()
    subject.write('UPDATE t SET a = 3')
    expect(await subject.changes()).toHaveLength(1)
  })
})

describe('slices', () => {
  it('hold whole transactions, and parts of one only when it is too large for any', async () => {
    await using subject = await SessionSubject.open(TABLE)
    subject.write('INSERT INTO t VALUES (2, 0, NULL), (3, 0, NULL)')
    subject.write('INSERT INTO t VALUES (4, 0, NULL), (5, 0, NULL)')
    subject.write('INSERT INTO t VALUES (6, 0, NULL), (7, 0, NULL), (8, 0, NULL), (9, 0, NULL), (10, 0, NULL)')
    const limit = { events: 3, bytes: 1e9 }
    const slices = [await subject.slice(limit), await subject.slice(limit), await subject.slice(limit), await subject.slice(limit), await subject.slice(limit)]
    expect(slices.map(({ events, begin, commit, isLast }) => [events.map(({ key }) => Number(key?.['id'])).toSorted((a, b) => a - b), begin, commit, isLast])).toEqual([
      [[2, 3], true, true, false], [[4, 5], true, true, false], [expect.any(Array), true, false, false], [expect.any(Array), false, true, true], [[], true, true, true],
    ])
    expect(slices.slice(2).flatMap(({ events }) => events.map(({ key }) => Number(key?.['id']))).toSorted((a, b) => a - b)).toEqual([6, 7, 8, 9, 10])
    expect(slices[3]?.events.map(({ tx }) => [tx.sequence, tx.last])).toEqual([[3, false], [4, true]])
  })

  it('give up a transaction that turns out too large for the rest, and give it whole in the next', async () => {
    await using subject = await SessionSubject.open(TABLE)
    subject.write('INSERT INTO t VALUES (2, 0, NULL)')
    subject.write('INSERT INTO t VALUES (3, 0, NULL), (4, 0, NULL)')
    const limit = { events: 100, bytes: 1_000 }
    expect(await subject.slice(limit)).toMatchObject({ events: [{ key: { id: 2 } }], commit: true, isLast: false, bytes: 448 })
    expect(await subject.slice(limit)).toMatchObject({ events: [{ tx: { sequence: 0 } }, { tx: { sequence: 1 } }], begin: true, commit: true, isLast: true })
  })

  it('give the same part again to a reader that goes back', async () => {
    await using subject = await SessionSubject.open(TABLE)
    subject.write('INSERT INTO t VALUES (2, 0, NULL), (3, 0, NULL), (4, 0, NULL)')
    const start = subject.position
    const parts = [await subject.slice({ events: 1, bytes: 1e9 }), await subject.slice({ events: 1, bytes: 1e9 })]
    subject.position = start
    expect([await subject.slice({ events: 1, bytes: 1e9 }), await subject.slice({ events: 1, bytes: 1e9 })]).toEqual(parts)
    expect(parts.map(({ events }) => events[0]?.tx.sequence)).toEqual([0, 1])
  })

  it('are equal when read again, and end where `through` says', async () => {
    await using subject = await SessionSubject.open(TABLE)
    subject.write('INSERT INTO t VALUES (2, 0, NULL)')
    const through = await subject.connection.head()
    subject.write('INSERT INTO t VALUES (3, 0, NULL)')
    const request = { after: subject.position, through, limit: { events: 10, bytes: 1e6 } }
    const first = await subject.connection.readChanges(request)
    expect(first).toMatchObject({ events: [{ key: { id: 2 } }], isLast: true, position: through })
    expect(await subject.connection.readChanges(request)).toEqual(first)
    expect(await subject.connection.lag(through)).toMatchObject({ events: 1 })
  })
})

describe('snapshot chunks', () => {
  it('stand at the log\'s end, with what was written outside in front', async () => {
    await using subject = await SessionSubject.open(`${TABLE}; INSERT INTO t VALUES (2, 9007199254740993, 'y'), (3, 1.0, NULL)`)
    subject.database.exec('UPDATE t SET a = 5 WHERE id = 1')
    const chunk = await subject.chunk('T', undefined, { events: 2, bytes: 1e9 })
    expect(chunk).toMatchObject({ isLast: false, events: [{ op: 'snapshot', after: { a: 5n }, source: { snapshot: 'initial' } }, { after: { a: 9007199254740993n } }] })
    expect(await subject.connection.readChanges({ after: subject.position, through: chunk.through, limit: { events: 10, bytes: 1e6 } })).toMatchObject({ events: [{ after: { a: 5n } }], isLast: true })
    subject.database.exec('UPDATE t SET a = 6 WHERE id = 1')
    const rest = await subject.chunk('t', chunk.last)
    expect(rest).toMatchObject({ isLast: true, events: [{ after: { id: 3, a: 1 } }] })
    expect(rest.through.sequence > chunk.through.sequence).toBe(true)
    expect((await subject.chunk('t', rest.last))).toMatchObject({ events: [], last: undefined, isLast: true })
  })

  it('end at the bytes asked for, with one row at least', async () => {
    await using subject = await SessionSubject.open(`${TABLE}; INSERT INTO t VALUES (2, 0, 'y')`)
    expect(await subject.chunk('t', undefined, { events: 10, bytes: 1 })).toMatchObject({ events: [{ key: { id: 1 } }], isLast: false })
  })

  it('go on behind keys of every class', async () => {
    await using subject = await SessionSubject.open('CREATE TABLE t (k PRIMARY KEY, v) WITHOUT ROWID; INSERT INTO t VALUES (1, 0), (1.5, 0), (9e999, 0), (9223372036854775807, 0), (\'\', 0), (\'a\' || char(0) || \'b\', 0), (x\'\', 0), (x\'00ff\', 0)')
    const keys: unknown[] = []
    for (let after: string | undefined; ;) {
      const chunk = await subject.chunk('t', after, { events: 1, bytes: 1e6 })
      keys.push(...chunk.events.map(({ key }) => key?.['k']))
      after = chunk.last
      if (chunk.isLast) break
    }
    expect(keys).toEqual([1n, 1.5, 9223372036854775807n, Infinity, '', 'a\0b', new Uint8Array(), new Uint8Array([0, 255])])
    await expect(subject.chunk('t', '["i:1","i:2"]')).rejects.toThrow(withCode('STATE_CORRUPT'))
    await expect(subject.chunk('t', '{')).rejects.toThrow(withCode('STATE_CORRUPT'))
  })
})

describe('the connection', () => {
  it('keeps what a consumer has not acknowledged, and refuses a stale lease', async () => {
    await using subject = await SessionSubject.open(TABLE, { maxBufferedBytes: 16_000 })
    const { connection, position } = subject
    const request = { lease: 'stream', holder: 'one', nowMs: 0, ttlMs: 10 }
    const fence = await connection.leases.acquireLease(request)
    if (fence === undefined) throw new TypeError('The lease is free.')
    expect(await connection.leases.acquireLease({ ...request, holder: 'two' })).toBeUndefined()
    await connection.retain({ consumer: 'c', position, fence })
    for (let index = 0; index < 10; index += 1) {
      subject.write(`UPDATE t SET a = ${index + 10}`)
      await subject.events()
    }
    await connection.verify(position)
    expect(await connection.retained('c')).toEqual(position)
    await connection.retain({ consumer: 'c', position: subject.position, fence })
    await expect(connection.verify(position)).rejects.toThrow(withCode('CHANGE_GAP', { detail: 'already-read' }))
    await connection.release('c')
    expect(await connection.retained('c')).toBeUndefined()
    const next = await connection.leases.acquireLease({ ...request, holder: 'two', nowMs: 11 })
    expect(next?.token).toBeGreaterThan(fence.token)
    await expect(connection.retain({ consumer: 'c', position: subject.position, fence })).rejects.toThrow(withCode('LEASE_LOST'))
    expect(await connection.leases.renewLease(fence, request)).toBe(false)
    expect(await connection.purge()).toBe(false)
  })

  it('lets go of what was read before it takes from a reader, whoever has still to acknowledge it', async () => {
    await using subject = await SessionSubject.open(TABLE, { maxBufferedBytes: 6_000 })
    const { connection, position } = subject
    const fence = await connection.leases.acquireLease({ lease: 'stream', holder: 'one', nowMs: 0, ttlMs: 10 })
    if (fence === undefined) throw new TypeError('The lease is free.')
    await connection.retain({ consumer: 'slow', position, fence })
    for (let index = 0; index < 30; index += 1) {
      subject.write(`UPDATE t SET a = ${index + 100}`)
      expect(await subject.changes()).toHaveLength(1)
    }
    await expect(connection.verify(position)).rejects.toThrow(withCode('CHANGE_GAP', { detail: 'already-read' }))
  })

  it('looks by itself, so that writes outside do not pile up unseen', async () => {
    vi.useFakeTimers({ toFake: ['setInterval'] })
    try {
      await using subject = await SessionSubject.open(TABLE, { pollIntervalMs: 100 })
      const woken = vi.fn()
      subject.connection.onWake(woken)
      subject.database.exec('UPDATE t SET a = 2')
      expect(woken).not.toHaveBeenCalled()
      vi.advanceTimersByTime(100)
      expect(woken).toHaveBeenCalledTimes(1)
    } finally {
      vi.useRealTimers()
    }
  })

  it('says so when it, or the database, is closed', async () => {
    await using subject = await SessionSubject.open(TABLE)
    const second = await subject.source.connect()
    await second[Symbol.asyncDispose]()
    await expect(second.head()).rejects.toThrow(withCode('CLOSED'))
    await expect(subject.connection.head({ signal: AbortSignal.abort() })).rejects.toThrow(withCode('ABORTED'))
    subject.database.close()
    await expect(subject.connection.head()).rejects.toThrow(withCode('CLOSED'))
  })

  it('leaves nothing behind, in the file or on the connection', async () => {
    await using subject = await SessionSubject.open(TABLE)
    subject.write('UPDATE t SET a = 2')
    await subject.connection[Symbol.asyncDispose]()
    expect(subject.database.prepare('SELECT count(*) AS n FROM sqlite_master').get()).toEqual({ n: 1 })
    expect(subject.database.prepare('SELECT count(*) AS n FROM temp.sqlite_master').get()).toEqual({ n: 0 })
  })
})

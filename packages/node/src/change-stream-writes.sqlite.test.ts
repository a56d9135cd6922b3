import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { STREAM_SOURCES, StreamSubject, type StreamSubjectOptions } from './test/stream-subject.ts'
import { useFolder } from './test/use-folder.ts'

// What an earlier stream on SQLite's hooks had to mend, by the names of its tests, on both sources. What those hooks can't tell, and
// made that stream close itself, comes out exact here.

const path = useFolder()
const T = 'CREATE TABLE t (id INTEGER PRIMARY KEY, a INT UNIQUE)'

describe.each(STREAM_SOURCES)('writes seen by %s', (kind) => {
  const open = (sql: string = T, options: Partial<StreamSubjectOptions> = {}): StreamSubject => new StreamSubject({ kind, path: path('data.db'), sql, tables: ['t'], ...options })

  it('InsertUpdateDelete', async () => {
    await using subject = open()
    const follower = await subject.follow()
    subject.write('INSERT INTO t VALUES (1, \'x\')')
    await follower.until(({ events }) => events.length === 1)
    subject.write('UPDATE t SET a = \'y\'')
    await follower.until(({ events }) => events.length === 2)
    subject.write('DELETE FROM t')
    await subject.settled(follower)
    expect(follower.changes).toEqual([
      ['insert', null, { id: 1, a: 'x' }], ['update', { id: 1, a: 'x' }, { id: 1, a: 'y' }], ['delete', { id: 1, a: 'y' }, null],
    ])
  })

  it('ValueFidelity', async () => {
    await using subject = open('CREATE TABLE t (id INTEGER PRIMARY KEY, a)')
    const follower = await subject.follow()
    subject.write(`INSERT INTO t VALUES (1, 9223372036854775807), (2, -9223372036854775808), (3, 9007199254740993), (4, 1.0), (5, 0.1), (6, 9e999), (7, ''), (8, '1'),
      (9, 'x' || char(0) || 'y'), (10, 'é😀'), (11, x''), (12, x'00ff'), (13, NULL), (14, char(0xfffd))`)
    await subject.settled(follower)
    // Sessions give the rows of a transaction in an order of their own.
    expect(follower.changes.map(([, , after]) => after).toSorted((a, b) => Number(a?.['id']) - Number(b?.['id'])).map((after) => after?.['a'])).toEqual([
      9223372036854775807n, -9223372036854775808n, 9007199254740993n, 1, 0.1, Infinity, '', '1', 'x\0y', 'é😀', new Uint8Array(), new Uint8Array([0, 255]), null, '\uFFFD',
    ])
  })

  it('RollbackDiscarded', async () => {
    await using subject = open()
    const follower = await subject.follow()
    subject.database.exec('BEGIN; INSERT INTO t VALUES (1, \'x\'); ROLLBACK')
    subject.write('INSERT INTO t VALUES (2, \'x\')')
    await subject.settled(follower)
    expect(follower.changes).toEqual([['insert', null, { id: 2, a: 'x' }]])
  })

  it('PublishesNetTransactionAfterCommit', async () => {
    await using subject = open()
    const follower = await subject.follow()
    subject.write(() => subject.database.exec('INSERT INTO t VALUES (1, \'x\'); UPDATE t SET a = \'y\'; INSERT INTO t VALUES (2, \'z\'); DELETE FROM t WHERE id = 2'))
    await subject.settled(follower)
    const every = [['insert', null, { id: 1, a: 'x' }], ['update', { id: 1, a: 'x' }, { id: 1, a: 'y' }], ['insert', null, { id: 2, a: 'z' }], ['delete', { id: 2, a: 'z' }, null]]
    expect(follower.changes).toEqual(kind === 'session' ? [['insert', null, { id: 1, a: 'y' }]] : every)
  })

  it('SavepointRollbackDoesNotPublishRolledBackRows', async () => {
    await using subject = open()
    const follower = await subject.follow()
    subject.write('INSERT INTO t VALUES (1, 1); SAVEPOINT s; INSERT INTO t VALUES (2, 2); UPDATE t SET a = 9 WHERE id = 1; ROLLBACK TO s; INSERT INTO t VALUES (3, 3)')
    await subject.settled(follower)
    expect(new Set(follower.changes.map(([, , after]) => after?.['id']))).toEqual(new Set([1, 3]))
    expect(follower.rows.get(1)).toMatchObject({ id: 1 })
  })

  it('NestedSavepointReuse', async () => {
    await using subject = open()
    const follower = await subject.follow()
    subject.write(`SAVEPOINT s; INSERT INTO t VALUES (1, 1); SAVEPOINT s; INSERT INTO t VALUES (2, 2); ROLLBACK TO s; INSERT INTO t VALUES (3, 3); RELEASE s;
      INSERT INTO t VALUES (4, 4); ROLLBACK TO s; INSERT INTO t VALUES (5, 5); RELEASE s`)
    await subject.settled(follower)
    expect([...follower.rows.keys()]).toEqual([5])
    expect(follower.changes).toHaveLength(1)
  })

  it('ReleaseSameOffset', async () => {
    await using subject = open()
    const follower = await subject.follow()
    subject.write('SAVEPOINT a; SAVEPOINT b; INSERT INTO t VALUES (1, 1); RELEASE b; ROLLBACK TO a; INSERT INTO t VALUES (2, 2); RELEASE a')
    await subject.settled(follower)
    expect(follower.changes.map(([, , after]) => after?.['id'])).toEqual([2])
  })

  it('FailedSavepointCommandDoesNotCorruptCapture', async () => {
    await using subject = open()
    const follower = await subject.follow()
    subject.write(() => {
      subject.database.exec('INSERT INTO t VALUES (1, 1); SAVEPOINT s; INSERT INTO t VALUES (2, 2)')
      expect(subject.fail('ROLLBACK TO nowhere')).toContain('no such savepoint')
      expect(subject.fail('RELEASE nowhere')).toContain('no such savepoint')
      subject.database.exec('ROLLBACK TO s; RELEASE s')
    })
    await subject.settled(follower)
    expect(follower.changes).toEqual([['insert', null, { id: 1, a: 1 }]])
  })

  it('MultipleSavepointsInOneExec, where the hooks fail closed', async () => {
    await using subject = open()
    const follower = await subject.follow()
    subject.write('SAVEPOINT a; INSERT INTO t VALUES (1, 1); ROLLBACK TO a; RELEASE a; SAVEPOINT b; INSERT INTO t VALUES (2, 2); RELEASE b; SAVEPOINT c; DELETE FROM t; ROLLBACK TO c; RELEASE c')
    await subject.settled(follower)
    expect(follower.changes).toEqual([['insert', null, { id: 2, a: 2 }]])
  })

  it('AbortedStatementDoesNotPublishPartialRows, and what FAIL keeps it publishes', async () => {
    await using subject = open()
    const follower = await subject.follow()
    subject.write(() => {
      subject.database.exec('INSERT INTO t VALUES (9, 9)')
      for (const policy of ['ABORT', 'FAIL']) {
        const first = policy === 'ABORT' ? 1 : 2
        expect(subject.fail(`INSERT OR ${policy} INTO t VALUES (${first}, ${first}), (3, 9)`)).toContain('UNIQUE')
      }
    })
    await subject.settled(follower)
    expect(follower.changes.map(([, , after]) => after?.['id']).toSorted()).toEqual([2, 9])
  })

  it('KeepsCommittedPrefixBeforeParameterizedLaterError', async () => {
    await using subject = open()
    const follower = await subject.follow()
    expect(subject.fail('INSERT INTO t VALUES (1, 1); INSERT INTO t VALUES (2, 1)')).toContain('UNIQUE')
    const insert = subject.database.prepare('INSERT INTO t VALUES (?, ?)')
    insert.run(3, 3)
    expect(() => insert.run(4, 3)).toThrow('UNIQUE')
    await subject.settled(follower)
    expect([...follower.rows.keys()].toSorted()).toEqual([1, 3])
  })

  it('KeepsMultiStatementCommitBoundaries', async () => {
    await using subject = open()
    const follower = await subject.follow()
    subject.write('INSERT INTO t VALUES (1, 1); INSERT INTO t VALUES (2, 2)')
    await follower.until(({ events }) => events.length === 2)
    subject.write('INSERT INTO t VALUES (3, 3); DELETE FROM t WHERE id = 1')
    await follower.until(({ events }) => events.length === 4)
    expect(follower.batches.map(({ begin, commit, events }) => [begin, commit, events.length])).toEqual([[true, true, 2], [true, true, 2]])
    expect(follower.events.map(({ tx }) => [tx.sequence, tx.last])).toEqual([[0, false], [1, true], [0, false], [1, true]])
    expect(new Set(follower.events.map(({ tx }) => tx.id)).size).toBe(2)
  })

  it('ReturningRowsFinalizeOnClose', async () => {
    await using subject = open()
    const follower = await subject.follow()
    subject.write(() => {
      const rows = subject.database.prepare('INSERT INTO t VALUES (1, 1), (2, 2), (3, 3) RETURNING id').iterate()
      expect(rows.next().value).toEqual({ id: 1 })
      rows.return?.()
    })
    await subject.settled(follower)
    expect([...follower.rows.keys()]).toEqual([1, 2, 3])
  })

  it('ZeroRowID', async () => {
    await using subject = open()
    const follower = await subject.follow()
    subject.write('INSERT INTO t VALUES (0, 1), (-1, 2)')
    await subject.settled(follower)
    subject.write('UPDATE t SET a = 5 WHERE id = 0')
    await subject.settled(follower)
    subject.write('DELETE FROM t WHERE id = 0')
    await subject.settled(follower)
    expect(follower.changes.slice(-2)).toEqual([['update', { id: 0, a: 1 }, { id: 0, a: 5 }], ['delete', { id: 0, a: 5 }, null]])
    expect([...follower.rows]).toEqual([[-1, { id: -1, a: 2 }]])
  })

  it('RowIDReuse', async () => {
    await using subject = open()
    const follower = await subject.follow()
    for (const a of ['x', 'y']) {
      subject.write(`INSERT INTO t (a) VALUES ('${a}')`)
      await subject.settled(follower)
      subject.write('DELETE FROM t')
      await subject.settled(follower)
    }
    const [one, two] = [{ id: 1, a: 'x' }, { id: 1, a: 'y' }]
    expect(follower.changes).toEqual([['insert', null, one], ['delete', one, null], ['insert', null, two], ['delete', two, null]])
    expect(new Set(follower.events.map(({ id }) => id)).size).toBe(follower.events.length)
  })

  it('TempTableNotCapturedAsMain', async () => {
    await using subject = open()
    const follower = await subject.follow()
    subject.database.exec('CREATE TEMP TABLE t (id INTEGER PRIMARY KEY, a); INSERT INTO temp.t VALUES (1, \'temporary\')')
    subject.write('INSERT INTO t VALUES (2, \'temporary too\'); INSERT INTO main.t VALUES (3, \'main\')')
    await subject.settled(follower)
    expect(follower.changes).toEqual([['insert', null, { id: 3, a: 'main' }]])
  })

  it('TableAllowlist', async () => {
    await using subject = open(`${T}; CREATE TABLE other (id INTEGER PRIMARY KEY)`, { tables: ['T'] })
    const follower = await subject.follow()
    subject.write('INSERT INTO other VALUES (1); INSERT INTO t VALUES (1, 1)')
    await subject.settled(follower)
    expect(follower.changes).toEqual([['insert', null, { id: 1, a: 1 }]])
    expect(follower.events.map(({ table }) => table)).toEqual(['t', 'marks'])
  })

  it('AlterTableColumnsNotStale', async () => {
    await using subject = open()
    const follower = await subject.follow()
    subject.write('INSERT INTO t VALUES (1, 1)')
    await subject.settled(follower)
    subject.write('ALTER TABLE t ADD COLUMN b TEXT DEFAULT \'new\'')
    subject.write('INSERT INTO t VALUES (2, 2, \'own\')')
    // Triggers that don't know the column yet tell of the row without it first, and then once more.
    await follower.until(({ rows }) => rows.get(2)?.['b'] === 'own')
    expect(follower.rows.get(2)).toEqual({ id: 2, a: 2, b: 'own' })
    expect(follower.batches.flatMap(({ schemas }) => schemas).at(-1)).toMatchObject({ table: 't', columns: [{ name: 'id' }, { name: 'a' }, { name: 'b' }] })
  })

  it('GeneratedColumns of both kinds come with their values and fail no write (3.3, 7)', async () => {
    await using subject = open('CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, twice INT AS (a * 2) VIRTUAL, thrice INT AS (a * 3) STORED)')
    const follower = await subject.follow()
    subject.write('INSERT INTO t (id, a) VALUES (1, 2)')
    await subject.settled(follower)
    subject.write('UPDATE t SET a = 5')
    await subject.settled(follower)
    expect(follower.changes).toEqual([
      ['insert', null, { id: 1, a: 2, twice: 4, thrice: 6 }], ['update', { id: 1, a: 2, twice: 4, thrice: 6 }, { id: 1, a: 5, twice: 10, thrice: 15 }],
    ])
  })

  it('DROP TABLE and VACUUM: the one is told, the other changes nothing (3.3, 3)', async () => {
    await using subject = open()
    const follower = await subject.follow()
    subject.write('INSERT INTO t VALUES (1, 1)')
    await subject.settled(follower)
    subject.database.exec('VACUUM')
    await subject.settled(follower)
    expect(follower.changes).toHaveLength(1)
    subject.database.exec('DROP TABLE t')
    await subject.settled(follower)
    await subject.settled(follower)
    expect(follower.batches.flatMap(({ schemas }) => schemas).at(-1)).toMatchObject({ table: 't', columns: undefined })
  })

  it('RejectsUnsupportedVirtualTable', async () => {
    await using subject = open('CREATE VIRTUAL TABLE t USING fts5(a)')
    await expect(subject.follow()).rejects.toMatchObject({ code: 'TABLE_NOT_CAPTURABLE' })
  })
})

describe('writes of another connection (3.3, 4)', () => {
  it('are seen by triggers', async () => {
    await using subject = new StreamSubject({ kind: 'triggers', path: path('data.db'), sql: T, tables: ['t'] })
    const follower = await subject.follow()
    using other = new DatabaseSync(path('data.db'))
    other.exec('INSERT INTO t VALUES (1, 1)')
    await subject.settled(follower)
    expect(follower.changes).toEqual([['insert', null, { id: 1, a: 1 }]])
  })

  it('are a gap to sessions, which say so', async () => {
    await using subject = new StreamSubject({ kind: 'session', path: path('data.db'), sql: T, tables: ['t'] })
    const follower = await subject.follow()
    using other = new DatabaseSync(path('data.db'))
    other.exec('INSERT INTO t VALUES (1, 1)')
    await expect(follower.subscription?.done).rejects.toMatchObject({ code: 'CHANGE_GAP' })
  })
})

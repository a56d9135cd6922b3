import { isDeepStrictEqual } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { SchemaChange } from '@tidemark/core'
import { sqliteChanges } from './sqlite-changes.ts'
import { StreamSubject, type Follower, type StreamSubjectOptions } from './test/stream-subject.ts'
import { useFolder } from './test/use-folder.ts'

// What tables go through while they are captured by triggers: the copy that follows ends up as the table, or the stream says that
// it can't.

const path = useFolder()
const T = 'CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INT UNIQUE)'
const open = (options: Partial<StreamSubjectOptions> = {}): StreamSubject => new StreamSubject({ kind: 'triggers', path: path('data.db'), sql: T, tables: ['t'], snapshot: 'initial', ...options })

const tableOf = (subject: StreamSubject, table = 't'): readonly object[] => subject.database.prepare(`SELECT * FROM ${table} ORDER BY id`).all().map((row) => ({ ...row }))
const copyOf = (follower: Follower): readonly object[] => [...follower.rows.values()].toSorted((a, b) => Number(a['id']) - Number(b['id'])).map((row) => ({ ...row }))
const schemasOf = ({ batches }: Follower, table: string): readonly SchemaChange[] => batches.flatMap(({ schemas }) => schemas).filter((schema) => schema.table === table)

/** Waits for it; a copy that never gets there is a timeout. */
async function converged(subject: StreamSubject, follower: Follower, table = 't'): Promise<void> {
  await follower.until(() => isDeepStrictEqual(copyOf(follower), tableOf(subject, table)))
  await subject.settled(follower)
  expect(copyOf(follower)).toEqual(tableOf(subject, table))
}

describe('a table that changes while it is captured', () => {
  it('has a column more between two looks: rows written meanwhile come again with it', async () => {
    await using subject = open()
    subject.write('INSERT INTO t VALUES (1, \'x\', 1), (2, \'y\', 2), (3, \'z\', 3)')
    const follower = await subject.settled(await subject.follow())
    subject.write('ALTER TABLE t ADD COLUMN c TEXT; UPDATE t SET c = \'new\' WHERE id = 1; INSERT INTO t VALUES (4, \'w\', 4, \'own\'); DELETE FROM t WHERE id = 2')
    await follower.until(() => follower.rows.get(4)?.['c'] === 'own' && follower.rows.get(1)?.['c'] === 'new')
    expect(copyOf(follower)).toEqual([{ id: 1, a: 'x', b: 1, c: 'new' }, { id: 3, a: 'z', b: 3 }, { id: 4, a: 'w', b: 4, c: 'own' }])
    expect(schemasOf(follower, 't').at(-1)?.columns?.map(({ name }) => name)).toEqual(['id', 'a', 'b', 'c'])
  })

  it('has a column renamed: never a value under another name', async () => {
    await using subject = open()
    const follower = await subject.settled(await subject.follow())
    subject.write('INSERT INTO t VALUES (1, \'x\', 1); ALTER TABLE t RENAME COLUMN a TO renamed; INSERT INTO t VALUES (2, \'y\', 2)')
    await follower.until(({ events }) => events.some(({ after }) => after?.['renamed'] === 'y'))
    for (const { after } of follower.events) expect([undefined, 'x', 'y']).toContain(after?.['a'] ?? after?.['renamed'])
    expect(schemasOf(follower, 't').at(-1)?.columns?.map(({ name }) => name)).toEqual(['id', 'renamed', 'b'])
  })

  it('keeps a column that the triggers name, and loses it by alter()', async () => {
    await using subject = open()
    subject.write('INSERT INTO t VALUES (1, \'x\', 1)')
    const follower = await subject.settled(await subject.follow())
    expect(subject.fail('ALTER TABLE t DROP COLUMN a')).toContain('no such column')
    const changes = sqliteChanges(subject.database, { tables: ['t', 'marks'] })
    await changes.alter('ALTER TABLE t DROP COLUMN a')
    // A connection compiles by the columns that it has in mind until it has read something.
    expect(tableOf(subject)).toEqual([{ id: 1, b: 1 }])
    subject.write('INSERT INTO t VALUES (2, 2)')
    await follower.until(({ rows }) => rows.has(2))
    expect(follower.rows.get(2)).toEqual({ id: 2, b: 2 })
    expect(schemasOf(follower, 't').at(-1)?.columns?.map(({ name }) => name)).toEqual(['id', 'b'])
  })

  it('goes on under another name, and no write fails', async () => {
    await using subject = open()
    subject.write('INSERT INTO t VALUES (1, \'x\', 1)')
    const follower = await subject.settled(await subject.follow())
    subject.database.exec('ALTER TABLE t RENAME TO moved; INSERT INTO moved VALUES (2, \'y\', 2)')
    await follower.until(() => schemasOf(follower, 'moved').length > 0)
    subject.write('INSERT INTO moved VALUES (3, \'z\', 3)')
    await follower.until(({ events }) => events.some(({ table, key }) => table === 'moved' && key?.['id'] === 3))
    expect(follower.changes.flatMap(([, , after]) => after?.['id'])).toEqual(expect.arrayContaining([1, 2, 3]))
    expect(schemasOf(follower, 't').at(-1)).toMatchObject({ columns: undefined })
    expect(schemasOf(follower, 'moved').at(-1)?.columns?.map(({ name }) => name)).toEqual(['id', 'a', 'b'])
  })

  // The one setting under which a write may fail: SQLite then leaves a table's name as it was inside of triggers, the user's own too.
  it('is renamed under legacy_alter_table: writes to a table of two unique keys fail until we have looked', async () => {
    await using subject = open()
    const follower = await subject.settled(await subject.follow())
    subject.database.exec('PRAGMA legacy_alter_table = ON; ALTER TABLE t RENAME TO moved')
    expect(subject.fail('INSERT INTO moved VALUES (1, \'x\', 1)')).toContain('no such table: main.t')
    await follower.until(() => schemasOf(follower, 'moved').length > 0)
    expect(tableOf(subject, 'moved')).toEqual([])
    subject.write('INSERT INTO moved VALUES (2, \'y\', 2)')
    await follower.until(({ events }) => events.some(({ table, key }) => table === 'moved' && key?.['id'] === 2))
  })

  it('is renamed under legacy_alter_table: writes to a table of one key do not fail', async () => {
    await using subject = open({ sql: 'CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)' })
    const follower = await subject.settled(await subject.follow())
    subject.database.exec('PRAGMA legacy_alter_table = ON; ALTER TABLE t RENAME TO moved; INSERT INTO moved VALUES (1, \'x\')')
    await follower.until(({ events }) => events.some(({ table, key }) => table === 'moved' && key?.['id'] === 1))
  })

  it('is dropped, and comes back with other rows', async () => {
    await using subject = open()
    subject.write('INSERT INTO t VALUES (1, \'x\', 1)')
    const follower = await subject.settled(await subject.follow())
    subject.database.exec('DROP TABLE t')
    await follower.until(() => schemasOf(follower, 't').at(-1)?.columns === undefined && schemasOf(follower, 't').length > 0)
    subject.database.exec(`${T.replace('a TEXT', 'a TEXT, extra INT')}; INSERT INTO t VALUES (7, 'before we looked', 1, 7)`)
    await follower.until(({ rows }) => rows.has(7))
    subject.write('INSERT INTO t VALUES (8, \'after\', 1, 8)')
    await follower.until(({ rows }) => rows.has(8))
    expect(follower.events.filter(({ op }) => op === 'truncate')).toHaveLength(1)
    expect(follower.rows.get(7)).toEqual({ id: 7, a: 'before we looked', extra: 1, b: 7 })
  })

  it('is rebuilt in twelve steps behind our back: a gap, and by a new snapshot equal again', async () => {
    await using subject = open({ onGap: 'resnapshot' })
    subject.write('INSERT INTO t VALUES (1, \'x\', 1), (2, \'y\', 2)')
    const follower = await subject.settled(await subject.follow())
    const gaps: string[] = []
    subject.stream.on('gap', ({ error }) => gaps.push(error.code))
    subject.write('CREATE TABLE new_t (id INTEGER PRIMARY KEY, a TEXT NOT NULL, b INT); INSERT INTO new_t SELECT * FROM t; DROP TABLE t; ALTER TABLE new_t RENAME TO t; UPDATE t SET a = \'unseen\' WHERE id = 1')
    await converged(subject, follower)
    expect(gaps).toEqual(['CHANGE_GAP'])
  })

  it('is rebuilt in twelve steps by alter(): no gap', async () => {
    await using subject = open()
    subject.write('INSERT INTO t VALUES (1, \'x\', 1), (2, \'y\', 2)')
    const follower = await subject.settled(await subject.follow())
    const gaps: string[] = []
    subject.stream.on('gap', ({ error }) => gaps.push(error.code))
    await sqliteChanges(subject.database, { tables: ['t', 'marks'] }).alter([
      'CREATE TABLE new_t (id INTEGER PRIMARY KEY, a TEXT NOT NULL, b INT)', 'INSERT INTO new_t SELECT id, a || \'!\', b FROM t WHERE id = 2', 'DROP TABLE t', 'ALTER TABLE new_t RENAME TO t',
    ])
    await follower.until(({ rows }) => rows.get(2)?.['a'] === 'y!')
    expect(follower.events.filter(({ op }) => op === 'truncate')).toHaveLength(1)
    expect(gaps).toEqual([])
  })

  it('has a trigger of the user\'s that was made after ours', async () => {
    await using subject = open({ sql: `${T}; CREATE TABLE audit (id INTEGER PRIMARY KEY, note TEXT)`, tables: ['t'] })
    const follower = await subject.settled(await subject.follow())
    subject.write(`CREATE TRIGGER stamp AFTER INSERT ON t BEGIN UPDATE t SET a = 'stamped ' || new.a WHERE id = new.id; END;
      CREATE TRIGGER evict AFTER UPDATE OF b ON t BEGIN DELETE FROM t WHERE b = new.b AND id <> new.id; INSERT OR REPLACE INTO t VALUES (new.id + 100, 'made', new.b + 100); END;
      INSERT INTO t VALUES (1, 'x', 1), (2, 'y', 2); UPDATE t SET b = 5 WHERE id = 2; DELETE FROM t WHERE id = 1`)
    await converged(subject, follower)
    subject.write('INSERT INTO t VALUES (3, \'z\', 3); UPDATE t SET b = 9 WHERE id = 3')
    await converged(subject, follower)
    expect(follower.rows.get(3)?.['a']).toBe('stamped z')
  })
})

describe('a table without a key', () => {
  const rowsOf = (follower: Follower): readonly unknown[] => {
    const rows = new Map<unknown, unknown>()
    for (const { table, op, key, after } of follower.events) {
      if (table !== 't') continue
      if (op === 'truncate') rows.clear()
      else if (after === null) rows.delete(key?.['rowid'])
      else rows.set(key?.['rowid'], after['a'])
    }
    return [...rows.values()].toSorted()
  }
  const truth = (subject: StreamSubject): readonly unknown[] => subject.database.prepare('SELECT a FROM t').all().map(({ a }) => a).toSorted()
  const rows = (count: number): string => `INSERT INTO t WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count}) SELECT 'row ' || i FROM n`

  it.each([['during its snapshot', 1], ['after its snapshot', Infinity]])('gets other row numbers by VACUUM %s: told, or right in the end', async (_when, atBatch) => {
    await using subject = open({ sql: 'CREATE TABLE t (a TEXT)', batch: { events: 10 }, onGap: 'resnapshot' })
    subject.write(`${rows(60)}; DELETE FROM t WHERE rowid % 3 = 0`)
    const follower = await subject.follow()
    let batches = 0
    follower.onBatch = ({ events }) => {
      if (events[0]?.op !== 'snapshot' || events[0].table !== 't') return
      batches += 1
      if (batches === atBatch) subject.database.exec('VACUUM; UPDATE t SET a = a || \'!\' WHERE rowid BETWEEN 1 AND 30; DELETE FROM t WHERE rowid = 2')
    }
    await subject.settled(follower)
    if (atBatch === Infinity) {
      subject.database.exec('VACUUM; UPDATE t SET a = a || \'!\' WHERE rowid BETWEEN 1 AND 30; DELETE FROM t WHERE rowid = 2')
      await follower.until(() => isDeepStrictEqual(rowsOf(follower), truth(subject)))
    }
    await subject.settled(follower)
    expect(rowsOf(follower)).toEqual(truth(subject))
  })
})

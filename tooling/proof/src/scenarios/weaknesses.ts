import { Replicator } from '@tidemark/core'
import { nodeSqliteTarget } from '@tidemark/node'
import { expect, it } from 'vitest'
import { difference, noDifference } from '../fixtures/difference.ts'
import { openReplica, type Replica } from '../fixtures/replica.ts'
import { replicate } from '../fixtures/replicate.ts'
import type { SourceFixture } from '../fixtures/source-fixture.ts'

const SAME_TIME = "'2024-05-06 07:08:09.123456'"

/** Where an earlier design of such a replicator lost or corrupted data: one test for each way. */
export function weaknessTests(open: () => Promise<SourceFixture>): void {
  const test = (title: string, run: (source: SourceFixture, replica: Replica) => Promise<void>): void => {
    it(title, async () => {
      await using source = await open()
      using replica = openReplica()
      await run(source, replica)
    })
  }

  test('a row that ties with the cursor is not lost, nor at a page break inside ties', async (source, replica) => {
    await createUsers(source)
    await using replicator = replicate(source, replica, { table: 'users', trackingColumn: 'updated_at' })
    await insertUsers(source, { from: 1, to: 1_200, at: SAME_TIME })
    await replicator.syncNow('users')
    // More rows of the same time than a page holds, beside ones already copied.
    await insertUsers(source, { from: 1_201, to: 4_000, at: SAME_TIME })
    await replicator.syncNow('users')
    await expectEqual(source, replica)
  })

  test('a row that commits late below the cursor is not lost', async (source, replica) => {
    await createUsers(source)
    await using replicator = replicate(source, replica, { table: 'users', trackingColumn: 'id', reconcile: false })
    await replicator.syncNow('users')
    await using late = await source.session()
    await late.execute('BEGIN')
    await late.execute(`INSERT INTO users (id, email, updated_at) VALUES (1, 'late', ${SAME_TIME})`)
    await insertUsers(source, { from: 2, to: 3, at: SAME_TIME })
    await replicator.syncNow('users')
    expect(replica.rows('SELECT id FROM users ORDER BY id').flat()).toEqual(['2', '3'])
    await late.execute('COMMIT')
    await replicator.syncNow('users')
    await expectEqual(source, replica)
  })

  test('an error of the source is an error, with the cursor unmoved and a log entry', async (source, replica) => {
    await createUsers(source)
    await insertUsers(source, { from: 1, to: 3, at: SAME_TIME })
    await using replicator = replicate(source, replica, { table: 'users', trackingColumn: 'updated_at' })
    await replicator.syncNow('users')
    const before = await replicator.status()
    await source.execute('DROP TABLE users')
    await expect(replicator.syncNow('users')).rejects.toMatchObject({ code: 'TABLE_UNKNOWN', retryable: false })
    const after = await replicator.status()
    expect(after[0]).toMatchObject({ activity: 'failed', lastSyncValue: before[0]?.lastSyncValue, lastError: { code: 'TABLE_UNKNOWN' } })
    expect((await replicator.logs({ limit: 1 }))[0]).toMatchObject({ status: 'error', errorCode: 'TABLE_UNKNOWN' })
  })

  test('deleted rows and changed keys are healed by a reconcile', async (source, replica) => {
    await createUsers(source)
    await insertUsers(source, { from: 1, to: 3_000, at: SAME_TIME })
    await using replicator = replicate(source, replica, { table: 'users', trackingColumn: 'updated_at' })
    await replicator.syncNow('users')
    await source.execute('DELETE FROM users WHERE id IN (5, 2500)')
    await source.execute('UPDATE users SET id = 9000 WHERE id = 6')
    const healed: number[] = []
    replicator.on('drift:found', ({ rows }) => healed.push(rows))
    await replicator.reconcile('users')
    await expectEqual(source, replica)
    // The row of the new key was found by the poll before; three are gone.
    expect(healed).toEqual([3])
    expect((await replicator.status())[0]?.verifiedThrough).toBeDefined()
  })

  test('an update that id tracking can not see is healed by a reconcile', async (source, replica) => {
    await createUsers(source)
    await insertUsers(source, { from: 1, to: 10, at: SAME_TIME })
    await using replicator = replicate(source, replica, { table: 'users', trackingColumn: 'id' })
    await replicator.syncNow('users')
    await source.execute("UPDATE users SET email = 'new' WHERE id = 4")
    await replicator.reconcile('users')
    await expectEqual(source, replica)
  })

  test('an upsert keeps child rows and columns of the copy\'s own, and lets two rows swap a unique value', async (source, replica) => {
    await createUsers(source)
    await insertUsers(source, { from: 1, to: 2, at: SAME_TIME })
    await using replicator = replicate(source, replica, { table: 'users', trackingColumn: 'updated_at', settleGraceMs: 0 })
    await replicator.syncNow('users')
    replica.execute(`PRAGMA foreign_keys = ON; ALTER TABLE users ADD COLUMN note TEXT; UPDATE users SET note = 'mine';
      CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id) ON DELETE CASCADE); INSERT INTO orders VALUES (1, 1), (2, 2)`)
    await source.execute(`UPDATE users SET email = 'swap', updated_at = ${source.sql.now} WHERE id = 1`)
    await source.execute(`UPDATE users SET email = 'user 1', updated_at = ${source.sql.now} WHERE id = 2`)
    await source.execute(`UPDATE users SET email = 'user 2', updated_at = ${source.sql.now} WHERE id = 1`)
    await replicator.syncNow('users')
    await expectEqual(source, replica)
    expect(replica.rows('SELECT count(*), (SELECT count(*) FROM orders) FROM users WHERE note = \'mine\'')).toEqual([['2', '2']])
  })

  test('rows without a tracking value stop the sync, or are read, or left out, as told', async (source, replica) => {
    await source.execute(`CREATE TABLE users (id ${source.sql.identity}, email varchar(60), updated_at ${source.sql.timestamp} NULL)`)
    await insertUsers(source, { from: 1, to: 3, at: SAME_TIME })
    await using replicator = replicate(source, replica, { table: 'users', trackingColumn: 'updated_at' })
    await replicator.syncNow('users')
    await source.execute("INSERT INTO users (id, email, updated_at) VALUES (4, 'null', NULL)")
    await expect(replicator.syncNow('users')).rejects.toMatchObject({ code: 'TRACKING_NULLS' })
    const again = { name: 'users', source: source.source(), sourceTable: 'users', trackingColumn: 'updated_at', schedule: 'manual' } as const
    await replicator.configure({ ...again, nullTracking: 'exclude' })
    await replicator.syncNow('users')
    expect(replica.rows('SELECT count(*) FROM users')).toEqual([['3']])
    await replicator.configure({ ...again, nullTracking: 'include' })
    await replicator.syncNow('users')
    await expectEqual(source, replica)
  })

  test('large integers and microseconds arrive as they are, and an idle poll reads nothing', async (source, replica) => {
    await createUsers(source)
    await source.execute(`INSERT INTO users (id, email, updated_at) VALUES (9007199254740993, 'big', ${SAME_TIME}), (9223372036854775807, 'max', '2024-05-06 07:08:09.123457')`)
    await using replicator = replicate(source, replica, { table: 'users', trackingColumn: 'updated_at' })
    await replicator.syncNow('users')
    const idle = await replicator.syncNow('users')
    expect(idle).toMatchObject({ rows: 0, rowsRead: 0 })
    expect(replica.rows('SELECT id, updated_at FROM users ORDER BY id').map(([id, at]) => [id, at?.slice(0, 26)])).toEqual([
      ['9007199254740993', '2024-05-06T07:08:09.123456'], ['9223372036854775807', '2024-05-06T07:08:09.123457'],
    ])
  })

  test('a cursor set back reads the rows from there again, and only those', async (source, replica) => {
    await createUsers(source)
    await insertUsers(source, { from: 1, to: 10, at: SAME_TIME })
    await using replicator = replicate(source, replica, { table: 'users', trackingColumn: 'id' })
    await replicator.syncNow('users')
    await source.execute("UPDATE users SET email = 'seen' WHERE id = 8")
    await replicator.resetCursor('users', { tracking: '8' })
    expect(await replicator.syncNow('users')).toMatchObject({ rows: 1, rowsRead: 3 })
    await replicator.resetCursor('users')
    expect(await replicator.syncNow('users')).toMatchObject({ rows: 0, rowsRead: 10 })
    await source.execute("UPDATE users SET email = 'anew' WHERE id = 2")
    await replicator.resync('users')
    await expectEqual(source, replica)
  })

  test('two syncs at once are one sync', async (source, replica) => {
    await createUsers(source)
    await insertUsers(source, { from: 1, to: 500, at: SAME_TIME })
    await using replicator = replicate(source, replica, { table: 'users', trackingColumn: 'updated_at' })
    const [first, second] = await Promise.all([replicator.syncNow('users'), replicator.syncNow('users')])
    expect(second).toEqual(first)
    expect(await replicator.logs()).toHaveLength(1)
  })

  test('saving the options again keeps the cursor, and pausing outlives a restart', async (source, replica) => {
    await createUsers(source)
    await insertUsers(source, { from: 1, to: 5, at: SAME_TIME })
    const options = { name: 'users', source: source.source(), sourceTable: 'users', trackingColumn: 'updated_at', syncIntervalMinutes: 5 }
    {
      await using replicator = new Replicator({ target: nodeSqliteTarget({ path: replica.path }), instance: 'a', replications: [options] })
      await replicator.syncNow('users')
      await replicator.configure({ ...options, syncIntervalMinutes: 7 })
      expect(await replicator.syncNow('users')).toMatchObject({ rows: 0 })
      await replicator.pause('users')
    }
    await using restarted = new Replicator({ target: nodeSqliteTarget({ path: replica.path }), instance: 'a', replications: [options] })
    await restarted.start()
    expect((await restarted.status())[0]).toMatchObject({ isActive: false, activity: 'paused', nextSyncAtMs: undefined })
  })

  test('names of any kind are names and nothing else', async (source, replica) => {
    for (const table of ['order', 'a"b', 'x; drop table y--', 'Users', 'a table of exactly sixty characters, every one of which counts']) {
      const quoted = source.sql.quote(table)
      await source.execute(`CREATE TABLE ${quoted} (${source.sql.quote('Key "1"')} bigint PRIMARY KEY, ${source.sql.quote('select')} varchar(20))`)
      await source.execute(`INSERT INTO ${quoted} VALUES (1, 'one'), (2, NULL)`)
      await using replicator = replicate(source, replica, { table, trackingColumn: 'Key "1"' })
      await replicator.syncNow(table)
      expect(replica.rows(`SELECT * FROM "${table.replaceAll('"', '""')}" ORDER BY 1`)).toEqual([['1', 'one'], ['2', null]])
    }
  })

  test('an added column follows and is filled; a dropped one stops, or follows when told to', async (source, replica) => {
    await createUsers(source)
    await insertUsers(source, { from: 1, to: 5, at: SAME_TIME })
    await using replicator = replicate(source, replica, { table: 'users', trackingColumn: 'updated_at' })
    await replicator.syncNow('users')
    await source.execute("ALTER TABLE users ADD COLUMN country varchar(10) DEFAULT 'nl'")
    await replicator.syncNow('users')
    expect(replica.rows('SELECT DISTINCT country FROM users')).toEqual([['nl']])
    await source.execute('ALTER TABLE users DROP COLUMN country')
    await expect(replicator.syncNow('users')).rejects.toMatchObject({ code: 'SCHEMA_DRIFT' })
    await replicator.configure({ name: 'users', source: source.source(), sourceTable: 'users', trackingColumn: 'updated_at', schedule: 'manual', schemaPolicy: 'follow' })
    await replicator.syncNow('users')
    await expectEqual(source, replica)
    expect(replica.rows("SELECT count(*) FROM pragma_table_info('users') WHERE name = 'country'")).toEqual([['0']])
  })

  test('a cursor above every row is reported', async (source, replica) => {
    await createUsers(source)
    await insertUsers(source, { from: 1, to: 50, at: SAME_TIME })
    await using replicator = replicate(source, replica, { table: 'users', trackingColumn: 'id' })
    await replicator.syncNow('users')
    const ahead: string[] = []
    replicator.on('cursor:ahead', ({ name }) => ahead.push(name))
    await source.execute('DELETE FROM users WHERE id > 20')
    await replicator.syncNow('users')
    expect(ahead).toEqual(['users'])
  })

  test('a table without key is copied whole, and refused where a cursor is wanted', async (source, replica) => {
    await source.execute('CREATE TABLE users (id bigint, email varchar(60))')
    await source.execute("INSERT INTO users VALUES (1, 'a'), (1, 'a'), (2, NULL)")
    {
      await using incremental = replicate(source, replica, { table: 'users' })
      await expect(incremental.syncNow('users')).rejects.toMatchObject({ code: 'KEY_REQUIRED' })
    }
    await using replicator = replicate(source, replica, { table: 'users', mode: 'full' })
    await replicator.syncNow('users')
    await source.execute('DELETE FROM users WHERE id = 2')
    await replicator.syncNow('users')
    expect(replica.rows('SELECT id, email FROM users')).toEqual([['1', 'a'], ['1', 'a']])
  })

  test('a table that fails does not stop the others', async (source, replica) => {
    await createUsers(source)
    await insertUsers(source, { from: 1, to: 5, at: SAME_TIME })
    await using replicator = new Replicator({
      target: nodeSqliteTarget({ path: replica.path }),
      replications: [
        { name: 'missing', source: source.source(), sourceTable: 'no_such_table', schedule: 'manual' },
        { name: 'users', source: source.source(), sourceTable: 'users', schedule: 'manual' },
      ],
    })
    await expect(replicator.syncNow()).rejects.toMatchObject({ code: 'TABLE_UNKNOWN' })
    await expectEqual(source, replica)
  })
}

async function createUsers(source: SourceFixture): Promise<void> {
  await source.execute(`CREATE TABLE users (id ${source.sql.identity}, email varchar(60) UNIQUE, updated_at ${source.sql.timestamp} NOT NULL)`)
  await source.execute('CREATE INDEX users_updated_at ON users (updated_at)')
}

async function insertUsers(source: SourceFixture, range: { readonly from: number; readonly to: number; readonly at: string }): Promise<void> {
  const values = Array.from({ length: range.to - range.from + 1 }, (_, index) => `(${range.from + index}, 'user ${range.from + index}', ${range.at})`)
  await source.execute(`INSERT INTO users (id, email, updated_at) VALUES ${values.join(', ')}`)
}

async function expectEqual(source: SourceFixture, replica: Replica): Promise<void> {
  const sql = 'SELECT id, email FROM users ORDER BY id'
  const [left, right] = [await source.rows(sql), replica.rows(sql)]
  expect(difference(left, right)).toEqual(noDifference)
  expect(right).toHaveLength(left.length)
}

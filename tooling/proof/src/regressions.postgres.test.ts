import type { SourceDialect } from '@tidemark/core'
import { postgresForTests } from '@tidemark/test-servers/vitest'
import { describe, expect, it } from 'vitest'
import { postgresFixture } from './fixtures/postgres-fixture.ts'
import { openReplica, type Replica } from './fixtures/replica.ts'
import { replicate, type ReplicateOptions } from './fixtures/replicate.ts'
import type { SourceFixture } from './fixtures/source-fixture.ts'

const server = await postgresForTests()

function test(title: string, run: (source: SourceFixture, replica: Replica) => Promise<void>): void {
  it(title, async () => {
    await using source = await postgresFixture(server)
    using replica = openReplica()
    await run(source, replica)
  })
}

const OPTIONS: ReplicateOptions = { table: 't', trackingColumn: 'n', schemaPolicy: 'follow', reconcile: false, settleGraceMs: 0 }
const SWAP = 'ALTER TABLE t RENAME a TO c; ALTER TABLE t RENAME b TO a; ALTER TABLE t RENAME c TO b'
const pairs = 'SELECT id, a, b FROM t ORDER BY id'

/** Runs `once` before the first page that is read in key order. */
function beforeReread(dialect: SourceDialect, once: () => Promise<void>): SourceDialect {
  let work: (() => Promise<void>) | undefined = once
  return {
    name: dialect.name,
    address: dialect.address,
    capabilities: dialect.capabilities,
    parseTable: (name) => dialect.parseTable(name),
    connect: async (options) => {
      const connection = await dialect.connect(options)
      const readRows = connection.readRows.bind(connection)
      connection.readRows = async (request) => {
        const due = request.tracking === undefined ? work : undefined
        if (due !== undefined) work = undefined
        await due?.()
        return readRows(request)
      }
      return connection
    },
  }
}

describe('replication from PostgreSQL', () => {
  test('follows updates after the tracking column was dropped and made anew', async (source, replica) => {
    await source.execute('CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL, name text); INSERT INTO t VALUES (1, 1000, \'old\')')
    await using replicator = replicate(source, replica, OPTIONS)
    await replicator.syncNow('t')
    await source.execute('ALTER TABLE t DROP n; ALTER TABLE t ADD n int NOT NULL DEFAULT 1')
    await replicator.syncNow('t')
    await source.execute('UPDATE t SET name = \'new\', n = 2')
    await replicator.syncNow('t')
    expect(replica.rows('SELECT id, name FROM t')).toEqual([['1', 'new']])
  })

  test('goes on when a tracking column that is not copied gets another type', async (source, replica) => {
    await source.execute('CREATE TABLE t (id int PRIMARY KEY, n text NOT NULL, name text); INSERT INTO t VALUES (1, \'x\', \'old\')')
    await using replicator = replicate(source, replica, { ...OPTIONS, columns: ['name'] })
    await replicator.syncNow('t')
    await source.execute('ALTER TABLE t ALTER n TYPE int USING 5; UPDATE t SET name = \'new\', n = 6')
    await replicator.syncNow('t')
    expect(replica.rows('SELECT id, name FROM t')).toEqual([['1', 'new']])
  })

  test('has the right values when two columns swap their names in the middle of a load', async (source, replica) => {
    await source.execute('CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL DEFAULT 1, a text, b text); INSERT INTO t (id, a, b) SELECT i, \'a\', \'b\' FROM generate_series(1, 20000) i')
    {
      await using replicator = replicate(source, replica, { ...OPTIONS, replicator: { slice: { rows: 100 } } })
      const stop = new AbortController()
      replicator.on('sync:progress', () => stop.abort())
      await expect(replicator.syncNow('t', { signal: stop.signal })).rejects.toMatchObject({ code: 'ABORTED' })
    }
    await source.execute(SWAP)
    await using replicator = replicate(source, replica, OPTIONS)
    expect((await replicator.status())[0]).toMatchObject({ phase: 'loading' })
    await replicator.syncNow('t')
    await replicator.syncNow('t')
    expect(replica.rows(pairs)).toEqual(await source.rows(pairs))
  })

  test('has the right values when two columns swap their names before a re-read', async (source, replica) => {
    await source.execute('CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL DEFAULT 1, a text, b text); INSERT INTO t (id, a, b) VALUES (1, \'a\', \'b\')')
    {
      await using replicator = replicate(source, replica, OPTIONS)
      await replicator.syncNow('t')
    }
    const swapping = beforeReread(source.source(), () => source.execute(SWAP))
    await using replicator = replicate({ ...source, source: () => swapping }, replica, OPTIONS)
    await replicator.reconcile('t')
    await replicator.syncNow('t')
    expect(replica.rows(pairs)).toEqual(await source.rows(pairs))
  })
})

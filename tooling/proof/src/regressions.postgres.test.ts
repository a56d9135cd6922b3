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
})

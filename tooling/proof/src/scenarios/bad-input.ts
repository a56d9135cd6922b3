import { inspect } from 'node:util'
import { Replicator, type ReplicatorOptions } from '@tidemark/core'
import { nodeSqliteTarget } from '@tidemark/node'
import { expect, it } from 'vitest'
import { openReplica, type Replica } from '../fixtures/replica.ts'
import { replicate } from '../fixtures/replicate.ts'
import type { SourceFixture } from '../fixtures/source-fixture.ts'

/** What users get wrong, and what servers do to them: a coded error with a way out, and nothing lost. */
export function badInputTests(open: () => Promise<SourceFixture>): void {
  const test = (title: string, run: (source: SourceFixture, replica: Replica) => Promise<void>): void => {
    it(title, async () => {
      await using source = await open()
      using replica = openReplica()
      await source.execute(`CREATE TABLE users (id ${source.sql.identity}, email varchar(60))`)
      await source.execute("INSERT INTO users (email) VALUES ('a'), ('b')")
      await run(source, replica)
    })
  }

  test('an unknown column', async (source, replica) => {
    await using replicator = replicate(source, replica, { table: 'users', trackingColumn: 'no_such_column' })
    await expect(replicator.syncNow('users')).rejects.toMatchObject({ code: 'COLUMN_UNKNOWN', remedy: expect.stringContaining('letter case') as string })
  })

  test('a target table that is not ours stays as it is', async (source, replica) => {
    replica.execute("CREATE TABLE users (mine TEXT); INSERT INTO users VALUES ('kept')")
    await using replicator = replicate(source, replica, { table: 'users' })
    await expect(replicator.syncNow('users')).rejects.toMatchObject({ code: 'TARGET_NOT_OWNED' })
    expect(replica.rows('SELECT mine FROM users')).toEqual([['kept']])
  })

  test('a wrong password, which appears nowhere', async (source, replica) => {
    const url = new URL(source.url)
    url.password = 'wrong-hunter2-secret'
    const seen: unknown[] = []
    const log = (fields: unknown, message: string): void => void seen.push(fields, message)
    const replicator = replicateUrl(url.href, replica, { logger: { debug: log, info: log, warn: log, error: log } }, source)
    for (const event of ['sync:error', 'sync:retry', 'sync:start', 'status:change'] as const) replicator.on(event, (payload) => seen.push(payload))
    const error = await replicator.syncNow('users').catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'SOURCE_AUTH_FAILED' })
    seen.push(error, JSON.stringify(error), await replicator.status(), await replicator.logs(), await replicator.plan().catch((caught: unknown) => caught))
    await replicator.stop()
    seen.push(replica.rows('SELECT * FROM tidemark_replication_configs'), replica.rows('SELECT * FROM tidemark_replication_logs'), replicator)
    expect(inspect(seen, { depth: Infinity, showHidden: true })).not.toContain('hunter2')
  })

  test('a server that is down', async (source, replica) => {
    const url = new URL(source.url)
    url.port = '1'
    await using replicator = replicateUrl(url.href, replica, { retry: { attempts: 3, baseMs: 10, maxMs: 20 } }, source)
    const retries: number[] = []
    replicator.on('sync:retry', ({ attempt }) => retries.push(attempt))
    await expect(replicator.syncNow('users')).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE', retryable: true })
    expect(retries).toEqual([1, 2])
  })

  test('a row over the target\'s limit', async (source, replica) => {
    await source.execute(`INSERT INTO users (email) VALUES ('${'x'.repeat(60)}')`)
    const target = nodeSqliteTarget({ path: replica.path, maxRowBytes: 50 })
    await using replicator = replicate(source, replica, { table: 'users', replicator: { target } })
    await expect(replicator.syncNow('users')).rejects.toMatchObject({ code: 'TARGET_ROW_TOO_LARGE' })
    expect((await replicator.status())[0]).toMatchObject({ phase: 'loading' })
  })

  test('a signal that fires: settled within a second, and the next sync goes on', async (source, replica) => {
    await using replicator = replicate(source, replica, { table: 'users' })
    const controller = new AbortController()
    replicator.on('sync:start', () => controller.abort())
    await expect(replicator.syncNow('users', { signal: controller.signal })).rejects.toMatchObject({ code: 'ABORTED', name: 'AbortError' })
    expect(await replicator.syncNow('users')).toMatchObject({ rows: 2 })
  })

  test('a checkpoint of a newer release is left alone', async (source, replica) => {
    {
      await using replicator = replicate(source, replica, { table: 'users' })
      await replicator.syncNow('users')
    }
    replica.execute("UPDATE tidemark_meta SET value = '99' WHERE key = 'schema_version'")
    await using replicator = replicate(source, replica, { table: 'users' })
    await expect(replicator.syncNow('users')).rejects.toMatchObject({ code: 'STATE_NEWER' })
  })
}

function replicateUrl(url: string, replica: Replica, options: Partial<ReplicatorOptions>, source: SourceFixture): Replicator {
  return new Replicator({
    target: nodeSqliteTarget({ path: replica.path }),
    ...options,
    replications: [{ name: 'users', source: source.sourceAt(url), sourceTable: 'users', schedule: 'manual' }],
  })
}

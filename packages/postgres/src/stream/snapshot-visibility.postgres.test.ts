import { setTimeout } from 'node:timers/promises'
import { ChangeStream } from '@tidemark/core'
import { memoryStateStore } from '@tidemark/core/testing'
import { startPostgres } from '@tidemark/test-servers'
import postgres from 'postgres'
import { expect, it } from 'vitest'
import { postgresChanges } from './postgres-changes.ts'
import { Replica } from './test/replica.ts'
import { makeDatabase, versions, type StreamDatabase } from './test/stream-database.ts'
import { startWriters } from './test/writers.ts'

const TABLES = ['first', 'second']
const WRITERS = 4
/** Commits that were held up, at least. */
const ENOUGH = 40

interface Janitor {
  readonly released: number
  stop(): Promise<void>
}

/** Lets commits become visible one at a time, after a while: until then they are in the log and nobody sees them. */
function releaseCommits(admin: postgres.Sql): Janitor {
  let [isStopped, released] = [false, 0]
  const run = async (): Promise<void> => {
    while (!isStopped) {
      const rows = await admin`SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep' ORDER BY random() LIMIT 1`
      released += rows.length
      // A stand-in for the time that a far standby takes; nothing waits for it.
      await setTimeout(3)
    }
  }
  const running = run()
  return {
    get released() {
      return released
    },
    stop: async () => {
      isStopped = true
      await running
    },
  }
}

async function rowsOf({ sql }: StreamDatabase, table: string): Promise<readonly string[]> {
  return (await sql.unsafe(`SELECT id, n, note FROM ${table} ORDER BY id`)).map((row) => JSON.stringify(row))
}

it.each(versions)('a snapshot of postgres %s is exact where transactions are in the log before others see them', { timeout: 120_000 }, async (version) => {
  await using server = await startPostgres({ version, settings: { synchronous_commit: 'local' } })
  await using database = await makeDatabase(server)
  for (const table of TABLES) await database.sql.unsafe(`CREATE TABLE ${table} (id int4 PRIMARY KEY, n int4, note text); INSERT INTO ${table} SELECT i, 0, 'start' FROM generate_series(1, 2000) i`)
  // A standby that never comes: who asks for its word at a commit waits until somebody cancels the wait.
  await database.admin`ALTER SYSTEM SET synchronous_standby_names = 'ghost'`
  await database.admin`SELECT pg_reload_conf()`
  await using resources = new AsyncDisposableStack()
  const waiting = postgres(database.url, { max: WRITERS, onnotice: () => undefined, connection: { synchronous_commit: 'on' } })
  resources.defer(() => waiting.end({ timeout: 1 }))
  const janitor = releaseCommits(database.admin)
  const writers = startWriters(waiting, { tables: TABLES, seed: 23, writers: WRITERS })
  const source = postgresChanges({ url: database.url, slot: database.slot, tables: TABLES, snapshotAgeMs: 1 })
  await using stream = new ChangeStream({ source, checkpoints: memoryStateStore(), snapshot: 'initial', batch: { events: 60 } })
  const replica = new Replica()
  const marked = new Promise<void>((resolve, reject) => {
    void stream.on('snapshot', ({ phase }) => {
      if (phase === 'completed') void writers.stop().then(() => database.sql`INSERT INTO second VALUES (-1, 0, 'mark')`).catch(reject)
    })
    void stream.subscribe({ id: 'replica' }, ({ events }) => {
      replica.apply(events)
      if (events.some(({ op, key }) => op !== 'snapshot' && key?.['id'] === -1)) resolve()
    }).then((subscription) => subscription.done.catch(reject), reject)
  })
  await marked
  await janitor.stop()
  for (const table of TABLES) expect(replica.rows(table)).toEqual(await rowsOf(database, table))
  expect(replica.regressions).toEqual([])
  expect(janitor.released).toBeGreaterThan(ENOUGH)
})

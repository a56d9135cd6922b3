import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { runWorker } from '@tidemark/test-servers/run-worker'
import { startPostgres } from '@tidemark/test-servers'
import { expect, it } from 'vitest'
import { makeDatabase, openStreamDatabase, type StreamDatabase } from './test/stream-database.ts'
import { startWriters } from './test/writers.ts'

const WORKER = fileURLToPath(new URL('test/replica-worker.ts', import.meta.url))

async function withFile(work: (path: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-stream-'))
  try {
    await work(join(folder, 'replica.db'))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function createTable({ sql }: StreamDatabase): Promise<void> {
  await sql.unsafe('CREATE TABLE items (id int4 PRIMARY KEY, n int4, note text); INSERT INTO items SELECT i, 0, \'start\' FROM generate_series(1, 2000) i')
}

function copied(path: string): readonly unknown[] {
  using database = new DatabaseSync(path, { readOnly: true })
  return database.prepare('SELECT id, n, note FROM items ORDER BY id').all().map((row) => ({ ...row }))
}

/** One life of the process. */
function live(database: StreamDatabase, path: string, killAfter: number, kind: 'streamed' | 'polled' = 'streamed'): ReturnType<typeof runWorker> {
  return runWorker({ file: WORKER, args: [database.url, database.slot, path, kind], killAfter, onLine: () => Promise.resolve() })
}

it('a copy is the same after its process was killed again and again, and each change took effect once', async () => {
  await using database = await openStreamDatabase(undefined)
  await createTable(database)
  await withFile(async (path) => {
    const writers = startWriters(database.sql, { tables: ['items'], seed: 3, writers: 2 })
    for (const batches of [0, 1, 2, 5, 9, 14, 20, 30]) expect(await live(database, path, batches)).toMatchObject({ wasKilled: true })
    await writers.stop()
    await database.sql`INSERT INTO items VALUES (2000000, 0, 'mark')`
    expect(await live(database, path, Infinity)).toMatchObject({ wasKilled: false })
    expect(copied(path)).toEqual([...await database.sql`SELECT id, n, note FROM items ORDER BY id`])
  })
})

it('a copy that is polled for is the same after its process was killed again and again, also within a transaction that comes in parts', async () => {
  await using database = await openStreamDatabase(undefined)
  await database.sql.unsafe('CREATE TABLE items (id int4 PRIMARY KEY, n int4, note text)')
  await withFile(async (path) => {
    const first = live(database, path, 0, 'polled')
    while (await database.slotColumn('slot_name') === undefined) await database.sql`SELECT pg_sleep(0.02)`
    // Without a snapshot a copy has what came once it had said where it begins: killed before, it begins anew, with an empty table.
    await database.sql.unsafe('INSERT INTO items SELECT i, 0, \'start\' FROM generate_series(1, 1000) i')
    expect(await first).toMatchObject({ wasKilled: true })
    const writers = startWriters(database.sql, { tables: ['items'], seed: 5, writers: 2 })
    for (const batches of [1, 2, 5, 9, 14]) expect(await live(database, path, batches, 'polled')).toMatchObject({ wasKilled: true })
    await writers.stop()
    await database.sql`INSERT INTO items VALUES (2000000, 0, 'mark')`
    expect(await live(database, path, Infinity, 'polled')).toMatchObject({ wasKilled: false })
    expect(copied(path)).toEqual([...await database.sql`SELECT id, n, note FROM items ORDER BY id`])
  })
})

it('a copy is the same after the server was killed again and again', async () => {
  await using server = await startPostgres({ restartable: true })
  await using database = await makeDatabase(server)
  await createTable(database)
  await withFile(async (path) => {
    const running = live(database, path, Infinity)
    for (let round = 0; round < 4; round += 1) {
      await database.sql`UPDATE items SET n = n + 1 WHERE id % 7 = ${round}`
      await server.restart('kill')
    }
    await database.sql`INSERT INTO items VALUES (2000000, 0, 'mark')`
    await running
    expect(copied(path)).toEqual([...await database.sql`SELECT id, n, note FROM items ORDER BY id`])
  })
})

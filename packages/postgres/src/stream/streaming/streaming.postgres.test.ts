import type postgres from 'postgres'
import { describe, expect, it } from 'vitest'
import { Replica } from '../test/replica.ts'
import { openStreamDatabase, versions, type StreamDatabase } from '../test/stream-database.ts'
import { expectSame } from './test/expect-same.ts'
import { ObservedSpool } from './test/observed-spool.ts'
import { beginReading, eventsOf, MARK, readLog, type Told } from './test/read-log.ts'

const MEMORY_BYTES = 1024 * 1024
const TABLES = ['items', 'others']

type Run = (text: string) => Promise<unknown>

interface Scenario {
  readonly what: string
  /** `open` begins a transaction on a connection of its own; `sent` waits until the server has sent what there is, so that it can't yet know what is taken back. */
  happen(sql: postgres.Sql, open: () => Promise<Run>, sent: () => Promise<void>): Promise<void>
}

/** Rows of a kilobyte. */
function rows(first: number, count: number, table = 'items'): string {
  return `INSERT INTO ${table} SELECT i, 0, repeat('x', 1000) FROM generate_series(${first}, ${first + count - 1}) i`
}

const scenarios: readonly Scenario[] = [
  {
    what: 'large transactions that go on at the same time, with small ones between, and one that is rolled back',
    happen: async (sql, open, sent) => {
      const [a, b, c] = [await open(), await open(), await open()]
      for (let round = 0; round < 6; round += 1) {
        await a(rows(round * 1_000, 300))
        await b(rows(100_000 + round * 1_000, 300))
        await c(rows(200_000 + round * 1_000, 300))
        await sql.unsafe(`INSERT INTO others VALUES (${round}, 0, 'small'); UPDATE others SET n = n + 1`)
      }
      await sent()
      await c('ROLLBACK')
      await b('COMMIT')
      await sql`INSERT INTO others VALUES (1000, 0, 'between')`
      await a(`UPDATE items SET n = n + 1 WHERE id < 200; DELETE FROM items WHERE id BETWEEN 5000 AND 5100; COMMIT`)
    },
  },
  {
    what: 'savepoints that are taken back, one in another, and released',
    happen: async (_, open, sent) => {
      const run = await open()
      await run(rows(0, 200))
      await run(`SAVEPOINT a; ${rows(1_000, 600)}; SAVEPOINT b; ${rows(2_000, 600)}; RELEASE b; ${rows(3_000, 300)}`)
      await sent()
      await run(`ROLLBACK TO a; SAVEPOINT c; ${rows(4_000, 200)}; SAVEPOINT d; ${rows(5_000, 900)}`)
      await sent()
      await run(`ROLLBACK TO d; ${rows(6_000, 200)}; RELEASE c; SAVEPOINT e; UPDATE items SET n = n + 1; SAVEPOINT f; DELETE FROM items WHERE id % 2 = 0`)
      await sent()
      await run(`ROLLBACK TO f; RELEASE e; ${rows(7_000, 200)}; COMMIT`)
    },
  },
  {
    what: 'tables that are first changed in a savepoint that is taken back',
    happen: async (sql, open, sent) => {
      const run = await open()
      await run(`SAVEPOINT a; ${rows(0, 400)}; ${rows(0, 400, 'others')}`)
      await sent()
      await run(`ROLLBACK TO a; ${rows(1_000, 400)}; COMMIT`)
      await sql.unsafe('INSERT INTO items VALUES (5000, 1, NULL); INSERT INTO others VALUES (1, 7, NULL)')
    },
  },
  {
    what: 'columns that change within a transaction, and those that were taken back',
    happen: async (sql, open, sent) => {
      const run = await open()
      await run(`${rows(0, 300)}; ALTER TABLE items ADD extra int4; ${rows(1_000, 300)}; UPDATE items SET extra = 1 WHERE id < 100`)
      await run(`SAVEPOINT a; ALTER TABLE items ADD never text; ${rows(2_000, 300)}; UPDATE items SET never = 'never'`)
      await sent()
      await run(`ROLLBACK TO a; ${rows(3_000, 300)}; ALTER TABLE items RENAME extra TO more; ${rows(4_000, 200)}; COMMIT`)
      const other = await open()
      await other(`ALTER TABLE items ADD gone int4; ${rows(5_000, 400)}; ALTER TABLE others DROP n; INSERT INTO others SELECT i, 'x' FROM generate_series(1, 2000) i`)
      await sent()
      await other('ROLLBACK')
      await sql.unsafe('INSERT INTO items VALUES (6000, 1, \'y\', 2); INSERT INTO others VALUES (1, 1, \'z\')')
    },
  },
  {
    what: 'truncated tables, moved keys and large values that stay as they are',
    happen: async (sql, open, sent) => {
      await sql.unsafe(`ALTER TABLE items ALTER note SET STORAGE EXTERNAL; ALTER TABLE others ALTER note SET STORAGE EXTERNAL; ALTER TABLE others REPLICA IDENTITY FULL; ${rows(0, 100, 'others')}`)
      const run = await open()
      await run(`INSERT INTO items SELECT i, 0, repeat('y', 9000) FROM generate_series(1, 100) i; UPDATE items SET n = 1; UPDATE items SET id = id + 1000`)
      await run(`INSERT INTO others SELECT i, 0, repeat('y', 9000) FROM generate_series(201, 300) i; UPDATE others SET n = 1; SAVEPOINT a; TRUNCATE others, items; ${rows(7_000, 100)}`)
      await sent()
      await run(`ROLLBACK TO a; TRUNCATE items; ${rows(5_000, 100)}; COMMIT`)
    },
  },
  {
    what: 'a transaction of very many savepoints',
    happen: async (_, open) => {
      const run = await open()
      await run(`DO $$ BEGIN FOR i IN 1..1500 LOOP
        BEGIN INSERT INTO items VALUES (i, 0, repeat('z', 1000)); IF i % 3 = 0 THEN RAISE EXCEPTION 'no'; END IF; EXCEPTION WHEN raise_exception THEN NULL; END;
      END LOOP; END $$; COMMIT`)
    },
  },
]

/** Connections of transactions, ended with the test. */
async function within(sql: postgres.Sql, work: (open: () => Promise<Run>) => Promise<void>): Promise<void> {
  const reserved: postgres.ReservedSql[] = []
  try {
    await work(async () => {
      const own = await sql.reserve()
      reserved.push(own)
      await own`BEGIN`
      return (text) => own.unsafe(text)
    })
  } finally {
    for (const own of reserved) own.release()
  }
}

/** Until both readers have been sent all of the log, also of what has not ended. */
async function untilSent({ admin }: StreamDatabase): Promise<void> {
  // A commit has the log written up to here.
  await admin`SELECT pg_logical_emit_message(true, 'written', '')`
  const [row] = await admin`SELECT pg_current_wal_flush_lsn()::text AS lsn`
  for (let isSent = false; !isSent;) {
    const [senders] = await admin`SELECT pg_sleep(0.02), bool_and(sent_lsn >= ${String(row?.['lsn'])}::pg_lsn) AS sent FROM pg_stat_replication JOIN pg_replication_slots ON active_pid = pid WHERE database = current_database()`
    isSent = senders?.['sent'] === true
  }
}

async function createTables({ sql }: StreamDatabase): Promise<void> {
  await sql.unsafe('CREATE TABLE items (id int4 PRIMARY KEY, n int4, note text); CREATE TABLE others (id int4 PRIMARY KEY, n int4, note text)')
}

async function expectRows({ sql }: StreamDatabase, told: Told): Promise<void> {
  const replica = new Replica()
  replica.apply(eventsOf(told))
  for (const table of TABLES) {
    const expected = await sql.unsafe<{ id: number, n: number, length: number | null }[]>(`SELECT id, n, length(note) AS length FROM ${table} ORDER BY id`)
    // Of the columns that every row has had all along.
    const copied = replica.rows(table).map((text) => JSON.parse(text) as Readonly<Record<string, unknown>>).map(({ id, n, note }) => ({ id, n, length: typeof note === 'string' ? note.length : null }))
    expect(copied).toEqual([...expected].map(({ id, n, length }) => ({ id, n, length })))
  }
}

describe.each(versions)('transactions that postgres %s sends before they have ended', (version) => {
  it.each(scenarios)('are delivered as if it had sent them afterwards: $what', async ({ happen }) => {
    await using database = await openStreamDatabase(version)
    const { sql, admin, slot } = database
    await createTables(database)
    const spool = new ObservedSpool()
    const streaming = { memoryBytes: MEMORY_BYTES, spool }
    const first = beginReading(database, { tables: TABLES, streaming })
    await first.isOpen
    const second = beginReading(database, { slot: `${slot}_b`, tables: TABLES, streaming: false })
    await second.isOpen
    await within(sql, (open) => happen(sql, open, () => untilSent(database)))
    await sql`INSERT INTO items (id) VALUES (${MARK})`
    const told = await first.told
    expectSame(told, await second.told)
    // Once more, when all of it has happened: whoever comes later finds other columns at first.
    const again = await readLog(database, { tables: TABLES, streaming: false })
    expectSame(await readLog(database, { tables: TABLES, streaming, limit: { events: 7, bytes: 10_000 } }), again)
    await expectRows(database, told)
    const [stats] = await admin`SELECT stream_txns::int4 AS count FROM pg_stat_replication_slots WHERE slot_name = ${slot}`
    expect(stats?.['count']).toBeGreaterThan(0)
    expect(spool.left).toBe(0)
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Replica } from '../test/replica.ts'
import { openStreamDatabase, versions, type StreamDatabase } from '../test/stream-database.ts'
import { histories, SHARED, type History, type Step } from './test/history.ts'
import { expectSame } from './test/expect-same.ts'
import { ObservedSpool } from './test/observed-spool.ts'
import { beginReading, eventsOf, MARK } from './test/read-log.ts'

const RUNS = 6
/** A few statements make a transaction that is sent early, where not every change is. Longer ones would be compressed. */
const ROW_BYTES = 1_000
const ROWS = 50
const OWN = 4
const TABLES = [...Array.from({ length: SHARED }, (_, table) => `shared_${table}`), ...Array.from({ length: OWN }, (_, table) => `own_${table}`)]

async function createTables({ sql }: StreamDatabase): Promise<void> {
  for (const table of TABLES) await sql.unsafe(`CREATE TABLE ${table} (id int4 PRIMARY KEY, n int4, note text)`)
}

/** Statements of a transaction, one behind the other: rows that come, change and go, and savepoints. */
class Statements {
  readonly #own: number
  /** Of the columns that come: tables stay as they are from run to run. */
  readonly #prefix: string
  #rows = 0
  #names = 0

  constructor(own: number, prefix: string) {
    this.#own = own
    this.#prefix = prefix
  }

  of(steps: readonly Step[]): readonly string[] {
    return steps.flatMap((step): readonly string[] => {
      switch (step.kind) {
        case 'row': return [this.#row(step)]
        case 'alter': return [`ALTER TABLE own_${this.#own} ADD ${this.#prefix}_${this.#names++} int4 DEFAULT ${this.#names}`]
        case 'savepoint': {
          const name = `s${this.#names++}`
          return [`SAVEPOINT ${name}`, ...this.of(step.steps), step.isKept ? `RELEASE ${name}` : `ROLLBACK TO ${name}`]
        }
        default: return step satisfies never
      }
    })
  }

  #row({ table, bytes }: Extract<Step, { readonly kind: 'row' }>): string {
    const name = table === SHARED ? `own_${this.#own}` : `shared_${table}`
    // Rows of its own only: nobody is waited for.
    const first = 10_000 * (this.#own + 1)
    const range = `id BETWEEN ${first} AND ${first + 9_999}`
    this.#rows += ROWS
    switch (bytes % 5) {
      case 0: return `UPDATE ${name} SET n = n + 1 WHERE ${range}`
      case 1: return `DELETE FROM ${name} WHERE ${range} AND id % 3 = 0`
      default: return `INSERT INTO ${name} (id, n, note) SELECT i, 0, repeat('x', ${ROW_BYTES + bytes % 500}) FROM generate_series(${first + this.#rows}, ${first + this.#rows + ROWS - 1}) i`
    }
  }
}

/** Does what the history says, each transaction on a connection of its own. */
async function happen({ sql, admin }: StreamDatabase, { transactions, order }: History, run: number): Promise<void> {
  const open = await Promise.all(transactions.map(async ({ steps, isCommitted }, index) => {
    const own = await sql.reserve()
    const statements = ['BEGIN', ...new Statements(index, `run_${run}`).of(steps), isCommitted ? 'COMMIT' : 'ROLLBACK']
    return { own, advance: async (): Promise<boolean> => {
      const statement = statements.shift()
      if (statement !== undefined) await own.unsafe(statement)
      return statement !== undefined
    } }
  }))
  let small = 0
  for (const turn of order) {
    if (typeof turn === 'number') await open[turn % open.length]?.advance()
    else await admin.unsafe(`INSERT INTO shared_0 VALUES (${++small}, 0, '${turn}')`)
  }
  for (const { own, advance } of open) {
    while (await advance());
    own.release()
  }
}

async function expectRows({ sql }: StreamDatabase, replica: Replica): Promise<void> {
  for (const table of TABLES) {
    const rows = await sql.unsafe<{ id: number; n: number }[]>(`SELECT id, n FROM ${table} ORDER BY id`)
    expect(replica.rows(table).map((text) => JSON.parse(text) as { id: number; n: number }).map(({ id, n }) => `${table} ${id} ${n}`)).toEqual(rows.map(({ id, n }) => `${table} ${id} ${n}`))
  }
}

describe.each(versions)('histories of nested savepoints at postgres %s', (version) => {
  it('are told the same whether or not transactions are sent early, and as the tables are', async () => {
    await using database = await openStreamDatabase(version)
    const { sql, admin, slot } = database
    await createTables(database)
    let run = 0
    let streamed = 0
    await fc.assert(fc.asyncProperty(histories, async (history) => {
      run += 1
      await sql.unsafe(`TRUNCATE ${TABLES.join(', ')}`)
      const spool = new ObservedSpool()
      const [early, late] = [`${slot}_early_${run}`, `${slot}_late_${run}`]
      const first = beginReading(database, { slot: early, tables: TABLES, streaming: { memoryBytes: 1 << 20, spool }, isImmediate: Number(version ?? 0) >= 16 })
      await first.isOpen
      const second = beginReading(database, { slot: late, tables: TABLES, streaming: false })
      await second.isOpen
      await happen(database, history, run)
      await sql`INSERT INTO shared_0 VALUES (${MARK}, 0, 'mark')`
      const told = await first.told
      expectSame(told, await second.told)
      const replica = new Replica()
      replica.apply(eventsOf(told))
      await expectRows(database, replica)
      expect(spool.left).toBe(0)
      const [stats] = await admin`SELECT stream_txns::int4 AS count FROM pg_stat_replication_slots WHERE slot_name = ${early}`
      streamed += Number(stats?.['count'] ?? 0)
      await admin`SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name IN (${early}, ${late})`
    }), { numRuns: RUNS, interruptAfterTimeLimit: 90_000, markInterruptAsFailure: true })
    expect(streamed).toBeGreaterThan(0)
  })
})

import { afterAll, beforeAll, describe as group, expect, it } from 'vitest'
import type { Cursor, Mark, RowPage, TableSchema } from '@tidemark/core/adapter'
import type { MysqlSourceConnection } from './mysql-source-connection.ts'
import { describe, openTestDatabase, type TestDatabase } from './test/test-database.ts'

let database: TestDatabase
let source: MysqlSourceConnection

beforeAll(async () => {
  database = await openTestDatabase()
  source = await database.connectSource()
})

afterAll(async () => {
  await database[Symbol.asyncDispose]()
})

async function makeTable(name: string, columns = 'id INT AUTO_INCREMENT PRIMARY KEY, v INT'): Promise<TableSchema> {
  await database.writer.query(`CREATE TABLE ${name} (${columns}) ENGINE = InnoDB`)
  return describe(database, source, name)
}

const cursor = (value: number): Cursor => ({ tracking: String(value), key: [String(value)] })
const mark = (at: Cursor, fence = 'locks@1'): Mark => ({ cursor: at, fence, readAtMs: 0 })
const ids = (page: RowPage): readonly unknown[] => page.rows.map((row) => row[0])

function read(table: TableSchema, request: { readonly after?: Cursor | undefined; readonly marks?: readonly Mark[]; readonly limit?: number; readonly tracking?: string }): Promise<RowPage> {
  return source.readRows({ table, columns: table.columns, key: ['id'], tracking: 'id', limit: 100, ...request })
}

group('share locks', () => {
  it('refuse while a lower row is uncommitted, and settle with that row in the page', async () => {
    const table = await makeTable('late')
    const early = await database.connectWriter()
    await early.query('START TRANSACTION; INSERT INTO late (v) VALUES (1)')
    await database.writer.query('INSERT INTO late (v) VALUES (2)')
    const first = await read(table, {})
    expect(ids(first)).toEqual([2])
    const held = await read(table, { marks: [mark(cursor(2), first.fence)] })
    expect(held.settledMarks).toBe(0)
    expect(ids(held)).toEqual([2])
    await early.query('COMMIT')
    const settled = await read(table, { marks: [mark(cursor(2), first.fence)] })
    expect(settled.settledMarks).toBe(1)
    expect(ids(settled)).toEqual([1, 2])
  })

  it('meet an uncommitted update that leaves the tracking value as it is', async () => {
    const table = await makeTable('same', 'id INT PRIMARY KEY, at DATETIME NOT NULL, v INT, KEY (at)')
    await database.writer.query('INSERT INTO same VALUES (1, \'2024-01-01 00:00:00\', 1), (2, \'2024-01-01 00:00:00\', 2)')
    const late = await database.connectWriter()
    await late.query('START TRANSACTION; UPDATE same SET v = 9, at = \'2024-01-01 00:00:00\' WHERE id = 1')
    const at = { tracking: '2024-01-01 00:00:00', key: ['2'] }
    expect((await read(table, { tracking: 'at', marks: [mark(at)] })).settledMarks).toBe(0)
    await late.query('COMMIT')
    const page = await read(table, { tracking: 'at', marks: [mark(at)] })
    expect(page.settledMarks).toBe(1)
    expect(page.rows[0]?.[2]).toBe(9)
  })

  it('meet an uncommitted delete and a row moved into the window', async () => {
    const table = await makeTable('moved', 'id INT PRIMARY KEY, at INT NOT NULL, KEY (at)')
    await database.writer.query('INSERT INTO moved VALUES (1, 1), (2, 20), (3, 30)')
    const late = await database.connectWriter()
    await late.query('START TRANSACTION; UPDATE moved SET at = 25 WHERE id = 1')
    const marks = [mark({ tracking: '30', key: ['3'] })]
    const after = { tracking: '10', key: ['0'] }
    expect((await read(table, { tracking: 'at', after, marks })).settledMarks).toBe(0)
    await late.query('ROLLBACK; START TRANSACTION; DELETE FROM moved WHERE id = 2')
    expect((await read(table, { tracking: 'at', after, marks })).settledMarks).toBe(0)
    await late.query('COMMIT')
    const page = await read(table, { tracking: 'at', after, marks })
    expect(page.settledMarks).toBe(1)
    expect(ids(page)).toEqual([3])
  })

  it('settle older marks below a writer that holds the newest', async () => {
    const table = await makeTable('partly')
    await database.writer.query('INSERT INTO partly (v) VALUES (1), (2), (3), (4)')
    const late = await database.connectWriter()
    await late.query('START TRANSACTION; UPDATE partly SET v = 9 WHERE id = 4')
    const marks = [1, 2, 3, 4].map((value) => mark(cursor(value)))
    // A server without NOWAIT tries one mark for a page, so it takes more pages to come down.
    let settled = 0
    for (let i = 0; i < 4 && settled === 0; i++) settled = (await read(table, { marks })).settledMarks
    expect(settled).toBeGreaterThan(0)
    expect(settled).toBeLessThan(4)
    await late.query('ROLLBACK')
  })

  it('bring the rows behind the window in the same page, and say whether it is the last', async () => {
    const table = await makeTable('behind')
    await database.writer.query('INSERT INTO behind (v) VALUES (1), (2), (3), (4), (5)')
    const page = await read(table, { marks: [mark(cursor(2))], limit: 4 })
    expect(page).toMatchObject({ settledMarks: 1, isLast: false, last: cursor(4) })
    expect(ids(page)).toEqual([1, 2, 3, 4])
    const inside = await read(table, { marks: [mark(cursor(4))], limit: 2 })
    expect(inside).toMatchObject({ settledMarks: 1, isLast: false, last: cursor(2) })
    const whole = await read(table, { marks: [mark(cursor(2))], limit: 6 })
    expect(whole).toMatchObject({ settledMarks: 1, isLast: true, last: cursor(5) })
    const passed = await read(table, { after: cursor(4), marks: [mark(cursor(2))] })
    expect(passed).toMatchObject({ settledMarks: 1, isLast: true })
    expect(ids(passed)).toEqual([5])
  })

  it('prove a page in key order for marks of a tracking order', async () => {
    const table = await makeTable('reread', 'id INT PRIMARY KEY, at INT NOT NULL, KEY (at)')
    await database.writer.query('INSERT INTO reread VALUES (1, 3), (2, 2), (3, 1)')
    const late = await database.connectWriter()
    await late.query('START TRANSACTION; UPDATE reread SET at = 3 WHERE id = 3')
    const request = { table, columns: table.columns, key: ['id'], marks: [mark({ tracking: '3', key: ['1'] })] }
    expect(await source.readRows({ ...request, limit: 2 })).toMatchObject({ settledMarks: 1, isLast: false })
    expect(await source.readRows({ ...request, limit: 2, after: { key: ['2'] } })).toMatchObject({ settledMarks: 0 })
    await late.query('COMMIT')
    expect(await source.readRows({ ...request, limit: 2, after: { key: ['2'] } })).toMatchObject({ settledMarks: 1, isLast: true })
  })

  it('leave no lock behind', async () => {
    const table = await makeTable('freed')
    await database.writer.query('INSERT INTO freed (v) VALUES (1)')
    expect((await read(table, { marks: [mark(cursor(1))] })).settledMarks).toBe(1)
    await database.writer.query('SET innodb_lock_wait_timeout = 1; UPDATE freed SET v = 2; SET innodb_lock_wait_timeout = 50')
  })
})

group('a driver of marks', () => {
  /** The settled-cursor rule at its smallest: read from the settled cursor, make the end a mark, advance by proof. */
  async function follow(table: TableSchema, tracking: string, until: Promise<unknown>): Promise<ReadonlyMap<unknown, unknown>> {
    const copy = new Map<unknown, unknown>()
    let settled: Cursor | undefined
    let marks: Mark[] = []
    let pass: { readonly after: Cursor | undefined; readonly proved: number } | undefined
    let isDone = false
    void until.then(() => { isDone = true })
    for (let quiet = 0; quiet < 3;) {
      quiet = isDone ? quiet + 1 : 0
      do {
        const offered: Mark[] = marks.slice(0, pass?.proved)
        const page: RowPage = await read(table, { tracking, limit: 40, marks: offered, after: pass?.after ?? settled })
        for (const row of page.rows) copy.set(row[0], row[1])
        const proved: number = Math.min(pass?.proved ?? marks.length, page.settledMarks)
        const reached: Cursor | undefined = page.last ?? pass?.after
        if (!page.isLast) {
          pass = { after: reached, proved }
          continue
        }
        settled = marks[proved - 1]?.cursor ?? settled
        marks = marks.slice(proved)
        if (reached !== undefined) marks = [...marks.slice(-7), mark(reached, page.fence)]
        pass = undefined
      } while (pass !== undefined)
    }
    return copy
  }

  async function write(seed: number, transactions: number): Promise<void> {
    const writer = await database.connectWriter()
    let state = seed
    const random = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7f_ff_ff_ff
      return (state >> 8) % below
    }
    for (let i = 0; i < transactions; i++) {
      await writer.query('START TRANSACTION')
      for (let n = random(3); n >= 0; n--) await writer.query('INSERT INTO storm (v, at) VALUES (?, NOW(6))', [random(1000)])
      if (random(3) === 0) await writer.query('UPDATE storm SET v = v + 1, at = NOW(6) WHERE id = ?', [1 + random(50 + i)]).catch(() => undefined)
      await writer.query(`DO SLEEP(${random(20) / 1000})`)
      await writer.query(random(20) === 0 ? 'ROLLBACK' : 'COMMIT')
    }
  }

  it.each(['id', 'at'])('loses no row to late commits, tracking %s', async (tracking) => {
    await database.writer.query('DROP TABLE IF EXISTS storm')
    const table = await makeTable('storm', 'id INT AUTO_INCREMENT PRIMARY KEY, v INT, at DATETIME(6) NOT NULL, KEY (at)')
    const writers = Promise.all([1, 2, 3, 4].map((seed) => write(seed * 7919, 60)))
    const copy = await follow(table, tracking, writers)
    await writers
    const [rows] = await database.writer.query({ sql: 'SELECT id, v FROM storm', rowsAsArray: true })
    const truth = rows as unknown as readonly (readonly [number, number])[]
    expect(truth.length).toBeGreaterThan(200)
    const missing = truth.filter(([id, v]) => tracking === 'at' ? copy.get(id) !== v : !copy.has(id))
    expect(missing).toEqual([])
  })
})

group('without locks', () => {
  it('a table without row locks is settled by the list of transactions', async () => {
    await database.writer.query('CREATE TABLE plain (id INT PRIMARY KEY) ENGINE = MyISAM; INSERT INTO plain VALUES (1)')
    const table = await describe(database, source, 'plain')
    const page = await read(table, { marks: [mark(cursor(1))] })
    expect(page.fence).toMatch(/^transactions@\d+$/u)
  })

  it('a view waits for the transactions that were open at the mark', async () => {
    await makeTable('base')
    await database.writer.query('INSERT INTO base (v) VALUES (1); CREATE VIEW seen AS SELECT * FROM base')
    const table = await describe(database, source, 'seen')
    expect(table.kind).toBe('view')
    const open = await database.connectWriter()
    await open.query('START TRANSACTION; INSERT INTO base (v) VALUES (2)')
    const [clock] = await database.writer.query({ sql: 'SELECT UNIX_TIMESTAMP()', rowsAsArray: true })
    const now = Number(JSON.stringify(clock).replaceAll(/\D/gu, ''))
    const before = mark(cursor(1), `transactions@${now - 5}`)
    const during = mark(cursor(1), `transactions@${now}`)
    // The open transaction began after the first mark, but not after the second.
    await expect.poll(async () => (await read(table, { marks: [before, during] })).settledMarks).toBe(1)
    await open.query('ROLLBACK')
    await expect.poll(async () => (await read(table, { marks: [before, during] })).settledMarks, { timeout: 10_000 }).toBe(2)
  })
})

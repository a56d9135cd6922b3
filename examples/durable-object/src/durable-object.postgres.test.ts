import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { postgresForTests } from '@tidemark/test-servers/vitest'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Follower } from './test/follow.ts'
import { keptChanges } from './test/kept-changes.ts'
import { Example } from './test/start-example.ts'

const ROWS = 6_000
const FAR = { timeout: 90_000, interval: 20 }

const server = await postgresForTests()
const database = await server.createDatabase(`tidemark_example_${process.pid}`)
const sql = postgres(database.url, { max: 2, onnotice: () => {} })
const folder = mkdtempSync(join(tmpdir(), 'tidemark-example-'))

const FILL = String.raw`
  create table products (id bigint primary key, version int not null, name text, price numeric(12, 4), weight float8, photo bytea, sold boolean, seen timestamptz, updated_at timestamptz not null default clock_timestamp());
  create index on products (updated_at, id);
  insert into products select n, 0, 'product ' || n, n / 7.0, n / 3.0::float8, decode(repeat(md5(n::text), 64), 'hex'), n % 2 = 0, timestamptz '2024-01-02 03:04:05.123456Z' + n * interval '1 ms' from generate_series(1, ${ROWS}) n;
  update products set name = E'it''s; \n\ttab "é😀"', price = 'NaN', weight = '-Infinity', photo = '' where id = 1;
  update products set name = '', price = null, weight = 5e-324, photo = '\x00ff', sold = null, seen = null where id = 2;
  insert into products (id, version, name) values (9007199254740991, 0, repeat('long ', 20000))`

let example: Example
beforeAll(async () => {
  await sql.unsafe(FILL)
  example = await Example.start({ databaseUrl: database.url, folder })
})
afterAll(async () => {
  await example[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
  await sql.end({ timeout: 5 })
  await database[Symbol.asyncDispose]()
})

interface Replica {
  readonly phase: string
  readonly loadedRows?: number
  readonly lastError?: unknown
}

async function replica(): Promise<Replica> {
  const { configs } = await example.json<{ readonly configs: readonly Replica[] }>('/data/data-replication/status')
  return configs[0] ?? { phase: 'unknown' }
}

/** Writes until it is told to stop: new rows and changed ones. */
function writing({ from = ROWS }: { readonly from?: number } = {}): AsyncDisposable {
  let isStopped = false
  const done = (async () => {
    for (let id = from + 1; !isStopped; id += 1) {
      await sql`insert into products (id, version, name) values (${id}, 1, 'new')`
      await sql`update products set version = version + 1, updated_at = clock_timestamp() where id in (${id - 1}, ${1 + id % ROWS})`
    }
  })()
  return {
    [Symbol.asyncDispose]: async () => {
      isStopped = true
      await done
    },
  }
}

async function versions(): Promise<ReadonlyMap<number, number>> {
  const rows = await sql<{ id: string; version: number }[]>`select id, version from products`
  return new Map(rows.map(({ id, version }) => [Number(id), version]))
}

const follower = new Follower()

/** Until it has what PostgreSQL has, to which nobody writes meanwhile. */
async function followToTruth(): Promise<void> {
  const truth = await versions()
  expect(await follower.follow(example, (rows) => rows.size === truth.size && [...truth].every(([id, version]) => rows.get(id) === version))).toBe('reached')
}

/** A line a row: storage class and value of each cell, as the copy is documented to have it. */
const EXPECTED = `select 'integer ' || id || '|integer ' || version || '|' || coalesce('text ' || encode(convert_to(name, 'UTF8'), 'hex'), 'null') || '|' || coalesce('text ' || price, 'null') || '|'
  || coalesce(case when weight = '-Infinity' then 'text -Infinity' else 'real ' || encode(float8send(weight), 'hex') end, 'null') || '|' || coalesce('blob ' || encode(photo, 'hex'), 'null') || '|' || coalesce('integer ' || sold::int, 'null') || '|'
  || coalesce('text ' || to_char(seen at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'null') as line from products order by id`

function restoredLines(dump: Buffer): readonly string[] {
  const path = join(folder, 'restored.db')
  execFileSync('sqlite3', ['-bail', path], { input: dump })
  const columns = ['id', 'version', 'name', 'price', 'weight', 'photo', 'sold', 'seen']
  const cells = columns.map((column) => `CASE typeof(${column}) WHEN 'null' THEN 'null' WHEN 'blob' THEN 'blob ' || lower(hex(${column})) WHEN 'real' THEN 'real ' || ${column === 'weight' ? `printf('%!.17g', ${column})` : column}`
    + ` WHEN 'text' THEN 'text ' || ${column === 'name' ? 'lower(hex(name))' : column} ELSE typeof(${column}) || ' ' || ${column} END`)
  return execFileSync('sqlite3', [path, `SELECT ${cells.join(` || '|' || `)} FROM replica ORDER BY id`], { encoding: 'utf8', maxBuffer: 1e9 }).trimEnd().split('\n')
}

/** Doubles by their bits, on both sides. */
function withBits(line: string): string {
  return line.replace(/real (-?[0-9.e+-]+)(?=\|)/, (_, digits: string) => {
    const bytes = Buffer.alloc(8)
    bytes.writeDoubleBE(Number(digits))
    return `real ${bytes.toString('hex')}`
  })
}

describe('a replica of PostgreSQL in a Durable Object', { timeout: 240_000 }, () => {
  it('lets in nobody without a token', async () => {
    for (const path of ['/data/data-replication/status', '/data/export/dump', '/data/changes', '/notes', '/peer/notes', '/peer/propagate']) {
      expect([path, (await example.fetch(path, { headers: { authorization: 'Bearer guessed' } })).status]).toEqual([path, 401])
    }
  })

  it('is PostgreSQL to its followers, though it is killed while it loads and while it is followed', async () => {
    await expect.poll(replica, FAR).toMatchObject({ phase: 'loading', loadedRows: expect.any(Number) as number })
    await example.restart()
    await expect.poll(replica, FAR).toMatchObject({ phase: 'live' })

    await using stack = new AsyncDisposableStack()
    stack.use(writing())
    expect(await follower.follow(example, (rows) => rows.has(ROWS + 5))).toBe('reached')
    let killed: Promise<void> | undefined
    const ended = await follower.follow(example, (rows) => {
      if (rows.has(ROWS + 60)) killed ??= example.restart()
      return false
    })
    expect(ended).toBe('cut')
    await killed
    expect(follower.rows.has(ROWS + 60)).toBe(true)
    expect(await follower.follow(example, (rows) => rows.has(ROWS + 200))).toBe('reached')
    await stack.disposeAsync()
    await followToTruth()
  })

  it('dumps itself as it was when the dump began, though it is written to and killed meanwhile', async () => {
    const expected = (await sql.unsafe<{ line: string }[]>(EXPECTED)).map(({ line }) => line)
    const options = { method: 'POST', headers: { prefer: 'respond-async', 'content-type': 'application/json' }, body: JSON.stringify({ tables: ['replica'], partBytes: 5_242_880, pauseMs: 1_000 }) }
    const { exportId } = await example.json<{ readonly exportId: string }>('/data/export/dump', options)
    const status = (): Promise<{ readonly status: string; readonly totalRowsExported: number }> => example.json(`/data/export/status/${exportId}`)
    // From then on its instant is behind.
    await expect.poll(async () => (await status()).totalRowsExported, FAR).toBeGreaterThan(0)
    await using stack = new AsyncDisposableStack()
    stack.use(writing({ from: 2 * ROWS }))
    const firstNew = 2 * ROWS + 20
    expect(await follower.follow(example, (rows) => rows.has(firstNew))).toBe('reached')
    const { status: state, totalRowsExported } = await status()
    expect([state, totalRowsExported < expected.length]).toEqual(['processing', true])
    await example.restart()
    // Not without end: an object that takes in changes as fast as they can be made gets on with its dump as slowly as that leaves it.
    await stack.disposeAsync()
    await sql`update products set version = version + 1, updated_at = clock_timestamp() where id % 7 = 0`
    await expect.poll(async () => (await status()).status, FAR).toBe('completed')
    const dump = await (await example.fetch(`/data/export/download/${exportId}`)).arrayBuffer()
    const lines = restoredLines(Buffer.from(dump)).map(withBits)
    expect(lines.length).toBe(expected.length)
    expect(lines.filter((line, index) => line !== expected[index])).toEqual([])
    await followToTruth()
  })

  it('loses the rows that PostgreSQL has deleted, and tells its followers', async () => {
    await sql`delete from products where id % 10 = 3 or id = 9007199254740991`
    await example.restart({ RECONCILE_INTERVAL_MINUTES: '0.02' })
    await followToTruth()
    expect(follower.rows.has(3)).toBe(false)
  })

  it('keeps no more changes than it is told, though nobody follows', async () => {
    const { kept, lastLogged } = keptChanges(folder)
    expect(kept).toBeGreaterThan(50)
    await example.restart({ KEPT_CHANGES: '50', RECONCILE_INTERVAL_MINUTES: '1440' })
    // What was cut off goes on at once with any request.
    await replica()
    await sql`update products set version = version + 1, updated_at = clock_timestamp() where id <= 1000`
    const rows = Number((await sql`select count(*) as n from products where id <= 1000`)[0]?.['n'])
    expect(rows).toBeGreaterThan(800)
    // The update is logged, and all but the last of it forgotten.
    await expect.poll(() => keptChanges(folder).lastLogged, FAR).toBeGreaterThanOrEqual(lastLogged + rows)
    await expect.poll(() => keptChanges(folder).kept, FAR).toBeLessThanOrEqual(50)
  })

  it('has its notes at the peer, and its own job at the same alarm', async () => {
    for (const [body, query] of [['stays', ''], ['goes', '?expiresInSeconds=1']] as const) expect((await example.fetch(`/notes${query}`, { method: 'POST', body })).status).toBe(201)
    await expect.poll(() => example.json('/peer/notes'), FAR).toContain('stays')
    await expect.poll(() => example.json('/peer/notes'), FAR).toEqual(['stays'])
    expect(await example.json('/notes')).toEqual(['stays'])
  })
})

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { spawnCli, type Finished } from './test/spawn-cli.ts'
import { useTestDatabase } from './test/test-database.ts'

const database = await useTestDatabase('cli')
const folder = mkdtempSync(join(tmpdir(), 'tidemark-cli-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Where the gated load waits: beyond the first slice of 100,000 rows, before the end. */
const GATE_ROW = 150_000
const ROWS = 220_000

beforeAll(async () => {
  await database.execute(`
    CREATE TABLE users (id bigint PRIMARY KEY, name text, updated_at timestamptz NOT NULL DEFAULT now());
    INSERT INTO users SELECT g, 'name ' || g FROM generate_series(1, 1000) g;
    CREATE TABLE "Orders" (id int PRIMARY KEY, amount numeric(10,2));
    INSERT INTO "Orders" SELECT g, g / 4.0 FROM generate_series(1, 10) g;
    CREATE TABLE numbers (id int PRIMARY KEY, note text);
    INSERT INTO numbers SELECT g, 'n' || g FROM generate_series(1, ${ROWS}) g;
    -- A view that waits in the middle for as long as the test holds the lock.
    CREATE FUNCTION gate(id int) RETURNS text LANGUAGE plpgsql STABLE AS $$ BEGIN
      IF id = ${GATE_ROW} THEN PERFORM pg_advisory_lock_shared(1); PERFORM pg_advisory_unlock_shared(1); END IF;
      RETURN '';
    END $$;
    -- Rows must come one by one from the index: a sort, or a volatile gate, would pass the gate before the first row.
    DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET enable_sort = off', current_database()); END $$;
    CREATE VIEW gated AS SELECT id, note || gate(id) AS note FROM numbers;
    ANALYZE;
  `)
})

let files = 0
function newTarget(): string {
  files += 1
  return join(folder, `${files}.db`)
}

function cli(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Finished> {
  return spawnCli(args, { TIDEMARK_SOURCE_URL: database.url, ...environment }).finished
}

function rowsOf(path: string, sql: string): readonly Record<string, unknown>[] {
  const file = new DatabaseSync(path, { readOnly: true })
  try {
    return file.prepare(sql).all().map((row) => ({ ...row }))
  } finally {
    file.close()
  }
}

describe('sync', () => {
  test('copies, then takes what is new; people are told on stderr only', async () => {
    const target = newTarget()
    const args = ['sync', '--from', database.url, '--to', target, '--table', 'public.users', '--tracking', 'updated_at']
    const first = await cli(args)
    expect([first.code, first.stdout]).toEqual([0, ''])
    expect(first.stderr).toMatch(/^users: 1,000 rows in /m)
    expect(first.stderr).not.toContain('\u001B')
    expect(rowsOf(target, 'SELECT count(*) AS n, sum(id) AS sum FROM users')).toEqual([{ n: 1_000, sum: 500_500 }])
    await database.execute(`UPDATE users SET name = 'changed', updated_at = now() WHERE id = 7; INSERT INTO users VALUES (1001, 'new')`)
    const second = await cli(args)
    expect([second.code, second.stderr]).toEqual([0, expect.stringContaining('users: 2 rows in ')])
    expect(rowsOf(target, 'SELECT id, name FROM users WHERE id IN (7, 1001) ORDER BY id')).toEqual([{ id: 7, name: 'changed' }, { id: 1001, name: 'new' }])
    await database.execute(`DELETE FROM users WHERE id = 1001; UPDATE users SET name = 'name 7' WHERE id = 7`)
  })

  test('--json: objects only, the summary last; several tables with names and columns of their own', async () => {
    const target = newTarget()
    const result = await cli(['sync', '--to', `sqlite:${target}`, '--table', 'users=people', '--table', '"Orders"', '--tracking', 'users:updated_at', '--columns', 'users:name', '--json'])
    expect([result.code, result.stderr, result.lines.length]).toEqual([0, '', result.stdout.split('\n').length])
    expect(result.lines.filter((line) => line['type'] === 'result').map(({ name, rows, rowsRead }) => ({ name, rows, rowsRead }))).toEqual(
      expect.arrayContaining([{ name: 'people', rows: 1_000, rowsRead: 1_000 }, { name: 'Orders', rows: 10, rowsRead: 10 }]),
    )
    expect(result.lines.at(-1)).toEqual({
      type: 'summary', ok: true, rows: 1_010, durationMs: expect.any(Number), interrupted: false, exitCode: 0,
      tables: [{ name: 'people', ok: true, rows: 1_000, rowsRead: 1_000, code: null }, { name: 'Orders', ok: true, rows: 10, rowsRead: 10, code: null }],
    })
    expect(rowsOf(target, 'SELECT * FROM people WHERE id = 1')).toEqual([{ id: 1, name: 'name 1' }])
    expect(rowsOf(target, 'SELECT amount FROM Orders WHERE id = 1')).toEqual([{ amount: '0.25' }])
  })

  test('one unknown table fails by itself: the other is copied, the exit code says so', async () => {
    const target = newTarget()
    const result = await cli(['sync', '--to', target, '--table', 'nope', '--table', 'users'])
    expect(result.code).toBe(1)
    expect(result.stderr).toContain('nope: TABLE_UNKNOWN: ')
    expect(rowsOf(target, 'SELECT count(*) AS n FROM users')).toEqual([{ n: 1_000 }])
  })

  test('--resync and --reconcile heal a copy that was tampered with', async () => {
    const target = newTarget()
    const sync = (...more: string[]): Promise<Finished> => cli(['sync', '--to', target, '--table', 'users', '--quiet', ...more])
    expect(await sync()).toMatchObject({ code: 0, stdout: '', stderr: '' })
    for (const option of ['--reconcile', '--resync']) {
      const file = new DatabaseSync(target)
      file.exec("DELETE FROM users WHERE id <= 10; UPDATE users SET name = 'wrong' WHERE id = 20")
      file.close()
      expect((await sync(option)).code).toBe(0)
      expect(rowsOf(target, "SELECT count(*) AS n FROM users WHERE name = 'name ' || id")).toEqual([{ n: 1_000 }])
    }
  })

  test('a column that was added is told and filled; one that was dropped stops, and follows where that is asked for', async () => {
    const target = newTarget()
    const sync = (...more: string[]): Promise<Finished> => cli(['sync', '--to', target, '--table', 'drifting', '--json', ...more])
    await database.execute('CREATE TABLE drifting (id int PRIMARY KEY, old text); INSERT INTO drifting VALUES (1)')
    await sync()
    await database.execute('ALTER TABLE drifting ADD fresh int DEFAULT 5')
    expect((await sync()).lines).toContainEqual({ type: 'schema', name: 'drifting', action: 'alter-and-backfill', changes: [{ kind: 'added', column: 'fresh' }] })
    expect(rowsOf(target, 'SELECT * FROM drifting')).toEqual([{ id: 1, old: null, fresh: 5 }])
    await database.execute('ALTER TABLE drifting DROP old')
    const stopped = await sync()
    expect([stopped.code, stopped.lines.find((line) => line['type'] === 'error')]).toEqual([1, expect.objectContaining({ name: 'drifting', code: 'SCHEMA_DRIFT' })])
    expect((await sync('--on-schema-change', 'follow')).code).toBe(0)
    expect(rowsOf(target, 'SELECT * FROM drifting')).toEqual([{ id: 1, fresh: 5 }])
  })

  test('--every goes on until it is stopped and brings what is new', async () => {
    const target = newTarget()
    const running = spawnCli(['sync', '--to', target, '--table', '"Orders"', '--every', '1s', '--json'], { TIDEMARK_SOURCE_URL: database.url })
    await running.seen((line) => line['type'] === 'result' && line['rows'] === 10)
    await database.execute('INSERT INTO "Orders" VALUES (11, 1)')
    await running.seen((line) => line['type'] === 'result' && line['rows'] === 1)
    running.process.kill('SIGTERM')
    const end = await running.finished
    expect([end.code, end.lines.at(-1)]).toEqual([130, expect.objectContaining({ type: 'summary', ok: false, interrupted: true, rows: 11 })])
    await database.execute('DELETE FROM "Orders" WHERE id = 11')
  })
})

describe('a load that is cut short', () => {
  // Also after a failure: locks of one session add up, and the next test would wait for ever.
  afterEach(() => database.execute('SELECT pg_advisory_unlock_all()'))

  /** Holds the gate, begins a load, and waits for its first commit. */
  async function beginGated(target: string): Promise<ReturnType<typeof spawnCli>> {
    await database.execute('SELECT pg_advisory_lock(1)')
    const running = spawnCli(['sync', '--from', database.url, ...gatedArgs(target)])
    await running.seen((line) => line['type'] === 'progress' && line['phase'] === 'load')
    return running
  }

  function gatedArgs(target: string): readonly string[] {
    return ['--to', target, '--table', 'gated=numbers', '--key', 'id', '--json']
  }

  async function finish(target: string): Promise<Finished> {
    await database.execute('SELECT pg_advisory_unlock(1)')
    return cli(['sync', ...gatedArgs(target)])
  }

  function expectExactCopy(target: string): void {
    expect(rowsOf(target, `SELECT count(*) AS n, count(DISTINCT id) AS ids, min(id) AS low, max(id) AS high, sum(note = 'n' || id) AS notes FROM numbers`)).toEqual([
      { n: ROWS, ids: ROWS, low: 1, high: ROWS, notes: ROWS },
    ])
  }

  test('SIGINT: it stops with 130, keeps what is committed, and the same command goes on from there', async () => {
    const target = newTarget()
    const running = await beginGated(target)
    running.process.kill('SIGINT')
    const stopped = await running.finished
    expect([stopped.code, stopped.stderr, stopped.lines.at(-1)]).toEqual([130, '', expect.objectContaining({ ok: false, interrupted: true, exitCode: 130 })])
    const status = await cli(['status', '--to', target, '--json'])
    expect(status.lines).toEqual([expect.objectContaining({ name: 'numbers', phase: 'loading', loadedRows: expect.any(Number) })])
    const end = await finish(target)
    expect(end.code).toBe(0)
    // What the second run reads and what the first had committed make the table, no row twice.
    const committed = Number(status.lines[0]?.['loadedRows'])
    expect(committed).toBeGreaterThan(0)
    expect(end.lines.at(-1)).toMatchObject({ ok: true, rows: ROWS - committed })
    expectExactCopy(target)
  })

  test('SIGKILL: the next run takes the lease back at once and ends with every row', async () => {
    const target = newTarget()
    const running = await beginGated(target)
    running.process.kill('SIGKILL')
    expect((await running.finished).signal).toBe('SIGKILL')
    const end = await finish(target)
    expect([end.code, end.lines.filter((line) => line['type'] === 'error')]).toEqual([0, []])
    expectExactCopy(target)
  })

  test('the process table does not show the URL', async () => {
    const target = newTarget()
    const running = await beginGated(target)
    // Only Linux shows it as a file; elsewhere there is nothing to look at.
    const file = `/proc/${running.process.pid}/cmdline`
    const shown = existsSync(file) ? readFileSync(file, 'utf8') : 'tidemark'
    running.process.kill('SIGKILL')
    await running.finished
    expect(shown.replaceAll('\0', '')).toBe('tidemark')
  })
})

describe('what goes wrong', () => {
  const secret = 'hunter2-Se%2Fcret'

  test.each([['as text', []], ['as JSON', ['--json']]])('a refused login ends with 3 and shows no password, %s', async (_how, more) => {
    // A user that does not exist is refused by every server, also by one that trusts its own machine.
    const url = new URL(database.url)
    url.username = 'tidemark_nobody'
    url.password = secret
    for (const given of [{ args: ['--from', url.href], env: {} }, { args: ['--from', 'env:DB'], env: { DB: url.href } }]) {
      const result = await cli(['sync', ...given.args, '--to', newTarget(), '--table', 'users', ...more], given.env)
      expect([result.code, result.stdout + result.stderr]).toEqual([3, expect.stringContaining('SOURCE_AUTH_FAILED')])
      expect(result.stdout + result.stderr).not.toMatch(/hunter2|Se.{1,3}cret/)
    }
  })

  test('a source that does not answer ends with 3, a target that can not be opened with 4', async () => {
    const closed = await cli(['sync', '--from', 'postgres://u@127.0.0.1:1/d', '--to', newTarget(), '--table', 'users'])
    expect([closed.code, closed.stderr]).toEqual([3, expect.stringContaining('SOURCE_UNREACHABLE')])
    const nowhere = await cli(['sync', '--to', join(folder, 'no', 'such', 'folder.db'), '--table', 'users', '--json'])
    expect([nowhere.code, nowhere.lines[0]]).toEqual([4, expect.objectContaining({ type: 'error', name: null, code: 'TARGET_UNREACHABLE' })])
  })

  test('a table of the target that is not ours is left alone', async () => {
    const target = newTarget()
    const file = new DatabaseSync(target)
    file.exec("CREATE TABLE users (mine TEXT); INSERT INTO users VALUES ('kept')")
    file.close()
    const result = await cli(['sync', '--to', target, '--table', 'users'])
    expect([result.code, result.stderr]).toEqual([4, expect.stringContaining('TARGET_NOT_OWNED')])
    expect(rowsOf(target, 'SELECT * FROM users')).toEqual([{ mine: 'kept' }])
  })
})

describe('the commands that only look', () => {
  test('plan shows columns and types and creates no file', async () => {
    const target = newTarget()
    const text = await cli(['plan', '--to', target, '--table', '"Orders"'])
    expect([text.code, text.stderr]).toEqual([0, ''])
    expect(text.stdout).toMatch(/^"Orders" -> Orders: load/)
    expect(text.stdout).toMatch(/^ {2}amount +numeric\(10,2\) +text +decimal$/m)
    const json = await cli(['plan', '--table', '"Orders"', '--json'])
    expect(json.lines).toEqual([expect.objectContaining({ type: 'plan', name: 'Orders', action: 'load', key: ['id'], estimatedRows: 10 })])
    expect(existsSync(target)).toBe(false)
  })

  test('doctor: a table without fault, and one that can not be examined', async () => {
    const good = await cli(['doctor', '--table', '"Orders"', '--json'])
    expect([good.code, good.lines.at(-1)]).toEqual([0, expect.objectContaining({ type: 'summary', ok: true, errors: 0 })])
    const bad = await cli(['doctor', '--table', '"Orders"', '--table', 'nope'])
    expect([bad.code, bad.stderr]).toEqual([1, expect.stringContaining('nope: TABLE_UNKNOWN')])
    expect(bad.stdout).toContain('Orders: ')
  })

  test('status and logs tell what sync did', async () => {
    const target = newTarget()
    await cli(['sync', '--to', target, '--table', 'users', '--table', 'nope'])
    const status = await cli(['status', '--to', target, '--json'])
    expect(status.lines).toEqual([
      expect.objectContaining({ type: 'status', name: 'users', phase: 'live', trackingColumn: 'id', lastSyncValue: '1000', isActive: true }),
      expect.objectContaining({ type: 'status', name: 'nope', phase: 'new', lastSyncAt: null }),
    ])
    const logs = await cli(['logs', '--to', target, '--json'])
    expect(logs.lines.map(({ name, status, rows, code }) => ({ name, status, rows, code }))).toEqual(expect.arrayContaining([
      { name: 'users', status: 'success', rows: 1_000, code: null }, { name: 'nope', status: 'error', rows: 0, code: 'TABLE_UNKNOWN' },
    ]))
    const newest = await cli(['logs', '--to', target, '--limit', '1', '--name', 'users'])
    expect([newest.code, newest.stdout.split('\n').length]).toEqual([0, 2])
  })
})

describe('export', () => {
  test('writes a database of a server as SQL that psql loads', async () => {
    const to = join(folder, 'dumps')
    const { code, lines, stdout, stderr } = await spawnCli(['export', 'env:SOURCE', '--to', to, '--table', 'users', '--table', 'Orders', '--name', 'app', '--json'], { SOURCE: database.url }).finished
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const { exportId, ...rest } = lines.at(-1) as { readonly exportId: string } // as its documentation says
    expect(rest).toMatchObject({ type: 'result', status: 'completed', rows: 1_010, consistency: 'snapshot' })
    expect(readFileSync(join(to, exportId, 'app.sql'), 'utf8')).toContain('COPY "public"."users" ("id", "name", "updated_at") FROM stdin;\n1\tname 1\t')
    expect(stdout).not.toContain(new URL(database.url).password || 'no password')
    expect((await spawnCli(['export', 'postgres://127.0.0.1:1/none', '--to', to, '--table', 'x', '--tls', 'no']).finished).code).toBe(2)
  })
})

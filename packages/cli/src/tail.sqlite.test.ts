import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { DatabaseSync } from 'node:sqlite'
import { ChangeStream } from '@tidemark/core'
import { nodeSqliteStateStore, sqliteChanges } from '@tidemark/node'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { spawnCli, startCli, type Finished, type Line, type RunningCli } from './test/spawn-cli.ts'

let folder = ''
let path = ''
const running: RunningCli[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-tail-'))
  path = join(folder, 'app.db')
  write('CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT); CREATE TABLE orders (id INTEGER PRIMARY KEY)')
})

afterEach(async () => {
  for (const { process, finished } of running.splice(0)) {
    process.kill('SIGKILL')
    await finished
  }
  rmSync(folder, { recursive: true, force: true })
})

function write(sql: string): void {
  const database = new DatabaseSync(path, { timeout: 5_000 })
  database.exec(sql)
  database.close()
}

function query(sql: string): readonly Line[] {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    return database.prepare(sql).all().map((row) => ({ ...row }))
  } finally {
    database.close()
  }
}

const schema = (): readonly Line[] => query('SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name')

function tail(...args: string[]): Promise<Finished> {
  return spawnCli(['tail', path, ...args]).finished
}

async function follow(...args: string[]): Promise<RunningCli> {
  const cli = spawnCli(['tail', path, ...args])
  running.push(cli)
  await cli.said('Following ')
  return cli
}

/** `insert 1`, by op and key. */
function brief(lines: readonly Line[]): readonly string[] {
  return lines.map(({ op, key }) => `${String(op)} ${String((key as Line)['id'])}`) // a key is an object
}

const NUMBERS = 'WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000)'

describe('tail', () => {
  test('prints what others commit, as it happens; SIGINT ends it with 130', async () => {
    const cli = await follow('--table', 'USERS')
    write(`INSERT INTO users VALUES (1, 'Ada')`)
    expect(await cli.seen(({ op }) => op === 'insert')).toMatchObject({ table: 'users', key: { id: 1 }, before: null, after: { id: 1, name: 'Ada' } })
    write(`BEGIN; UPDATE users SET name = 'Grace'; INSERT INTO orders VALUES (1); DELETE FROM users; COMMIT`)
    expect(await cli.seen(({ op }) => op === 'delete')).toMatchObject({ before: { id: 1, name: 'Grace' }, after: null })
    cli.process.kill('SIGINT')
    const end = await cli.finished
    expect([end.code, brief(end.lines)]).toEqual([130, ['insert 1', 'update 1', 'delete 1']])
  })

  test('--snapshot --until-idle prints the rows that are there, every value as it is', async () => {
    write(`CREATE TABLE cells (id INTEGER PRIMARY KEY, value);
      INSERT INTO cells VALUES (1, 9223372036854775807), (2, x'00ff'), (3, 9e999), (4, 'a' || char(0) || 'b'), (5, NULL), (6, 0.1), (7, 'https://user:secret@host/')`)
    const end = await tail('--table', 'cells', '--snapshot', '--until-idle')
    expect(end.code).toBe(0)
    expect(end.stdout.split('\n').map((line) => /"value":(.*?)},"unavailable"/.exec(line)?.[1])).toEqual([
      '9223372036854775807', '{"$bytes":"AP8="}', '{"$float":"Infinity"}', '"a\\u0000b"', 'null', '0.1', '"https://user:secret@host/"',
    ])
  })

  test('--ops and --table leave out the rest', async () => {
    await tail('--table', 'users', '--table', 'orders', '--until-idle')
    write(`INSERT INTO users VALUES (1, 'a'); INSERT INTO orders VALUES (2); UPDATE users SET name = 'b'; DELETE FROM users`)
    const users = await tail('--table', 'users', '--from-start', '--ops', 'insert,delete', '--until-idle')
    expect([users.code, brief(users.lines)]).toEqual([0, ['insert 1', 'delete 1']])
    expect(brief((await tail('--table', 'orders', '--from-start', '--until-idle', '--json')).lines)).toEqual(['insert 2'])
  })

  test('--json leaves stderr empty', async () => {
    const end = await tail('--table', 'users', '--until-idle', '--json')
    expect([end.code, end.stdout, end.stderr]).toEqual([0, '', ''])
  })
})

describe('tail --id', () => {
  test('goes on where it stopped, whatever it is told about the beginning', async () => {
    write(`INSERT INTO users VALUES (1, 'a')`)
    const cli = await follow('--table', 'users', '--id', 'mine', '--snapshot')
    await cli.seen(({ op }) => op === 'snapshot')
    write(`INSERT INTO users VALUES (2, 'b')`)
    await cli.seen(({ op }) => op === 'insert')
    cli.process.kill('SIGTERM')
    expect((await cli.finished).code).toBe(130)
    write(`INSERT INTO users VALUES (3, 'c')`)
    for (const [begin, expected] of [['--snapshot', ['insert 3']], ['--from-start', []]] as const) {
      const next = await tail('--table', 'users', '--id', 'mine', begin, '--until-idle')
      expect([next.code, brief(next.lines)]).toEqual([0, expected])
    }
    expect(query('PRAGMA journal_mode')).toEqual([{ journal_mode: 'delete' }])
  })

  test('killed, it goes on at once; what it had printed and not noted comes again, nothing is lost', async () => {
    const cli = await follow('--table', 'users', '--id', 'mine')
    write(`INSERT INTO users VALUES (1, 'a')`)
    await cli.seen(({ op }) => op === 'insert')
    cli.process.kill('SIGKILL')
    await cli.finished
    write(`INSERT INTO users VALUES (2, 'b')`)
    const next = await tail('--table', 'users', '--id', 'mine', '--until-idle')
    expect([next.code, brief(next.lines).at(-1)]).toEqual([0, 'insert 2'])
  })

  test('notes nothing that its reader has not taken', async () => {
    await tail('--table', 'users', '--id', 'mine', '--until-idle')
    write(`${NUMBERS} INSERT INTO users SELECT i, hex(zeroblob(200)) FROM n`)
    const child = startCli(['tail', path, '--table', 'users', '--id', 'mine'])
    // Something has come, and more than a pipe holds waits behind it.
    await once(child.stdout, 'readable')
    child.kill('SIGKILL')
    const taken = (await text(child.stdout)).split('\n').filter((line) => line.endsWith('}')).map((line) => JSON.parse(line) as Line)
    const rest = await tail('--table', 'users', '--id', 'mine', '--until-idle')
    const ids = new Set([...brief(taken), ...brief(rest.lines)])
    expect([rest.code, ids.size, taken.length < 6_000]).toEqual([0, 6_000, true])
  })
})

describe('a reader that has seen enough', () => {
  test('ends it quietly with 0', async () => {
    write(`${NUMBERS} INSERT INTO users SELECT i, 'name' FROM n`)
    const child = startCli(['tail', path, '--table', 'users', '--snapshot'])
    const stderr = text(child.stderr)
    await once(child.stdout, 'readable')
    child.stdout.destroy()
    const [code] = await once(child, 'exit') as [number | null] // as its documentation says
    expect([code, await stderr]).toEqual([0, expect.stringMatching(/^Following users\. [^\n]*\n$/)])
  })
})

describe('tail --uninstall', () => {
  test('leaves the schema as it was', async () => {
    const before = schema()
    await tail('--table', 'users', '--table', 'orders', '--id', 'mine', '--until-idle')
    expect(schema().length).toBeGreaterThan(before.length)
    const one = await tail('--uninstall', '--table', 'Orders')
    expect([one.code, query(`SELECT count(*) AS n FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'orders'`)]).toEqual([0, [{ n: 0 }]])
    expect((await tail('--uninstall')).code).toBe(0)
    expect(schema()).toEqual(before)
    expect(await tail('--uninstall')).toMatchObject({ code: 0, stderr: 'Nothing is installed.\n' })
  })

  test('leaves the log of an application, and says so of a table that is not captured', async () => {
    await using checkpoints = nodeSqliteStateStore({ path: join(folder, 'state.db') })
    const stream = new ChangeStream({ source: sqliteChanges({ path }, { tables: ['users'] }), checkpoints, name: 'indexer' })
    await stream.subscribe({ id: 'mine' }, () => undefined)
    await stream.stop()
    const before = schema()
    expect(await tail('--uninstall')).toMatchObject({ code: 1, stderr: expect.stringContaining('LOG_NOT_OWNED: An application reads this log as "indexer"') })
    expect(await tail('--uninstall', '--table', 'orders')).toMatchObject({ code: 1, stderr: expect.stringContaining('TABLE_UNKNOWN') })
    expect(schema()).toEqual(before)
  })
})

describe('what goes wrong', () => {
  test('is told by code, on stderr or as a line of JSON', async () => {
    expect(await tail('--table', 'nope')).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('TABLE_UNKNOWN') })
    const json = await tail('--table', 'nope', '--json')
    expect([json.code, json.stderr, json.lines]).toEqual([1, '', [expect.objectContaining({ type: 'error', code: 'TABLE_UNKNOWN' })]])
    write('CREATE VIEW seen AS SELECT * FROM users')
    expect(await tail('--table', 'seen')).toMatchObject({ code: 1, stderr: expect.stringContaining('TABLE_NOT_CAPTURABLE') })
    expect(await spawnCli(['tail', join(folder, 'no.db'), '--table', 'users']).finished).toMatchObject({ code: 3, stderr: expect.stringContaining('SOURCE_UNREACHABLE') })
  })

  test('a checkpoint that the log does not reach is a gap, with a way out', async () => {
    await tail('--table', 'users', '--id', 'mine', '--until-idle')
    await sqliteChanges({ path }, { tables: ['users'] }).uninstall()
    const end = await tail('--table', 'users', '--id', 'mine')
    expect([end.code, end.stderr]).toEqual([1, expect.stringMatching(/CHANGE_GAP: .*\n +Use another --id, with --snapshot/)])
  })
})

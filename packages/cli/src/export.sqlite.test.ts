import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startBucket } from './test/start-bucket.ts'
import { spawnCli, type Finished } from './test/spawn-cli.ts'

let folder = ''
let path = ''
let to = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-export-'))
  path = join(folder, 'app.db')
  to = join(folder, 'dumps')
  write(`CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT); CREATE TABLE tmp_x (a); CREATE INDEX named ON users (name);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO users SELECT i, 'secret ' || i FROM n`)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function write(sql: string): void {
  const database = new DatabaseSync(path)
  database.exec(sql)
  database.close()
}

function cli(...args: string[]): Promise<Finished> {
  return spawnCli(args).finished
}

/** The folder of the one dump. */
function dumped(): string {
  return join(to, readdirSync(to).find((name) => name.startsWith('export_')) ?? 'none')
}

describe('export and verify', () => {
  test('write a file that sqlite3 loads, and find nothing wrong with it or with what was loaded', async () => {
    const { code, stderr, stdout } = await cli('export', path, '--to', to, '--name', 'app')
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
    expect(stderr).toContain('2,000 rows')
    const copy = join(folder, 'copy.db')
    execFileSync('sqlite3', ['-bail', copy], { input: readFileSync(join(dumped(), 'app.sql')) })
    expect(execFileSync('sqlite3', [copy, 'SELECT count(*), max(name) FROM users'], { encoding: 'utf8' })).toBe('2000|secret 999\n')
    expect((await cli('verify', dumped())).code).toBe(0)
    expect((await cli('verify', dumped(), '--against', copy)).code).toBe(0)
    execFileSync('sqlite3', [copy, `UPDATE users SET name = 'another' WHERE id = 1000`])
    const found = await cli('verify', dumped(), '--against', copy, '--json')
    expect(found.code).toBe(1)
    expect(found.lines).toEqual([expect.objectContaining({ type: 'verify', ok: false, findings: [expect.objectContaining({ kind: 'rows' })] })])
    expect(found.stdout + found.stderr).not.toContain('secret')
  })

  test('take what is selected, and say so as JSON', async () => {
    const { code, lines, stderr } = await cli('export', path, '--to', to, '--name', 'app', '--table', 'users', '--schema-only', '--json')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(lines.at(-1)).toMatchObject({ type: 'result', status: 'completed', rows: 0, consistency: 'snapshot', tablesTotal: 1 })
    expect(readFileSync(join(dumped(), 'app.sql'), 'utf8')).toBe('PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);\nCREATE INDEX named ON users (name);\nCOMMIT;\n')
  })

  test('go on where they were killed', async () => {
    const stopped = spawnCli(['export', path, '--to', to, '--json', '--layout', 'directory'])
    const { exportId } = await stopped.seen(({ type }) => type === 'progress')
    stopped.process.kill('SIGKILL')
    await stopped.finished
    const { code, lines } = await cli('export', path, '--to', to, '--resume', String(exportId), '--json')
    expect(code).toBe(0)
    expect(lines.at(-1)).toMatchObject({ type: 'result', exportId, status: 'completed', rows: 2_000 })
    expect((await cli('verify', dumped())).code).toBe(0)
  })

  test('tell a fault of every option at once, and write nothing', async () => {
    const { code, lines } = await cli('export', '--layout', 'heap', '--schema-only', '--data-only', '--exclude-matching', '(', '--nonsense', '--json')
    expect(code).toBe(2)
    expect((lines[0] as { readonly issues: readonly { readonly option: string }[] } | undefined)?.issues.map(({ option }) => option).toSorted()).toEqual([ // of an error's line
      '--exclude-matching', '--layout', '--nonsense', '--schema-only', '--to', 'database',
    ])
    expect(existsSync(to)).toBe(false)
  })

  test.each([
    ['a file that is not there', () => ['export', join(folder, 'none.db'), '--to', to], 2, 'There is no such file.'],
    ['a table that is not there', () => ['export', path, '--to', to, '--table', 'nobody'], 1, 'TABLE_UNKNOWN'],
    ['an export that nobody knows', () => ['export', path, '--to', to, '--resume', 'export_1'], 1, 'EXPORT_UNKNOWN'],
    ['a dump that is not there', () => ['verify', join(folder, 'none', 'export_1')], 1, 'BUCKET_UNKNOWN'],
    ['a folder without a dump', () => ['verify', folder], 1, 'DUMP_INCOMPLETE'],
  ])('refuse %s', async (_what, args, expected, error) => {
    const { code, stderr } = await cli(...args())
    expect(stderr).toContain(error)
    expect(code).toBe(expected)
  })

  test('name the file that is damaged', async () => {
    await cli('export', path, '--to', to, '--name', 'app')
    const file = join(dumped(), 'app.sql')
    writeFileSync(file, readFileSync(file, 'utf8').replace('secret 7', 'secret 8'))
    const { code, stdout } = await cli('verify', dumped())
    expect(code).toBe(1)
    expect(stdout).toContain('app.sql')
  })
})

describe('import', () => {
  test('loads a dump, says what it did, and does not load it twice', async () => {
    await cli('export', path, '--to', to)
    const copy = join(folder, 'copy.db')
    const { code, stdout, stderr } = await cli('import', dumped(), '--to', copy)
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
    expect(stderr).toContain('2,000 rows')
    expect((await cli('verify', dumped(), '--against', copy)).code).toBe(0)
    const again = await cli('import', dumped(), '--to', copy, '--json')
    expect(again.code).not.toBe(0)
    expect(again.lines.at(-1)).toMatchObject({ type: 'error', code: 'TARGET_NOT_OWNED' })
  })

  test('loads a file of SQL, and names the line that fails', async () => {
    const file = join(folder, 'dump.sql')
    writeFileSync(file, 'CREATE TABLE t(a UNIQUE);\nINSERT INTO t VALUES (1);\nINSERT INTO t VALUES (1);\n')
    const failed = await cli('import', file, '--to', join(folder, 'copy.db'))
    expect(failed.code).not.toBe(0)
    expect(failed.stderr).toContain('line 3 of dump.sql')
    writeFileSync(file, 'CREATE TABLE t(a UNIQUE);\nINSERT INTO t VALUES (1);\n')
    const { code, lines } = await cli('import', file, '--to', join(folder, 'copy.db'), '--json')
    expect(code).toBe(0)
    expect(lines.at(-1)).toMatchObject({ type: 'result', status: 'completed', rows: 1, notes: [] })
    expect((await cli('import', file)).code).toBe(2)
  })
})

describe('a bucket', () => {
  test('takes a dump, and gives it back', async () => {
    await using bucket = await startBucket()
    const remote = (...args: string[]): Promise<Finished> => spawnCli(args, bucket.environment).finished
    const exported = await remote('export', path, '--to', 's3://bucket/dumps', '--json')
    const { exportId: id } = exported.lines.at(-1) as { readonly exportId: string } // as its documentation says
    expect({ code: exported.code, left: readdirSync(folder).filter((name) => name.includes('export_')) }).toEqual({ code: 0, left: [] })
    expect((await remote('verify', `s3://bucket/dumps/${id}`, '--against', path)).code).toBe(0)
    const copy = join(folder, 'copy.db')
    expect((await remote('import', `s3://bucket/dumps/${id}`, '--to', copy)).code).toBe(0)
    expect(execFileSync('sqlite3', [copy, 'SELECT count(*) FROM users'], { encoding: 'utf8' })).toBe('2000\n')
    const refused = await spawnCli(['verify', `s3://bucket/dumps/${id}`], { ...bucket.environment, AWS_SECRET_ACCESS_KEY: 'another' }).finished
    expect(refused.code).not.toBe(0)
    expect(refused.stderr).toContain('STORAGE_AUTH_FAILED')
    expect(exported.stdout + exported.stderr + refused.stderr).not.toContain(bucket.environment['AWS_SECRET_ACCESS_KEY'])
    expect((await cli('export', path, '--to', 's3://bucket/dumps')).stderr).toContain('AWS_ACCESS_KEY_ID')
    expect((await cli('verify', 's3://bucket')).code).toBe(2)
  })
})


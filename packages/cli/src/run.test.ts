import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, expect, test } from 'vitest'
import { run } from './run.ts'
import { bufferHost } from './test/buffer-host.ts'

const folder = mkdtempSync(join(tmpdir(), 'tidemark-cli-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('a bad command line lists all of its faults, opens nothing and shows no secret', async () => {
  const target = join(folder, 'never.db')
  const host = bufferHost([
    'sync', '--from', 'postgres://user:hunter2secret@h:99999/db', '--to', target, '--every', 'often', '--once', '--table', 'a', '--table', '=b',
    '--mode', 'half', '--tracking', 'x', '--tracking', 'y', '--ca', join(folder, 'no.pem'), '--to-token', 'hunter2secret', '--what', 'postgres://user:hunter2secret@h/db',
  ])
  expect(await run(host)).toBe(2)
  const faults = host.written.stderr.split('\n').filter((line) => line.startsWith('  --')).map((line) => line.trim().split(':')[0])
  expect(faults.toSorted()).toEqual(['--ca', '--every', '--from', '--mode', '--once', '--table', '--to-token', '--tracking', '--what'])
  expect(host.written.stdout + host.written.stderr).not.toContain('hunter2secret')
  expect(existsSync(target)).toBe(false)
})

test('the faults as JSON: an error line with the options, then the summary', async () => {
  const host = bufferHost(['sync', '--json', '--table', 'a'])
  expect(await run(host)).toBe(2)
  const lines = host.written.stdout.trim().split('\n').map((line) => JSON.parse(line) as unknown)
  expect(lines).toEqual([
    expect.objectContaining({ type: 'error', name: null, code: 'CONFIG_INVALID', issues: [
      { option: '--from', message: 'Is missing, and TIDEMARK_SOURCE_URL is not set.' },
      { option: '--to', message: 'Is missing.' },
    ] }),
    expect.objectContaining({ type: 'summary', ok: false, exitCode: 2, rows: 0, tables: [] }),
  ])
  expect(host.written.stderr).toBe('')
})

test('tail: the faults of its options, without a word of what may be a secret', async () => {
  const host = bufferHost(['tail', 'libsql://user:hunter2secret@h', 'hunter2secret', '--ops', 'insert,upsert', '--from-start', '--snapshot', '--token', 'hunter2secret'])
  expect(await run(host)).toBe(2)
  const faults = host.written.stderr.split('\n').filter((line) => /^ {2}\S+( \d+)?: /.test(line)).map((line) => line.trim().split(':')[0])
  expect(faults.toSorted()).toEqual(['--from-start', '--ops', '--table', '--token', 'argument 2', 'database'].toSorted())
  expect(host.written.stdout + host.written.stderr).not.toContain('hunter2secret')
  const uninstall = bufferHost(['tail', 'x.db', '--uninstall', '--id', 'a', '--until-idle'])
  expect(await run(uninstall)).toBe(2)
  expect(uninstall.written.stderr).toMatch(/--id: Has no meaning[^]*--until-idle: Has no meaning/)
  expect(await run(bufferHost(['tail', '--database', 'x.db', '--table', 'a']))).toBe(2)
})

test('what the library finds is told in terms of the command line', async () => {
  const host = bufferHost(['sync', '--from', 'postgres://u@127.0.0.1/db', '--to', ':memory:', '--table', 'a.users', '--table', 'b.users', '--prefix', '1'])
  expect(await run(host)).toBe(2)
  expect(host.written.stderr).toContain('--prefix: Must be a plain identifier')
  const twins = bufferHost(['sync', '--from', 'postgres://u@127.0.0.1/db', '--to', ':memory:', '--table', 'a.users', '--table', 'b.users'])
  expect(await run(twins)).toBe(2)
  expect(twins.written.stderr).toContain('--table (b.users): Is the same as that of a.users.')
})

test.each([['status'], ['logs']])('%s creates no file and refuses a database that is not ours', async (command) => {
  const missing = join(folder, 'missing.db')
  expect(await run(bufferHost([command, '--to', missing]))).toBe(4)
  expect(existsSync(missing)).toBe(false)
  const foreign = join(folder, `${command}.db`)
  const database = new DatabaseSync(foreign)
  database.exec('CREATE TABLE mine (id)')
  database.close()
  const before = readFileSync(foreign)
  expect(await run(bufferHost([command, '--to', foreign]))).toBe(4)
  expect(readFileSync(foreign).equals(before)).toBe(true)
})

test('help and version go to stdout, for every command', async () => {
  for (const args of [['--help'], ['sync', '--help'], ['plan', '-h'], ['doctor', '--help'], ['status', '--help'], ['logs', '--help'], ['tail', '--help'], ['--version']]) {
    const host = bufferHost(args)
    expect(await run(host)).toBe(0)
    expect([host.written.stdout === '', host.written.stderr]).toEqual([false, ''])
  }
})

test.each([[[]], [['snc']], [['--frm']]])('%j is bad usage', async (args) => {
  const host = bufferHost(args)
  expect(await run(host)).toBe(2)
  expect(host.written.stderr).toContain('sync, plan, doctor, grants, status, logs')
})

import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { mysqlForTests } from '@tidemark/test-servers/vitest'
import type { TestDatabase } from '@tidemark/test-servers'
import { createConnection } from 'mysql2/promise'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { spawnCli } from './test/spawn-cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'tidemark-cli-'))
const server = await mysqlForTests()
let database: TestDatabase

beforeAll(async () => {
  database = await server.createDatabase(`tidemark_cli_${randomBytes(6).toString('hex')}`)
  const writer = await createConnection({ uri: database.url, multipleStatements: true })
  await writer.query(`CREATE TABLE users (id INT PRIMARY KEY, name VARCHAR(40), born DATE) ENGINE = InnoDB; INSERT INTO users VALUES (1, 'it''s', '2000-01-02'), (2, NULL, '0000-00-00'), (3, '漢字', NULL)`)
  await writer.end()
})
afterAll(async () => {
  await database[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

describe('export', () => {
  test('writes a MySQL database as SQL for its shell', async () => {
    const { code, lines, stdout, stderr } = await spawnCli(['export', 'env:SOURCE', '--to', folder, '--name', 'app', '--json'], { SOURCE: database.url }).finished
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const { exportId, ...rest } = lines.at(-1) as { readonly exportId: string } // as its documentation says
    expect(rest).toMatchObject({ type: 'result', status: 'completed', rows: 3, consistency: 'snapshot' })
    expect(readFileSync(join(folder, exportId, 'app.sql'), 'utf8')).toMatch(/INSERT INTO `users` .*VALUES\s*\(1,'it''s','2000-01-02'\)/)
    expect(stdout).not.toContain(new URL(database.url).password || 'no password')
  })

  test('and as rows that go into SQLite', async () => {
    const { lines } = await spawnCli(['export', database.url, '--to', folder, '--format', 'ndjson', '--json']).finished
    const { exportId } = lines.at(-1) as { readonly exportId: string } // as its documentation says
    const target = join(folder, 'copy.db')
    expect((await spawnCli(['import', join(folder, exportId), '--to', target]).finished).code).toBe(0)
    using copy = new DatabaseSync(target, { readOnly: true })
    expect(copy.prepare('SELECT id, name, born FROM users ORDER BY id').all().map((row) => ({ ...row }))).toEqual([{ id: 1, name: 'it\'s', born: '2000-01-02' }, { id: 2, name: null, born: '0000-00-00' }, { id: 3, name: '漢字', born: null }])
  })
})

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createClient } from '@libsql/client'
import { Exporter, Importer, verifyDump } from '@tidemark/core'
import { memoryStateStore } from '@tidemark/core/testing'
import { fsStorage, nodeSqlite } from '@tidemark/node'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { libsql } from './libsql.ts'

let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-libsql-'))
  path = join(folder, 'app.db')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const url = (file: string): string => pathToFileURL(file).href

const SCHEMA = `CREATE TABLE accounts (id INTEGER PRIMARY KEY, tag TEXT UNIQUE, balance INT NOT NULL);
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) INSERT INTO accounts SELECT i, 'tag ' || i, 100 FROM n;
  CREATE TABLE hostile (x); INSERT INTO hostile VALUES (9007199254740993), (-9223372036854775808), (1), (1.0), (9e999), (x'00ff'), ('a' || char(0) || 'b'), (CAST(x'41ff' AS TEXT)), (NULL), ('it''s; ');`

describe.each([['the client', true], ['a file', false]] as const)('a libSQL database, by %s', (_, isClient) => {
  it('is exported as it was, while it is written to, and loaded into another', async () => {
    const client = createClient({ url: url(path), intMode: 'bigint' })
    await client.executeMultiple(SCHEMA)
    const source = libsql(isClient ? client : { url: url(path) })
    const storage = fsStorage(join(folder, 'out'))
    const state = memoryStateStore()
    await using exporter = new Exporter({ source, storage, state })
    const { id } = await exporter.start({ fileName: 'dump', partBytes: 1_500, maxStatementBytes: 1_000, budget: { bytes: 1 } })
    for (let count = 0, isDone = false; !isDone; count += 1) {
      isDone = (await exporter.step(id)).done
      const [from, to] = [1 + (count * 37) % 300, 1 + (count * 91 + 5) % 300]
      if (!isDone) await client.batch([`UPDATE accounts SET balance = balance - 3 WHERE id = ${from}`, `UPDATE accounts SET balance = balance + 3 WHERE id = ${to}`, `INSERT OR REPLACE INTO accounts SELECT id, tag || '.', balance FROM accounts WHERE id = ${to}`], 'write')
    }
    expect(await exporter.status(id)).toMatchObject({ status: 'completed', consistency: 'corrected', attempt: 1 })
    const copy = join(folder, 'copy.db')
    await new Importer({ source: storage, target: libsql({ url: url(copy) }) }).load(id)
    const ask = (file: string, sql: string): string => execFileSync('sqlite3', [file, sql], { encoding: 'utf8' }).trim()
    expect(ask(copy, 'SELECT count(*), sum(balance) FROM accounts')).toBe('300|30000')
    const cells = `SELECT typeof(x), CASE typeof(x) WHEN 'text' THEN hex(CAST(x AS BLOB)) ELSE quote(x) END FROM hostile`
    expect(ask(copy, cells)).toBe(ask(path, cells))
    await expect(verifyDump({ storage, id, mode: 'deep', against: nodeSqlite({ path: copy }) })).resolves.toMatchObject({ ok: true, findings: [] })
    expect(ask(path, `SELECT count(*) FROM sqlite_schema WHERE name LIKE 'tidemark%'`)).toBe('0')
    client.close()
  })
})

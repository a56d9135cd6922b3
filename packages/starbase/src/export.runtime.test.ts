import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CdcClient } from './test/cdc-client.ts'
import { InstanceClient } from './test/instance-client.ts'
import { startInstances, type StartedInstances } from './test/start-instances.ts'

let instances: StartedInstances
const folder = mkdtempSync(join(tmpdir(), 'tidemark-starbase-'))
beforeAll(async () => { instances = await startInstances() })
afterAll(async () => {
  await instances.dispose()
  rmSync(folder, { recursive: true, force: true })
})

const MANY = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO users SELECT i, 'user ' || i, x'00ff' FROM n`

async function filled(name: string, ...statements: readonly string[]): Promise<InstanceClient> {
  const instance = new InstanceClient(instances, name)
  await instance.query('CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, data BLOB)')
  await instance.query('CREATE TABLE tmpl_users (id INTEGER PRIMARY KEY)')
  await instance.query('INSERT INTO tmp_cache VALUES (?, ?)', ['SELECT 1', 'secret'])
  for (const sql of statements) await instance.query(sql)
  return instance
}

/** Through the shell of SQLite. */
function restored(sql: string, name: string): (query: string) => string {
  const file = join(folder, `${name}.db`)
  execFileSync('sqlite3', ['-bail', file], { input: sql })
  return (query) => execFileSync('sqlite3', [file, query], { encoding: 'utf8' }).trim()
}

describe('/export', () => {
  it('answers with a small dump, which has all that is the user\'s and nothing of the instance\'s', async () => {
    const instance = await filled('small', `INSERT INTO users VALUES (9007199254740993, 'it''s;' || char(10), x'00ff'), (2, NULL, NULL)`, 'CREATE TABLE secrets (id INTEGER PRIMARY KEY)')
    // Captured, it has triggers that are not the user's either.
    await using _socket = await CdcClient.open(instances, 'small')
    const answer = await instance.ask('/export/dump', { method: 'POST' })
    expect([answer.status, answer.headers.get('content-type')?.split(';')[0]]).toEqual([200, 'application/sql'])
    expect(answer.headers.get('content-disposition')).toMatch(/^attachment; filename="dump_\d{8}-\d{6}\.sql"/)
    const query = restored(await answer.text(), 'small')
    expect(query('SELECT id, quote(name), hex(data) FROM users ORDER BY id').split('\n')).toEqual(['2|NULL|', `9007199254740993|'it''s;`, `'|00FF`])
    expect(query('SELECT group_concat(name) FROM sqlite_schema')).toBe('users,tmpl_users,secrets')
  })

  it('goes on by the alarm with what takes longer, beside what the instance waits for', async () => {
    const instance = await filled('large', MANY)
    const accepted = await instance.ask('/export/dump', { method: 'POST', headers: { prefer: 'respond-async' } })
    const { exportId, status } = await accepted.json() as { readonly exportId: string; readonly status: string }
    expect([accepted.status, status, accepted.headers.get('location')]).toEqual([202, 'pending', `/export/status/${exportId}`])
    expect((await instance.ask(`/export/download/${exportId}`)).status).toBe(202)
    // The instance's own alarm comes first, and is the only one that it knows of.
    await instance.ask('/alarm', { method: 'POST', body: '100' })
    await expect.poll(() => instance.json(`/export/status/${exportId}`), { timeout: 15_000 }).toMatchObject({ status: 'completed', totalRowsExported: 20_000 })
    expect(await instance.json('/inspect')).toEqual({ result: { alarms: 1, own: null } })
    const download = await instance.ask(`/export/download/${exportId}`, { headers: { range: 'bytes=0-5' } })
    expect([download.status, await download.text()]).toEqual([206, 'PRAGMA'])
    const query = restored(await (await instance.ask(`/export/download/${exportId}`)).text(), 'large')
    expect(query('SELECT count(*), sum(id), count(DISTINCT name) FROM users')).toBe('20000|200010000|20000')
  })

  it('loads a dump into another instance', async () => {
    const instance = await filled('origin', `INSERT INTO users VALUES (1, 'one', x'01')`)
    const accepted = await instance.ask('/export/dump', { method: 'POST', headers: { prefer: 'respond-async' } })
    const { exportId } = await accepted.json() as { readonly exportId: string }
    await expect.poll(() => instance.json(`/export/status/${exportId}`), { timeout: 15_000 }).toMatchObject({ status: 'completed' })
    const other = new InstanceClient(instances, 'restored')
    const loaded = await other.ask('/import', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ exportId }) })
    expect([loaded.status, await loaded.json()]).toMatchObject([200, { status: 'completed' }])
    expect(await other.query('SELECT id, name, hex(data) AS data FROM users')).toEqual([{ id: 1, name: 'one', data: '01' }])
  })

  it('leaves the instance what it loads itself, and deletes dumps that were made', async () => {
    const instance = await filled('own', `INSERT INTO users VALUES (1, 'one', x'01')`)
    const imported = await instance.ask('/import/dump', { method: 'POST' })
    expect([imported.status, await imported.text()]).toEqual([200, 'the instance\'s own'])
    const accepted = await instance.ask('/export/dump', { method: 'POST', headers: { prefer: 'respond-async' } })
    const { exportId } = await accepted.json() as { readonly exportId: string }
    await expect.poll(() => instance.json(`/export/status/${exportId}`), { timeout: 15_000 }).toMatchObject({ status: 'completed' })
    expect((await instance.ask(`/export/${exportId}`, { method: 'DELETE' })).status).toBeLessThan(300)
    expect((await instance.ask(`/export/status/${exportId}`)).status).toBe(404)
  })

  it.each([
    ['nobody', '/export/dump', { token: '' }, 401, undefined],
    ['a client', '/export/dump', { token: 'client' }, 401, 'REQUEST_UNAUTHORIZED'],
    ['who asks for another database', '/export/dump', { token: 'admin', headers: { 'x-starbase-source': 'external' } }, 400, 'REQUEST_INVALID'],
    ['who asks for an unknown dump', '/export/status/unknown', { token: 'admin' }, 404, 'EXPORT_UNKNOWN'],
  ])('refuses %s', async (_, path, options, status, code) => {
    const answer = await new InstanceClient(instances, 'small').ask(path, options)
    expect([answer.status, (await answer.json() as { readonly code?: string }).code]).toEqual([status, code])
  })
})

import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { makeWorld, type World } from './test/world.ts'

interface Accepted {
  readonly exportId: string
  readonly status: string
  readonly r2Key: string
}

const later = { prefer: 'respond-async' }

async function begin(world: World, json: unknown = {}): Promise<Accepted> {
  const answer = await world.ask('/export/dump', { as: 'operate', json, headers: later })
  expect(answer.status).toBe(202)
  const accepted = await answer.json() as Accepted
  expect(answer.headers.get('location')).toMatch(new RegExp(`/export/status/${accepted.exportId}$`))
  return accepted
}

async function beginAndFinish(world: World, json: unknown = {}): Promise<string> {
  const ended = new Promise<void>((resolve) => { world.exporter.on('export:status', ({ status }) => { if (status === 'completed') resolve() }) })
  const { exportId } = await begin(world, json)
  await ended
  return exportId
}

/** Rows of a dump that was loaded into an empty database. */
function restored(sql: string): unknown {
  const database = new DatabaseSync(':memory:')
  try {
    database.exec(sql)
    return database.prepare('SELECT count(*) AS users, sum(balance) AS balance FROM users').get()
  } finally {
    database.close()
  }
}

describe('exports over HTTP', () => {
  it.each(['GET', 'POST'])('answers a small one with its file, by %s', async (method) => {
    await using world = await makeWorld()
    const answer = await world.ask('/export/dump', { as: 'operate', method })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('application/sql')
    expect(answer.headers.get('content-disposition')).toMatch(/^attachment; filename="dump_\d{8}-\d{6}\.sql"$/)
    expect(restored(await answer.text())).toEqual({ users: 100, balance: 7_575 })
  })

  it('answers others with 202, runs them on, and tells how they stand', async () => {
    await using world = await makeWorld()
    const exportId = await beginAndFinish(world, { fileName: 'mine', tables: [{ name: 'users', limit: 10 }] })
    const status = await (await world.ask(`/export/status/${exportId}`, { as: 'read' })).json()
    expect(status).toMatchObject({
      exportId, status: 'completed', r2Key: `${exportId}/mine.sql`, totalRowsExported: 10, tablesTotal: 1, tablesProcessed: 1, createdAt: expect.any(String), updatedAt: expect.any(String),
    })
    expect(status).not.toHaveProperty('error')
    const { exports } = await (await world.ask('/export', { as: 'read' })).json() as { readonly exports: readonly Accepted[] }
    expect(exports.map((one) => one.exportId)).toEqual([exportId])
    expect(restored(await (await world.ask(`/export/download/${exportId}`, { as: 'operate' })).text())).toMatchObject({ users: 10 })
  })

  it.each(['csv', 'ndjson'])('writes %s, with a manifest and an object a table', async (format) => {
    await using world = await makeWorld()
    const exportId = await beginAndFinish(world, { format })
    const manifest = await (await world.ask(`/export/download/${exportId}`, { as: 'operate' })).json() as { readonly objects: readonly { path: string }[] }
    const path = manifest.objects.map((object) => object.path).find((one) => one.includes('users'))
    const rows = await (await world.ask(`/export/download/${exportId}?path=${encodeURIComponent(path ?? '')}`, { as: 'operate' })).text()
    expect(rows.trim().split('\n').length).toBe(format === 'csv' ? 101 : 100)
  })

  it('gives ranges of a dump, and nothing to who has it', async () => {
    await using world = await makeWorld()
    const at = `/export/download/${await beginAndFinish(world)}`
    const whole = await world.ask(at, { as: 'operate' })
    const etag = whole.headers.get('etag') ?? ''
    const text = await whole.text()
    expect(whole.headers.get('content-length')).toBe(String(Buffer.byteLength(text)))
    const partOf = async (range: string, headers: Readonly<Record<string, string>> = {}): Promise<readonly unknown[]> => {
      const answer = await world.ask(at, { as: 'operate', headers: { range, ...headers } })
      return [answer.status, answer.headers.get('content-range'), answer.status === 206 ? await answer.text() : (await answer.text()).length]
    }
    const size = text.length
    expect(await partOf('bytes=0-99')).toEqual([206, `bytes 0-99/${size}`, text.slice(0, 100)])
    expect(await partOf('bytes=100-')).toEqual([206, `bytes 100-${size - 1}/${size}`, text.slice(100)])
    expect(await partOf('bytes=-10')).toEqual([206, `bytes ${size - 10}-${size - 1}/${size}`, text.slice(-10)])
    expect((await partOf(`bytes=${size}-`)).slice(0, 2)).toEqual([416, `bytes */${size}`])
    expect(await partOf('bytes=0-1,5-6')).toEqual([200, null, size])
    expect(await partOf('bytes=0-9', { 'if-range': etag })).toEqual([206, `bytes 0-9/${size}`, text.slice(0, 10)])
    expect(await partOf('bytes=0-9', { 'if-range': '"another"' })).toEqual([200, null, size])
    expect((await world.ask(at, { as: 'operate', headers: { 'if-none-match': etag } })).status).toBe(304)
    const head = await world.ask(at, { as: 'operate', method: 'HEAD' })
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, String(size), ''])
  })

  it('answers with 202 while an export is under way, with 500 when it failed, with 404 when there is none', async () => {
    await using world = await makeWorld({ exports: { runs: false } })
    const { exportId } = await begin(world)
    const early = await world.ask(`/export/download/${exportId}`, { as: 'operate' })
    expect([early.status, await early.json()]).toEqual([202, expect.objectContaining({ exportId, status: 'pending', totalRowsExported: 0 })])
    const { exportId: doomed } = await begin(world, { tables: ['users'] })
    world.app.exec('ALTER TABLE users RENAME TO people')
    await world.exporter.finish(doomed).catch(() => undefined)
    const failed = await world.ask(`/export/download/${doomed}`, { as: 'operate' })
    expect([failed.status, await failed.json()]).toEqual([500, expect.objectContaining({ code: 'EXPORT_NOT_READY', status: 500 })])
    expect(await (await world.ask(`/export/status/${doomed}`, { as: 'read' })).json()).toMatchObject({ status: 'failed', error: expect.any(String), problem: { code: expect.any(String) } })
    for (const path of ['status', 'download', 'cancel']) {
      const unknown = await world.ask(`/export/${path}/export_0000`, { as: 'operate', method: path === 'cancel' ? 'POST' : 'GET' })
      expect([path, unknown.status, (await unknown.json() as { code: string }).code]).toEqual([path, 404, 'EXPORT_UNKNOWN'])
    }
  })

  it('cancels, and deletes', async () => {
    await using world = await makeWorld({ exports: { runs: false } })
    const { exportId } = await begin(world)
    expect(await (await world.ask(`/export/cancel/${exportId}`, { as: 'operate', method: 'POST' })).json()).toMatchObject({ status: 'cancelled' })
    expect((await world.ask(`/export/download/${exportId}`, { as: 'operate' })).status).toBe(409)
    expect((await world.ask(`/export/${exportId}`, { as: 'admin', method: 'DELETE' })).status).toBe(200)
    expect((await world.ask(`/export/status/${exportId}`, { as: 'read' })).status).toBe(404)
  })

  it('calls nobody who is not allowed, and begins nothing then', async () => {
    await using world = await makeWorld()
    for (const url of ['https://hooks.example/x', 'http://169.254.169.254/', 'file:///etc/passwd', 'not a url']) {
      const answer = await world.ask(`/export/dump?callbackUrl=${encodeURIComponent(url)}`, { as: 'operate', method: 'POST' })
      expect([url, answer.status, (await answer.json() as { code: string }).code]).toEqual([url, 422, 'CALLBACK_REFUSED'])
    }
    expect(await (await world.ask('/export', { as: 'read' })).json()).toEqual({ exports: [] })
  })

  it('takes no SQL, no pattern and no secret', async () => {
    await using world = await makeWorld()
    for (const json of [{ tables: [{ name: 'users', where: '1 = 1' }] }, { exclude: [{}] }, { callback: { url: 'https://x.example', secret: 'canary' } }, { format: 'xls' }, { tables: [] }, { budget: { ms: 1 } }]) {
      const answer = await world.ask('/export/dump', { as: 'operate', json })
      const text = await answer.text()
      expect([json, answer.status, (JSON.parse(text) as { code: string }).code]).toEqual([json, 400, 'CONFIG_INVALID'])
      expect(text).not.toContain('canary')
    }
  })

  it('has no way out of a dump', async () => {
    await using world = await makeWorld()
    const exportId = await beginAndFinish(world)
    for (const path of ['../state.db', '..%2f..%2fstate.db', '/etc/passwd', 'a/../../state.db', './x', 'a//b', '%00', 'manifest.json/../../../app.db']) {
      const answer = await world.ask(`/export/download/${exportId}?path=${path}`, { as: 'operate' })
      expect([path, [400, 404].includes(answer.status)]).toEqual([path, true])
    }
    for (const id of ['..%2fapp.db', 'a%2fb', '%00', 'x'.repeat(129), '%']) {
      const answer = await world.ask(`/export/download/${id}`, { as: 'operate' })
      expect([id, [400, 404].includes(answer.status)]).toEqual([id, true])
    }
  })
})

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Exporter, Importer, type StateStore } from '@tidemark/core'
import { fsStorage, nodeSqlite, nodeSqliteStateStore } from '@tidemark/node'
import { createHandler } from './index.ts'
import { makeDatabase } from './test/world.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-again-'))
  makeDatabase(join(folder, 'app.db')).close()
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

interface Answered {
  readonly status: number
  readonly body: { readonly exportId?: string; readonly code?: string; readonly issues?: readonly unknown[] }
  readonly headers: Headers
}

interface Process extends AsyncDisposable {
  readonly exporter: Exporter
  readonly send: (path: string, key: string | undefined, json?: unknown, headers?: Readonly<Record<string, string>>) => Promise<Answered>
}

/** A process of its own, as far as anything is remembered: it has the same files, and nothing else. */
function start(wrap: (store: StateStore) => StateStore = (store) => store, runs = false): Process {
  const state = nodeSqliteStateStore({ path: join(folder, 'state.db') })
  const storage = fsStorage(join(folder, 'dumps'), { create: true })
  const exporter = new Exporter({ source: nodeSqlite({ path: join(folder, 'app.db') }), storage, state: wrap(state) })
  const importer = new Importer({ source: storage, target: nodeSqlite({ path: join(folder, 'imported.db') }) })
  const handler = createHandler({ exporter, importer, authorize: () => true, exports: { runs }, imports: { state } })
  const send: Process['send'] = async (path, key, json = {}, headers = { prefer: 'respond-async' }) => {
    const answer = await handler(new Request(`http://localhost${path}`, {
      method: 'POST', headers: { 'content-type': 'application/json', ...headers, ...(key === undefined ? {} : { 'idempotency-key': key }) }, body: JSON.stringify(json),
    }))
    const text = await answer.text()
    return { status: answer.status, headers: answer.headers, body: answer.headers.get('content-type')?.includes('json') === true ? JSON.parse(text) as Answered['body'] : {} }
  }
  return {
    exporter, send,
    [Symbol.asyncDispose]: async () => {
      handler[Symbol.dispose]()
      await exporter[Symbol.asyncDispose]()
      await state[Symbol.asyncDispose]()
    },
  }
}

describe('an export that is asked for again under its key', () => {
  it('is the same one, also by another process, and with or without quotes', async () => {
    const ids: unknown[] = []
    for (const key of ['"8e03978e-40d5"', '8e03978e-40d5', '"8e03978e-40d5"']) {
      await using one = start()
      const { status, body } = await one.send('/export/dump', key, { tables: ['users'], exclude: ['notes'] })
      expect(status).toBe(202)
      ids.push(body.exportId)
      expect((await one.exporter.list()).length).toBe(1)
    }
    expect(new Set(ids).size).toBe(1)
  })

  it('is one of many requests at once, and of two processes', async () => {
    await using one = start()
    await using other = start()
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? one : other).send('/export/dump', 'at-once')))
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.exportId}`)).size).toBe(1)
    expect((await one.exporter.list()).length).toBe(1)
  })

  it('is answered with its file once it is complete, which names it', async () => {
    await using one = start()
    const first = await one.send('/export/dump', 'small', {}, {})
    const again = await one.send('/export/dump', 'small', {}, {})
    expect([first.status, again.status, first.headers.get('etag')]).toEqual([200, 200, again.headers.get('etag')])
    const { body } = await one.send('/export/dump', 'small')
    expect([first, again].map(({ headers }) => headers.get('content-location'))).toEqual([`/export/download/${body.exportId}`, `/export/download/${body.exportId}`])
  })

  /** As by another process, which may have been killed. */
  async function hold(id: string | undefined, forMs: number): Promise<void> {
    await using state = nodeSqliteStateStore({ path: join(folder, 'state.db') })
    const stored = await state.get(`export/${id}`)
    await state.set(`export/${id}`, JSON.stringify({ ...JSON.parse(stored?.value ?? '') as object, lease: { owner: 'another', untilMs: Date.now() + forMs } }), stored?.version)
  }

  it('goes on when the lease of a process that was killed runs out', async () => {
    await using next = start(undefined, true)
    const { id } = await next.exporter.start({}, { idempotencyKey: 'killed' })
    await hold(id, 500)
    const answers = [await next.send('/export/dump', 'killed'), await next.send('/export/dump', 'killed')]
    expect(answers.map(({ status, body }) => [status, body.exportId])).toEqual([[202, id], [202, id]])
    await expect.poll(async () => (await next.exporter.status(id)).status, { timeout: 10_000 }).toBe('completed')
  })

  it('is answered with 202 while another process is at it', async () => {
    await using one = start()
    const { body } = await one.send('/export/dump', 'elsewhere')
    await hold(body.exportId, 60_000)
    const again = await one.send('/export/dump', 'elsewhere', {}, {})
    expect([again.status, again.body.exportId]).toEqual([202, body.exportId])
  })

  it('is refused when it asks for something else', async () => {
    await using one = start()
    expect((await one.send('/export/dump', 'k', { format: 'csv' })).status).toBe(202)
    for (const [path, json] of [['/export/dump', {}], ['/export/dump', { format: 'csv', tables: ['users'] }], ['/export/dump?format=ndjson', { format: 'csv' }]] as const) {
      const { status, body } = await one.send(path, 'k', json)
      expect([path, json, status, body.code]).toEqual([path, json, 422, 'IDEMPOTENCY_KEY_REUSED'])
    }
    expect((await one.exporter.list()).length).toBe(1)
  })

  it('is begun by who comes next when its process was killed before it was noted', async () => {
    const killed = start((store) => ({
      get: (key) => store.get(key), list: (prefix) => store.list(prefix), delete: (key) => store.delete(key),
      set: (key, ...given) => (key.startsWith('export/') ? Promise.reject(new Error('killed')) : store.set(key, ...given)),
    }))
    expect((await killed.send('/export/dump', 'lost')).status).toBe(500)
    await killed[Symbol.asyncDispose]()
    await using next = start()
    expect(await next.exporter.list()).toEqual([])
    const first = await next.send('/export/dump', 'lost')
    const again = await next.send('/export/dump', 'lost')
    expect([first.status, again.status, first.body.exportId]).toEqual([202, 202, again.body.exportId])
    expect((await next.exporter.finish(first.body.exportId ?? '')).status).toBe('completed')
  })

  it('is another one when the first was deleted, or no key is sent', async () => {
    await using one = start()
    const first = await one.send('/export/dump', 'gone', {}, {})
    const id = first.headers.get('content-location')?.split('/').at(-1) ?? ''
    await one.exporter.delete(id)
    const { status, body } = await one.send('/export/dump', 'gone', { format: 'csv' })
    expect([status, body.exportId === id]).toEqual([202, false])
    const others = await Promise.all([1, 2].map(() => one.send('/export/dump', undefined)))
    expect(new Set(others.map((other) => other.body.exportId)).size).toBe(2)
  })

  it.each(['', '""', '"a', 'a b', 'a"b', 'x'.repeat(256), '"a\\"b"', 'é'])('is refused under %j, which is no key', async (key) => {
    await using one = start()
    const { status, body } = await one.send('/export/dump', key)
    expect([status, body.code, body.issues]).toEqual([400, 'CONFIG_INVALID', [{ path: 'header.idempotency-key', message: expect.stringContaining('visible characters') as unknown }]])
  })
})

it('refuses an import under the key of another', async () => {
  await using one = start()
  const ids = await Promise.all([1, 2].map(async () => (await one.exporter.start()).id))
  for (const id of ids) await one.exporter.finish(id)
  expect((await one.send('/import', 'i', { exportId: ids[0] }, {})).status).toBe(200)
  await using next = start()
  expect((await next.send('/import', 'i', { exportId: ids[0] }, {})).status).toBe(200)
  const other = await next.send('/import', 'i', { exportId: ids[1] }, {})
  expect([other.status, other.body.code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED'])
})

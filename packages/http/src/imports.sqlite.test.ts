import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import type { Importer } from '@tidemark/core'
import { nodeSqliteStateStore } from '@tidemark/node'
import { describe, expect, it } from 'vitest'
import { createHandler, type AnyImporter, type Handler } from './index.ts'
import { heldImporter } from './test/held-importer.ts'
import { makeWorld, type World } from './test/world.ts'

interface Standing {
  readonly importId: string
  readonly status: string
  readonly isRunning: boolean
  readonly totalRowsImported: number
  readonly totalRows: number
  readonly totalBytesImported: number
  readonly totalBytes: number
}

const WORKER = fileURLToPath(new URL('test/import-worker.ts', import.meta.url))

const PARTS = { format: 'csv', partBytes: 4_096, maxStatementBytes: 1_024 } as const

/** A dump of 2,100 rows in several parts. */
async function makeDump(world: World): Promise<string> {
  world.app.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO notes SELECT i, 'note ' || i FROM n`)
  const { id } = await world.exporter.start(PARTS)
  await world.exporter.finish(id)
  return id
}

function rowsOf(path: string): unknown {
  const database = new DatabaseSync(path)
  try {
    return ['users', 'notes'].map((table) => database.prepare(`SELECT * FROM ${table} ORDER BY id`).all())
  } finally {
    database.close()
  }
}

const sameRows = (world: World): void => expect(rowsOf(join(world.folder, 'imported.db'))).toEqual(rowsOf(join(world.folder, 'app.db')))

const later = { prefer: 'respond-async' }

async function load(world: World, exportId: string, headers: Readonly<Record<string, string>> = {}): Promise<{ readonly status: number; readonly body: Standing & { readonly code?: string } }> {
  const answer = await world.ask('/import', { as: 'admin', json: { exportId }, headers })
  return { status: answer.status, body: await answer.json() as Standing }
}

function post(handler: Handler, path: string, json: unknown = {}, headers: Readonly<Record<string, string>> = later): Promise<Response> {
  return handler(new Request(`http://localhost${path}`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(json) }))
}

/** The same, but behind its first slice it waits to be stopped. */
function untilAborted(importer: Importer): AnyImporter {
  return {
    status: (...args) => importer.status(...args),
    step: (...args) => importer.step(...args),
    looksComplete: (...args) => importer.looksComplete(...args),
    run: async function* (input, options = {}) {
      const { signal } = options
      for await (const status of importer.run(input, options)) {
        yield status
        if (signal?.aborted === false) await once(signal, 'abort')
      }
    },
  }
}

const statusOf = async (world: World, exportId: string): Promise<Standing> => (await world.ask(`/import/status/${exportId}`, { as: 'read' })).json() as Promise<Standing>

describe('imports over HTTP', () => {
  it('answer a small one when it is complete', async () => {
    await using world = await makeWorld()
    const exportId = await makeDump(world)
    const { status, body } = await load(world, exportId)
    expect([status, body]).toEqual([200, expect.objectContaining({ importId: exportId, exportId, status: 'completed', isRunning: false, totalRowsImported: 2_100, totalRows: 2_100, notes: [] })])
    expect(body.totalBytesImported).toBe(body.totalBytes)
    sameRows(world)
    expect(await (await world.ask('/import', { as: 'read' })).json()).toEqual({ imports: [body] })
  })

  it('answer others with 202, run them on, and tell how they stand', async () => {
    await using world = await makeWorld()
    const exportId = await makeDump(world)
    const answer = await world.ask('/import', { as: 'admin', json: { exportId }, headers: later })
    expect([answer.status, answer.headers.get('location'), await answer.json()]).toEqual([202, `/import/status/${exportId}`, expect.objectContaining({ status: 'loading', isRunning: true, totalRows: 2_100 })])
    await expect.poll(async () => (await statusOf(world, exportId)).status, { timeout: 10_000 }).toBe('completed')
    sameRows(world)
  })

  it('go on in whatever process is asked, a step a request', async () => {
    const options = { imports: { runs: false, waitMs: 0 } }
    await using world = await makeWorld(options)
    const exportId = await makeDump(world)
    await using state = nodeSqliteStateStore({ path: join(world.folder, 'state.db') })
    const seen: number[] = []
    for (let done = false; !done;) {
      // As after a restart: nothing is left of the handler before but what is stored.
      const handler = createHandler({ authorize: () => true, importer: world.importer, imports: { ...options.imports, state } })
      const answer = await post(handler, '/import', { exportId })
      const standing = await answer.json() as Standing
      expect([answer.status, standing.isRunning]).toEqual([standing.status === 'completed' ? 200 : 202, false])
      seen.push(standing.totalBytesImported)
      done = standing.status === 'completed'
      handler[Symbol.dispose]()
    }
    expect(seen.length).toBeGreaterThan(3)
    expect(seen).toEqual(seen.toSorted((a, b) => a - b))
    sameRows(world)
    const after = createHandler({ authorize: () => true, importer: world.importer, imports: { state } })
    expect(await (await after(new Request(`http://localhost/import/status/${exportId}`))).json()).toMatchObject({ status: 'completed', totalRowsImported: 2_100 })
  })

  it('are one, however often they are asked for at once, and none when complete', async () => {
    await using world = await makeWorld()
    const exportId = await makeDump(world)
    const all = await Promise.all(Array.from({ length: 10 }, () => load(world, exportId)))
    expect(all.map(({ status, body }) => [status, body.totalRowsImported])).toEqual(all.map(() => [200, 2_100]))
    expect((await load(world, exportId)).status).toBe(200)
    sameRows(world)
  })

  it('stop after the slice at hand, and go on from there', async () => {
    await using world = await makeWorld()
    const exportId = await makeDump(world)
    const handler = createHandler({ authorize: () => true, importer: untilAborted(world.importer) })
    expect((await post(handler, '/import', { exportId })).status).toBe(202)
    const stopped = await (await post(handler, `/import/stop/${exportId}`)).json() as Standing
    expect(stopped).toMatchObject({ status: 'stopped', isRunning: false })
    expect(stopped.totalBytesImported).toBeLessThan(stopped.totalBytes)
    expect(await (await handler(new Request(`http://localhost/import/status/${exportId}`))).json()).toEqual(stopped)
    expect((await load(world, exportId)).body).toMatchObject({ status: 'completed', totalRowsImported: 2_100 })
    sameRows(world)
  })

  it('end with the handler, and go on with the next one', async () => {
    await using world = await makeWorld()
    const exportId = await makeDump(world)
    await using state = nodeSqliteStateStore({ path: join(world.folder, 'state.db') })
    const kept: Promise<unknown>[] = []
    const first = createHandler({ authorize: () => true, importer: untilAborted(world.importer), imports: { state }, waitUntil: (work) => void kept.push(work) })
    expect((await post(first, '/import', { exportId })).status).toBe(202)
    first[Symbol.dispose]()
    await Promise.all(kept)
    const second = createHandler({ authorize: () => true, importer: world.importer, imports: { state } })
    expect(await (await second(new Request(`http://localhost/import/status/${exportId}`))).json()).toMatchObject({ status: 'stopped', isRunning: false })
    expect((await post(second, '/import', { exportId }, {})).status).toBe(200)
    sameRows(world)
  })

  describe('whose process is killed at the end', () => {
    interface Killed extends AsyncDisposable {
      readonly ask: (path: string, json?: unknown) => Promise<{ readonly status: number; readonly body: Standing & { readonly notes: readonly string[] } }>
    }

    /** Killed there, and then another process. */
    async function afterKill(world: World, exportId: string, [which, when, runs]: readonly [string, string, string]): Promise<Killed> {
      const worker = spawn(process.execPath, ['--conditions=tidemark-source', '--disable-warning=ExperimentalWarning', WORKER, world.folder, exportId, which, when, runs], { stdio: ['ignore', 'pipe', 'inherit'] })
      let output = ''
      worker.stdout.setEncoding('utf8').on('data', (text: string) => { output += text })
      const [, signal] = await once(worker, 'close') as [number | null, NodeJS.Signals | null] // as its documentation says
      expect([signal, output]).toEqual(['SIGKILL', ''])
      const state = nodeSqliteStateStore({ path: join(world.folder, 'state.db') })
      const handler = createHandler({ authorize: () => true, importer: world.importer, imports: { state } })
      return {
        ask: async (path, json) => {
          const answer = await (json === undefined ? handler(new Request(`http://localhost${path}`)) : post(handler, path, json, {}))
          return { status: answer.status, body: await answer.json() as Standing & { readonly notes: readonly string[] } }
        },
        [Symbol.asyncDispose]: async () => {
          handler[Symbol.dispose]()
          await state[Symbol.asyncDispose]()
        },
      }
    }

    it.each([['runs'], ['step']])('is complete when only the note of it is missing: %s', async (runs) => {
      await using world = await makeWorld()
      const exportId = await makeDump(world)
      await using next = await afterKill(world, exportId, ['completed', 'before', runs])
      sameRows(world)
      expect(await next.ask(`/import/status/${exportId}`)).toMatchObject({ status: 200, body: { status: 'completed', isRunning: false, totalRowsImported: 2_100, totalRows: 2_100, notes: [expect.stringContaining('killed')] } })
      expect(await next.ask('/import', { exportId })).toMatchObject({ status: 200, body: { status: 'completed' } })
      sameRows(world)
    })

    it('loads no row of a dump without definitions twice', async () => {
      await using world = await makeWorld()
      await makeDump(world)
      const { id } = await world.exporter.start({ content: 'data' })
      await world.exporter.finish(id)
      const target = new DatabaseSync(join(world.folder, 'imported.db'))
      target.exec('CREATE TABLE users (id INTEGER, name TEXT, balance); CREATE TABLE notes (id INTEGER, body TEXT)')
      target.close()
      await using next = await afterKill(world, id, ['completed', 'before', 'runs'])
      expect(await next.ask('/import', { exportId: id })).toMatchObject({ status: 200, body: { status: 'completed' } })
      sameRows(world)
    })

    it.each([['before'], ['after']])('goes on when the target still knows where: %s the note that all is loaded', async (when) => {
      await using world = await makeWorld()
      const exportId = await makeDump(world)
      await using next = await afterKill(world, exportId, ['isLoaded', when, 'runs'])
      expect((await next.ask(`/import/status/${exportId}`)).body).toMatchObject({ status: 'loading', isRunning: false })
      expect(await next.ask('/import', { exportId })).toMatchObject({ status: 200, body: { status: 'completed', totalRowsImported: 2_100, notes: [] } })
      sameRows(world)
    })

    it('is loaded anew into a target that was put in the place of the other', async () => {
      await using world = await makeWorld()
      const exportId = await makeDump(world)
      await using next = await afterKill(world, exportId, ['completed', 'before', 'runs'])
      for (const suffix of ['', '-wal', '-shm']) rmSync(join(world.folder, `imported.db${suffix}`), { force: true })
      expect((await next.ask(`/import/status/${exportId}`)).body.status).toBe('loading')
      expect(await next.ask('/import', { exportId })).toMatchObject({ status: 200, body: { status: 'completed', notes: [] } })
      sameRows(world)
    })
  })

  it('are left by a process that was slow to one that has taken over, which loads each row once, and stay complete', async () => {
    await using world = await makeWorld()
    await makeDump(world)
    const { id } = await world.exporter.start({ ...PARTS, content: 'data' })
    await world.exporter.finish(id)
    const target = new DatabaseSync(join(world.folder, 'imported.db'))
    // Nothing of it refuses a row that comes twice.
    target.exec('CREATE TABLE users (id INTEGER, name TEXT, balance); CREATE TABLE notes (id INTEGER, body TEXT)')
    target.close()
    const open = new AbortController()
    const kept: Promise<unknown>[] = []
    await using slowState = nodeSqliteStateStore({ path: join(world.folder, 'state.db') })
    await using state = nodeSqliteStateStore({ path: join(world.folder, 'state.db') })
    const slow = createHandler({ authorize: () => true, importer: heldImporter(() => world.importer, open.signal), imports: { state: slowState }, waitUntil: (work) => void kept.push(work) })
    expect((await post(slow, '/import', { exportId: id })).status).toBe(202)
    await expect.poll(async () => (await (await slow(new Request(`http://localhost/import/status/${id}`))).json() as Standing).totalBytesImported).toBeGreaterThan(0)
    const other = createHandler({ authorize: () => true, importer: world.importer, imports: { state } })
    const first = await (await post(other, '/import', { exportId: id }, {})).json() as Standing
    expect(first).toMatchObject({ status: 'completed', totalRowsImported: 2_100 })
    open.abort()
    await Promise.all(kept)
    sameRows(world)
    for (const handler of [slow, other]) expect(await (await handler(new Request(`http://localhost/import/status/${id}`))).json()).toEqual(first)
    expect((await post(slow, '/import', { exportId: id })).status).toBe(200)
    sameRows(world)
  })

  it('never answer a failed one with 200, and tell why', async () => {
    await using world = await makeWorld()
    expect(await load(world, 'export_0000')).toMatchObject({ status: 404, body: { code: 'DUMP_INCOMPLETE' } })
    expect((await world.ask('/import/status/export_0000', { as: 'read' })).status).toBe(404)
    const exportId = await makeDump(world)
    const target = new DatabaseSync(join(world.folder, 'imported.db'))
    target.exec('CREATE TABLE users (id)')
    expect(await load(world, exportId)).toMatchObject({ status: 409, body: { code: 'TARGET_NOT_OWNED' } })
    expect(await statusOf(world, exportId)).toMatchObject({ status: 'failed', problem: { code: 'TARGET_NOT_OWNED', remedy: expect.any(String) } })
    target.exec('DROP TABLE users')
    target.close()
    expect((await load(world, exportId)).status).toBe(200)
    sameRows(world)
  })

  it('load nothing of a part that was altered, and all of it once it is as it was', async () => {
    await using world = await makeWorld()
    const exportId = await makeDump(world)
    const folder = join(world.folder, 'dumps', exportId)
    const part = readdirSync(folder, { recursive: true, encoding: 'utf8' }).find((name) => /notes.*csv/.test(name)) ?? ''
    const bytes = readFileSync(join(folder, part))
    writeFileSync(join(folder, part), Buffer.from(bytes).fill(55, 100, 200))
    expect(await load(world, exportId)).toMatchObject({ status: 422, body: { code: 'DUMP_CORRUPT' } })
    writeFileSync(join(folder, part), bytes)
    expect((await load(world, exportId)).status).toBe(200)
    sameRows(world)
  })

  it('can be forgotten, so that the dump is loaded anew', async () => {
    await using world = await makeWorld()
    const exportId = await makeDump(world)
    await load(world, exportId)
    const target = new DatabaseSync(join(world.folder, 'imported.db'))
    target.exec('DROP TABLE users; DROP TABLE notes')
    target.close()
    expect((await world.ask(`/import/${exportId}`, { as: 'admin', method: 'DELETE' })).status).toBe(200)
    expect((await world.ask(`/import/${exportId}`, { as: 'admin', method: 'DELETE' })).status).toBe(404)
    expect((await load(world, exportId)).status).toBe(200)
    sameRows(world)
  })
})

import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { DatabaseSync } from 'node:sqlite'
import { Exporter, verifyDump, type Download, type ExporterOptions } from '@tidemark/core'
import { TidemarkError } from '@tidemark/core/adapter'
import { FakeRuntime, memoryStateStore, MemoryObjects, memoryStorage } from '@tidemark/core/testing'
import { Webhook } from 'standardwebhooks'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { nodeSqlite } from './node-sqlite.ts'

let folder: string
let path: string
let objects: MemoryObjects
let runtime: FakeRuntime
let state: ReturnType<typeof memoryStateStore>
const open: AsyncDisposable[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-exporter-'))
  path = join(folder, 'app.db')
  objects = new MemoryObjects()
  runtime = new FakeRuntime()
  state = memoryStateStore()
  const database = new DatabaseSync(path)
  database.exec(`CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT); CREATE TABLE "é x"(a); CREATE INDEX i ON t(a);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) INSERT INTO t SELECT i, 'value ' || i FROM n; INSERT INTO "é x" SELECT a FROM t`)
  database.close()
})
afterEach(async () => {
  for (const one of open.splice(0)) await one[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

function make(options: Partial<ExporterOptions> = {}): Exporter {
  const exporter = new Exporter({ source: nodeSqlite({ path }), storage: memoryStorage({ state: objects, minPartBytes: 500, now: () => runtime.now() }), state, runtime, ...options })
  open.push(exporter)
  return exporter
}

async function content({ body }: Download): Promise<string> {
  let all = ''
  for await (const piece of body) all += new TextDecoder().decode(piece)
  return all
}

const SMALL = { partBytes: 1_200, maxStatementBytes: 1_000, budget: { bytes: 1 } } as const

describe('an exporter', () => {
  it('answers a small export with its file, and another with its status', async () => {
    const exporter = make()
    const { status, download } = await exporter.export({ fileName: 'app' })
    expect(status).toMatchObject({ status: 'completed', totalRowsExported: 400, tablesProcessed: 2 })
    expect(download).toMatchObject({ fileName: 'app.sql', contentType: 'application/sql', bytes: status.totalBytesExported })
    if (download !== undefined) expect(await content(download)).toContain(`(200,'value 200');`)
    const slow = await exporter.export({ ...SMALL, pauseMs: 60_000 })
    expect(slow).toMatchObject({ status: { status: 'processing' }, download: undefined })
    await expect(exporter.export({ tables: ['nobody'] })).rejects.toMatchObject({ code: 'TABLE_UNKNOWN' })
  })

  it('gives ranges, by token too where the storage can sign nothing', async () => {
    const exporter = make({ downloadSecret: 'a secret of thirty-two characters' })
    const { status } = await exporter.export({ layout: 'directory' })
    const whole = await content(await exporter.download(status.exportId))
    expect(JSON.parse(whole)).toMatchObject({ kind: 'tidemark-dump', layout: 'directory' })
    expect(await content(await exporter.download(status.exportId, { range: { start: 3, end: 20 } }))).toBe(whole.slice(3, 20))
    await expect(exporter.signedUrl(status.exportId)).rejects.toMatchObject({ code: 'NOT_SUPPORTED' })
    const token = await exporter.downloadToken(status.exportId, { path: 'rows/0001-t-000001.sql', expiresInMs: 1_000 })
    expect(await content(await exporter.downloadByToken(token))).toContain('INSERT INTO "t"')
    await runtime.advance(1_001)
    await expect(exporter.downloadByToken(token)).rejects.toMatchObject({ code: 'DOWNLOAD_REFUSED' })
    await expect(exporter.download(status.exportId, { path: '../x' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    await expect(exporter.download('export_1')).rejects.toMatchObject({ code: 'EXPORT_UNKNOWN' })
  })

  it('verifies a directory, and renders the database again', async () => {
    const exporter = make()
    const { id } = await exporter.start({ ...SMALL, layout: 'directory', budget: undefined })
    await finish(exporter, id)
    const report = await verifyDump({ storage: memoryStorage({ state: objects }), id, mode: 'deep', against: nodeSqlite({ path }) })
    expect(report).toMatchObject({ ok: true, findings: [] })
    expect(report.objects).toBeGreaterThan(8)
  })

  it('removes what it wrote when it is cancelled, and keeps what had ended', async () => {
    const exporter = make()
    const { id } = await exporter.start(SMALL)
    await exporter.step(id)
    expect(objects.uploads.size).toBe(1)
    await expect(exporter.delete(id)).rejects.toMatchObject({ code: 'EXPORT_NOT_READY' })
    expect(await exporter.cancel(id)).toMatchObject({ status: 'cancelled' })
    expect([objects.uploads.size, objects.objects.size, readdirSync(folder)]).toEqual([0, 0, ['app.db']])
    await expect(exporter.download(id)).rejects.toMatchObject({ code: 'EXPORT_NOT_READY' })
    const { status } = await exporter.export()
    expect(await exporter.cancel(status.exportId)).toMatchObject({ status: 'completed' })
    await exporter.delete(status.exportId)
    expect([objects.objects.size, (await exporter.list()).map(({ exportId }) => exportId)]).toEqual([0, [id]])
  })

  it('sweeps what has had its time, and uploads that a kill has left', async () => {
    const exporter = make()
    const { status } = await exporter.export({ ttlMs: 10_000 })
    const { id } = await exporter.start(SMALL)
    await exporter.step(id)
    const storage = memoryStorage({ state: objects, now: () => runtime.now() })
    await storage.createUpload(`${id}/dump.sql`)
    await storage.createUpload('export_00000000000000000000000000000000/of-somebody-else.sql')
    expect(await exporter.sweep({ uploadAgeMs: 5_000 })).toEqual({ exportsDeleted: 0, cleanupsRenewed: 0, uploadsAborted: 0, failures: [] })
    await runtime.advance(10_000)
    expect(await exporter.sweep({ uploadAgeMs: 5_000 })).toEqual({ exportsDeleted: 1, cleanupsRenewed: 0, uploadsAborted: 1, failures: [] })
    await expect(exporter.status(status.exportId)).rejects.toMatchObject({ code: 'EXPORT_UNKNOWN' })
    expect(await finish(exporter, id)).toMatchObject({ status: 'completed' })
    expect(objects.uploads.size).toBe(1)
  })

  it('serves all jobs with one wake-up, and none is held up by one that fails', async () => {
    const exporter = make()
    const ids = [(await exporter.start({ ...SMALL, pauseMs: 2_000 })).id, (await exporter.start({ tables: ['nobody'] })).id, (await exporter.start({ ...SMALL, consistency: 'fuzzy', pauseMs: 3_000 })).id]
    let turns = 0
    for (let next: number | undefined = runtime.now(); next !== undefined; turns += 1) {
      await runtime.advance(Math.max(0, next - runtime.now()))
      next = (await exporter.stepDue()).nextAtMs
    }
    expect(await Promise.all(ids.map(async (id) => (await exporter.status(id)).status))).toEqual(['completed', 'failed', 'completed'])
    expect(turns).toBeGreaterThan(10)
  })

  it('lets one worker at a job, and another once the first is gone', async () => {
    const [first, second] = [make({ instance: 'first' }), make({ instance: 'second' })]
    const { id } = await first.start(SMALL)
    const results = await Promise.allSettled([first.step(id), second.step(id)])
    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    expect(results.flatMap((result) => (result.status === 'rejected' ? [Object(result.reason).code] : []))).toEqual([expect.stringMatching(/^(LEASE_HELD|LEASE_LOST)$/)])
    // The loser of the first round wins when it asks again: nobody is at it.
    expect(await finish(second, id)).toMatchObject({ status: 'completed', totalRowsExported: 400 })
  })

  it.each([
    [{ format: 'parquet', layout: 'directory' }, 'format'], [{ partBytes: 10 }, 'partBytes'], [{ compression: 'none', layout: 'directory' }, 'compression'], [{ encrypt: true, layout: 'directory' }, 'encrypt'], [{ tables: [] }, 'tables'],
    [{ fileName: '../x' }, 'fileName'], [{ nonsense: 1 }, 'nonsense'], [{ budget: { ms: 0 } }, 'budget.ms'],
  ])('refuses %j and names it', async (request, fault) => {
    await expect(make().start(request as object)).rejects.toMatchObject({ code: 'CONFIG_INVALID', issues: [expect.objectContaining({ path: fault })] })
    expect(await state.list('')).toEqual([])
  })

  it('tries again what can be tried again', async () => {
    const { id } = await make().start(SMALL)
    let isFull = true
    const storage = memoryStorage({ state: objects, minPartBytes: 500, onMoment: ({ operation, moment }) => {
      if (isFull && operation === 'putPart' && moment === 'before') throw new TidemarkError('STORAGE_FULL', 'Full.')
    } })
    const exporter = make({ storage })
    const { status } = await exporter.step(id)
    expect(status).toMatchObject({ status: 'processing', error: { code: 'STORAGE_FULL' } })
    isFull = false
    await runtime.advance(300_000)
    expect(await finish(exporter, id)).toMatchObject({ status: 'completed', error: undefined })
  })
})

async function finish(exporter: Exporter, id: string): Promise<unknown> {
  for (let step = await exporter.step(id); ; step = await exporter.step(id)) {
    if (step.done) return step.status
    await runtime.advance(Math.max(0, (step.nextAtMs ?? 0) - runtime.now()))
  }
}

describe('a callback', () => {
  const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
  let server: Server
  let origin: string
  let answer: (request: IncomingMessage) => { readonly status: number; readonly headers?: Record<string, string> }
  const calls: { readonly body: string; readonly headers: Record<string, string> }[] = []

  beforeEach(async () => {
    calls.length = 0
    answer = () => ({ status: 204 })
    server = createServer((request, response) => {
      void text(request).then((body) => {
        calls.push({ body, headers: request.headers as Record<string, string> })
        const { status, headers = {} } = answer(request)
        response.writeHead(status, headers).end()
      })
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterEach(async () => {
    server.closeAllConnections()
    await new Promise((done) => server.close(done))
  })

  it('is signed, and made again at its time until it is taken', async () => {
    // The reference library compares the time of a signature with the clock.
    runtime = new FakeRuntime({ startMs: Date.now() })
    const exporter = make({ callbacks: { allowedOrigins: [origin], secret: SECRET } })
    const answers = [{ status: 503, headers: { 'retry-after': '20' } }, { status: 302, headers: { location: '/elsewhere' } }, { status: 204 }]
    answer = () => answers[calls.length - 1] ?? { status: 500 }
    const { id } = await exporter.start({ callback: { url: `${origin}/done` } })
    await exporter.step(id)
    await exporter.step(id)
    expect((await exporter.status(id)).callback).toMatchObject({ outcome: 'pending', attempts: 1, nextAtMs: runtime.now() + 20_000 })
    expect(await finish(exporter, id)).toMatchObject({ status: 'completed', callback: { outcome: 'delivered', attempts: 3 } })
    const [first, ...others] = calls
    expect(new Webhook(SECRET).verify(first?.body ?? '', first?.headers ?? {})).toMatchObject({
      exportId: id, status: 'completed', totalRowsExported: 400, completedAt: expect.any(String), key: `${id}/manifest.json`, r2Key: (await exporter.status(id)).key,
    })
    expect(others.map(({ headers }) => headers['webhook-id'])).toEqual([first?.headers['webhook-id'], first?.headers['webhook-id']])
    expect(JSON.stringify(await state.get(`export/${id}`))).not.toContain(SECRET)
  })

  it('tells of a failure, and is over when its receiver is gone for good', async () => {
    const exporter = make({ callbacks: { allowedOrigins: [origin] } })
    answer = () => ({ status: 410 })
    const { id } = await exporter.start({ tables: ['nobody'], callback: { url: `${origin}/done`, secret: SECRET } })
    expect(await finish(exporter, id)).toMatchObject({ status: 'failed', error: { code: 'TABLE_UNKNOWN' }, callback: { outcome: 'failed', attempts: 1 }, nextAtMs: undefined })
    expect(JSON.parse(calls[0]?.body ?? '')).toMatchObject({ type: 'export.failed', error: { code: 'TABLE_UNKNOWN' } })
  })

  it('is refused before anything begins, where its origin is not allowed', async () => {
    await expect(make().start({ callback: { url: `${origin}/done` } })).rejects.toMatchObject({ code: 'CALLBACK_REFUSED' })
    await expect(make({ callbacks: { allowedOrigins: ['https://*.example.com'] } }).start({ callback: { url: `${origin}/done` } })).rejects.toMatchObject({ code: 'CALLBACK_REFUSED' })
    expect(await state.list('')).toEqual([])
  })
})

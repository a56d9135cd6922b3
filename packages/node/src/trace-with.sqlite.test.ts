import { DatabaseSync } from 'node:sqlite'
import { ChangeStream, createReceiver, Exporter, httpPeer, Importer, Propagator, Replicator } from '@tidemark/core'
import { memoryStateStore } from '@tidemark/core/testing'
import { tracedFetch, traceWith, type Traced } from '@tidemark/core/telemetry'
import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace-base'
import { expect, it } from 'vitest'
import { nodeSqlite } from './export/node-sqlite.ts'
import { nodeSqlitePropagationTarget } from './node-sqlite-propagation-target.ts'
import { nodeSqliteSource } from './node-sqlite-source.ts'
import { nodeSqliteTarget } from './node-sqlite-target.ts'
import { sqliteChanges } from './sqlite-changes.ts'
import { fsStorage } from './storage/fs-storage.ts'
import { deferred } from './test/deferred.ts'
import { serveReceiver } from './test/serve-receiver.ts'
import { useFolder } from './test/use-folder.ts'

const path = useFolder()

/** OpenTelemetry's own SDK, with what it was given. */
class Traces {
  readonly #memory = new InMemorySpanExporter()
  readonly tracer = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(this.#memory)] }).getTracer('test')

  trace(capabilities: Omit<Traced, 'tracer'>): Disposable {
    return traceWith({ tracer: this.tracer, ...capabilities })
  }

  /** Those that have ended, in the order in which they did. */
  get spans(): readonly ReadableSpan[] {
    return this.#memory.getFinishedSpans()
  }

  /** Name, attributes, names of events, and whether it has failed. */
  get short(): readonly unknown[] {
    return this.spans.map(({ name, attributes, events, status }) => [name, attributes, events.map((event) => event.name), status.code === SpanStatusCode.ERROR])
  }
}

function makeDatabase(file: string, sql: string): void {
  using database = new DatabaseSync(path(file), { timeout: 5_000 })
  database.exec(`PRAGMA journal_mode = WAL; ${sql}`)
}

const USERS = 'CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)'

it('makes a span of each sync, with no value of a row in it', async () => {
  makeDatabase('app.db', `${USERS}; INSERT INTO users VALUES (1, 'canary-value')`)
  const source = nodeSqliteSource({ path: path('app.db') })
  await using replicator = new Replicator({
    target: nodeSqliteTarget({ path: path('copy.db') }),
    replications: [{ name: 'users', source, sourceTable: 'users' }, { name: 'broken', source, sourceTable: 'missing' }],
  })
  const traces = new Traces()
  const tracing = traces.trace({ replicator })
  await replicator.syncNow('users')
  await replicator.syncNow('broken').catch(() => undefined)
  tracing[Symbol.dispose]()
  await replicator.syncNow('users')
  expect(traces.spans.map(({ name, attributes, status }) => [name, attributes['tidemark.replication'], status.code, attributes['error.type']])).toEqual([
    ['tidemark.sync', 'users', SpanStatusCode.UNSET, undefined],
    ['tidemark.sync', 'broken', SpanStatusCode.ERROR, 'TABLE_UNKNOWN'],
  ])
  expect(traces.spans[0]?.events.map(({ name }) => name)).toContain('slice')
  expect(JSON.stringify(traces.short)).not.toContain('canary')
})

it('makes a span of each batch in the hands of a handler, with its retries, and of one that is given up', async () => {
  makeDatabase('app.db', USERS)
  const source = sqliteChanges({ path: path('app.db') }, { tables: ['users'] })
  await source.install()
  await using stream = new ChangeStream({ source, checkpoints: memoryStateStore(), retry: { attempts: 2, baseMs: 1, maxMs: 1 } })
  const traces = new Traces()
  using _tracing = traces.trace({ streams: [stream] })
  let failures = 1
  const taken = deferred()
  const flaky = await stream.subscribe({ id: 'flaky' }, () => {
    if (failures-- > 0) throw new Error('canary of the handler')
    taken.resolve()
  })
  const broken = await stream.subscribe({ id: 'broken' }, () => { throw new Error('canary of the handler') })
  makeDatabase('app.db', 'INSERT INTO users VALUES (1, \'canary-value\'), (2, \'canary-value\')')
  await taken.promise
  await expect(broken.done).rejects.toMatchObject({ code: 'HANDLER_FAILED' })
  await flaky.unsubscribe()
  const about = (subscriber: string): Readonly<Record<string, unknown>> => ({ 'tidemark.source': 'sqlite', 'tidemark.subscriber': subscriber, 'tidemark.changes': 2, 'tidemark.commit': true })
  expect(traces.short).toHaveLength(2)
  expect(traces.short).toContainEqual(['tidemark.deliver', about('flaky'), ['retry'], false])
  expect(traces.short).toContainEqual(['tidemark.deliver', { ...about('broken'), 'error.type': 'HANDLER_FAILED' }, ['retry'], true])
  expect(JSON.stringify(traces.short)).not.toContain('canary')
})

it('makes a span of each export and of each import, also of those that fail', async () => {
  makeDatabase('app.db', `${USERS}; INSERT INTO users VALUES (1, 'canary-value')`)
  const storage = fsStorage(path('dumps'))
  await using exporter = new Exporter({ source: nodeSqlite({ path: path('app.db') }), storage, state: memoryStateStore() })
  const importer = new Importer({ source: storage, target: nodeSqlite({ path: path('copy.db') }), retry: { attempts: 1 } })
  const traces = new Traces()
  using _tracing = traces.trace({ exporter, importer })
  const { id } = await exporter.start({})
  await exporter.finish(id)
  await importer.load(id)
  await importer.load('export_none').catch(() => undefined)
  await expect(importer.step({ sql: 'none.sql' })).rejects.toMatchObject({ code: 'OBJECT_UNKNOWN' })
  const { id: cancelled } = await exporter.start({})
  await exporter.cancel(cancelled)
  expect(traces.short).toEqual([
    ['tidemark.export', { 'tidemark.export': id, 'tidemark.status': 'completed' }, ['view', 'part'], false],
    ['tidemark.import', { 'tidemark.import': id, 'tidemark.done': true }, expect.arrayContaining(['slice']), false],
    ['tidemark.import', { 'tidemark.import': 'export_none', 'error.type': 'DUMP_INCOMPLETE' }, [], true],
    ['tidemark.import', { 'tidemark.import': 'sql:none.sql', 'error.type': 'OBJECT_UNKNOWN' }, [], true],
    ['tidemark.export', { 'tidemark.export': cancelled, 'tidemark.status': 'cancelled' }, [], false],
  ])
  expect(JSON.stringify(traces.short)).not.toContain('canary')
})

it('makes one span of a message to a peer however often it is sent, and tells the peer whose request it is', async () => {
  makeDatabase('app.db', USERS)
  makeDatabase('peer.db', USERS)
  const receive = createReceiver({ target: nodeSqlitePropagationTarget({ path: path('peer.db') }), authorize: { token: 'canary-token' } })
  const parents: (string | null)[] = []
  let isDown = true
  await using server = await serveReceiver((request) => {
    parents.push(request.headers.get('traceparent'))
    return isDown ? Promise.resolve(new Response('canary', { status: 503 })) : receive(request)
  })
  const traces = new Traces()
  const peer = httpPeer({ url: server.url, token: 'canary-token', name: 'b', fetch: tracedFetch({ tracer: traces.tracer }) })
  await using propagator = new Propagator({ source: sqliteChanges({ path: path('app.db') }, { tables: ['users'] }), origin: 'a', peers: [peer], retry: { baseMs: 1, maxMs: 1 } })
  using _tracing = traces.trace({ propagator })
  expect(await propagator.flush({ signal: AbortSignal.timeout(10_000) })).toMatchObject({ behind: ['b'] })
  const streaming = deferred()
  propagator.on('peer:phase', ({ phase }) => {
    if (phase === 'streaming') streaming.resolve()
  })
  isDown = false
  await propagator.start()
  await streaming.promise
  makeDatabase('app.db', 'INSERT INTO users VALUES (1, \'canary-value\'), (2, \'canary-value\')')
  expect((await propagator.flush()).reached).toEqual(['b'])
  await receive[Symbol.asyncDispose]()
  const [hello, ...more] = traces.short.filter((span) => Array.isArray(span) && span[0] === 'tidemark.propagate')
  expect(hello).toEqual(['tidemark.propagate', { 'tidemark.peer': 'b', 'tidemark.message': 'hello', 'tidemark.changes': 0 }, expect.arrayContaining(['retry']), false])
  expect(more.at(-1)).toEqual(['tidemark.propagate', { 'tidemark.peer': 'b', 'tidemark.message': 'unit', 'tidemark.changes': 2 }, [], false])
  const requests = traces.spans.filter(({ kind }) => kind === SpanKind.CLIENT)
  expect(parents).toEqual(requests.map((span) => `00-${span.spanContext().traceId}-${span.spanContext().spanId}-01`))
  const { hostname, port } = new URL(server.url)
  expect(requests[0]).toMatchObject({ name: 'POST', attributes: { 'http.request.method': 'POST', 'server.address': hostname, 'server.port': Number(port), 'http.response.status_code': 503, 'error.type': '503' }, status: { code: SpanStatusCode.ERROR } })
  expect(requests.at(-1)).toMatchObject({ attributes: { 'http.response.status_code': 200 }, status: { code: SpanStatusCode.UNSET } })
  expect(JSON.stringify(traces.short)).not.toContain('canary')
})

import { DatabaseSync } from 'node:sqlite'
import { Replicator } from '@tidemark/core'
import { traceWith } from '@tidemark/core/telemetry'
import { SpanStatusCode } from '@opentelemetry/api'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { expect, it } from 'vitest'
import { nodeSqliteSource } from './node-sqlite-source.ts'
import { nodeSqliteTarget } from './node-sqlite-target.ts'
import { useFolder } from './test/use-folder.ts'

const path = useFolder()

it('makes a span of each sync, by OpenTelemetry\'s own SDK, with no value of a row in it', async () => {
  using database = new DatabaseSync(path('app.db'))
  database.exec('CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO users VALUES (1, \'canary-value\')')
  const source = nodeSqliteSource({ path: path('app.db') })
  await using replicator = new Replicator({
    target: nodeSqliteTarget({ path: path('copy.db') }),
    replications: [{ name: 'users', source, sourceTable: 'users' }, { name: 'broken', source, sourceTable: 'missing' }],
  })
  const memory = new InMemorySpanExporter()
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(memory)] })
  const tracing = traceWith({ tracer: provider.getTracer('test'), replicator })
  await replicator.syncNow('users')
  await replicator.syncNow('broken').catch(() => undefined)
  tracing[Symbol.dispose]()
  await replicator.syncNow('users')
  const spans = memory.getFinishedSpans()
  expect(spans.map(({ name, attributes, status }) => [name, attributes['tidemark.replication'], status.code, attributes['error.type']])).toEqual([
    ['tidemark.sync', 'users', SpanStatusCode.UNSET, undefined],
    ['tidemark.sync', 'broken', SpanStatusCode.ERROR, 'TABLE_UNKNOWN'],
  ])
  expect(spans[0]?.events.map(({ name }) => name)).toContain('slice')
  expect(JSON.stringify(spans.map(({ attributes, events, status }) => ({ attributes, events, status })))).not.toContain('canary')
})

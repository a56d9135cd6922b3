import { ChangeStream } from '@tidemark/core'
import { memoryStateStore } from '@tidemark/core/testing'
import { postgresChanges } from '@tidemark/postgres'
import { postgresForTests } from '@tidemark/test-servers/vitest'
import { expect, it } from 'vitest'
import { createHandler } from './index.ts'

it('measures what a server keeps of its log for a stream, and what it may', async () => {
  const server = await postgresForTests()
  await using database = await server.createDatabase()
  const source = postgresChanges({ url: database.url, slot: `http_${process.pid}`, tables: [], messages: true, maxRetainedBytes: 1 << 30 })
  await using stream = new ChangeStream({ source, checkpoints: memoryStateStore(), heartbeatIntervalMs: 20 })
  using handler = createHandler({ authorize: () => true, streams: { main: stream } })
  const looked = new Promise<void>((resolve) => void stream.on('retention', () => resolve()))
  await stream.subscribe({ id: 'reader' }, () => undefined)
  await looked
  const text = await (await handler(new Request('http://localhost/metrics'))).text()
  expect(text).toMatch(/^tidemark_change_source_retained_bytes\{source="postgres"\} [1-9]\d*$/m)
  expect(text).toMatch(/^tidemark_change_source_retained_bytes_max\{source="postgres"\} 1073741824$/m)
  await stream.destroy()
})

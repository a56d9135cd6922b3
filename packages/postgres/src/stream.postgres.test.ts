import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import type { RowStream, SourceConnection, StreamRowsRequest, TableSchema } from '@tidemark/core/adapter'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postgresSource } from './postgres-source.ts'
import { CollectingSink } from './test/collecting-sink.ts'
import { passThrough, startProxy } from './test/proxy.ts'
import { readStream } from './test/read-stream.ts'
import { useTestDatabase } from './test/test-database.ts'

const ROWS = 200_000
const database = await useTestDatabase('stream')
let connection: SourceConnection
let schema: TableSchema

beforeAll(async () => {
  await database.execute(`CREATE TABLE big (id int PRIMARY KEY, filler text NOT NULL);
    INSERT INTO big SELECT i, repeat('x', 100) FROM generate_series(1, ${ROWS}) i; ANALYZE big; CREATE TABLE none (id int PRIMARY KEY)`)
  connection = await postgresSource({ url: database.url, applicationName: 'streaming' }).connect()
  schema = await connection.describeTable({ schema: 'public', name: 'big' })
})
afterAll(() => connection[Symbol.asyncDispose]())

async function open(from: SourceConnection, options: Partial<StreamRowsRequest> = {}): Promise<RowStream> {
  const stream = await from.streamRows?.({ table: schema, columns: schema.columns, key: ['id'], ...options })
  if (stream === undefined) throw new TypeError('no stream')
  return stream
}

/** The polling connection is one; a stream that is open is a second. */
async function untilClosed(): Promise<void> {
  const text = 'SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = \'streaming\''
  const count = async (): Promise<number> => ((await database.execute(text))[0] as { n: number }).n
  while (await count() > 1) await database.execute('SELECT pg_sleep(0.02)')
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'no error'
  } catch (error) {
    // Only the code is compared.
    return (error as { code: string }).code
  }
}

describe('streamRows', () => {
  it('reads a whole table and knows its last row', async () => {
    const { rows, last } = await readStream(await open(connection, { columns: schema.columns.slice(0, 1) }))
    expect(rows.length).toBe(ROWS)
    expect(rows.every(([id], i) => id === i + 1)).toBe(true)
    expect(last).toEqual({ key: [String(ROWS)] })
    await untilClosed()
  })

  it('goes on after a cursor, without the key among its columns', async () => {
    const stream = await open(connection, { columns: schema.columns.slice(1), after: { key: [String(ROWS - 2)] } })
    const { rows, last } = await readStream(stream)
    expect(rows).toEqual([['x'.repeat(100)], ['x'.repeat(100)]])
    expect(last).toEqual({ key: [String(ROWS)] })
  })

  it('knows the last row at every row, also inside a chunk', async () => {
    const stream = await open(connection, { columns: schema.columns.slice(0, 1), after: { key: [String(ROWS - 500)] } })
    const seen: unknown[] = []
    class Watching extends CollectingSink {
      override endRow(): void {
        super.endRow()
        seen.push([stream.decoder.rows, stream.decoder.last?.key[0], String(this.rows.at(-1)?.[0])])
      }
    }
    const sink = new Watching()
    for await (const chunk of stream) stream.decoder.push(chunk, sink)
    expect(seen).toEqual(Array.from({ length: 500 }, (_, i) => [i + 1, String(ROWS - 499 + i), String(ROWS - 499 + i)]))
  })

  it('reads an empty table and one without key', async () => {
    const none = await connection.describeTable({ schema: 'public', name: 'none' })
    expect(await readStream(await open(connection, { table: none, columns: none.columns }))).toEqual({ rows: [], last: undefined })
    const { rows, last } = await readStream(await open(connection, { columns: [], key: [] }))
    expect([rows.length, last]).toEqual([ROWS, undefined])
    expect(await codeOf(open(connection, { key: [], after: { key: [] } }))).toBe('KEY_REQUIRED')
  })

  it('reads what was there when it was opened', async () => {
    const stream = await open(connection)
    await database.execute(`DELETE FROM big WHERE id = ${ROWS}`)
    const { rows } = await readStream(stream)
    expect(rows.length).toBe(ROWS)
    await database.execute(`INSERT INTO big VALUES (${ROWS}, repeat('x', 100))`)
  })

  it('reads in the very snapshot of its fence', async () => {
    await database.execute('CREATE TABLE between (id int PRIMARY KEY)')
    // Lets a writer commit after the fence was read and before the COPY begins.
    await using proxy = await startProxy((client, toServer) => {
      const server = toServer()
      server.pipe(client)
      client.on('data', (bytes: Buffer) => {
        const writer = bytes.includes('COPY (') ? database.execute('INSERT INTO between VALUES (1)') : Promise.resolve()
        void writer.then(() => server.write(bytes))
      })
    })
    const table: TableSchema = { ...schema, ref: { schema: 'public', name: 'between' }, columns: schema.columns.slice(0, 1) }
    const source = await postgresSource({ url: proxy.url(database.url) }).connect()
    expect((await readStream(await open(source, { table, columns: table.columns }))).rows).toEqual([])
    expect((await readStream(await open(connection, { table, columns: table.columns }))).rows).toEqual([[1]])
    await source[Symbol.asyncDispose]()
  })

  it('does not read ahead of its consumer', async () => {
    const sockets: Socket[] = []
    // The channel's message is documented, but not typed.
    const note = (message: unknown): void => void sockets.push((message as { readonly socket: Socket }).socket)
    subscribe('net.client.socket', note)
    const source = await postgresSource({ url: database.url }).connect()
    const stream = await open(source)
    unsubscribe('net.client.socket', note)
    // How much the sockets on the way hold is the system's to decide, and more under load; what this process has taken is ours.
    const taken = (): number => sockets.reduce((sum, { bytesRead }) => sum + bytesRead, 0)
    const chunks = stream[Symbol.asyncIterator]()
    await chunks.next()
    for (let before = -1; before !== taken();) {
      before = taken()
      await database.execute('SELECT pg_sleep(0.1)')
    }
    expect(taken()).toBeLessThan(5_000_000)
    let rows = 0
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) rows += 1
    expect(rows).toBeGreaterThan(100)
    expect(taken()).toBeGreaterThan(20_000_000)
    await source[Symbol.asyncDispose]()
  })

  it('frees its connection when it is left early', async () => {
    for await (const chunk of await open(connection)) {
      expect(chunk.length).toBeGreaterThan(0)
      break
    }
    await untilClosed()
    await (await open(connection))[Symbol.asyncDispose]()
    await untilClosed()
  })

  it('ends at an abort', async () => {
    const controller = new AbortController()
    const stream = await open(connection, { signal: controller.signal })
    const chunks = stream[Symbol.asyncIterator]()
    await chunks.next()
    controller.abort()
    expect(await codeOf(chunks.next())).toBe('ABORTED')
    await untilClosed()
    expect(await codeOf(open(connection, { signal: controller.signal }))).toBe('ABORTED')
  })

  it('fails when the server ends it', async () => {
    const stream = await open(connection)
    await database.execute('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = \'streaming\' AND query LIKE \'COPY%\'')
    expect(await codeOf(readStream(stream))).toMatch(/^SOURCE_(?:BUSY|UNREACHABLE)$/)
  })

  it('fails when a row fails', async () => {
    await database.execute('CREATE VIEW failing AS SELECT id, 1 / (150000 - id) AS n FROM big')
    const failing = await connection.describeTable({ schema: 'public', name: 'failing' })
    const stream = await open(connection, { table: failing, columns: failing.columns })
    expect(await codeOf(readStream(stream))).toBe('SOURCE_FAILED')
    await untilClosed()
  })

  it('fails when the server falls silent', async () => {
    await using proxy = await startProxy((client, toServer) => {
      const server = passThrough(client, toServer)
      let passed = 0
      server.on('data', (bytes: Buffer) => (passed += bytes.length) > 1_000_000 && server.unpipe(client))
    })
    const source = await postgresSource({ url: proxy.url(database.url), queryTimeoutMs: 500 }).connect()
    expect(await codeOf(readStream(await open(source)))).toBe('TIMEOUT')
    await source[Symbol.asyncDispose]()
  })
})

import { getEventListeners } from 'node:events'
import { createServer } from 'node:net'
import { startFaultProxy, type FaultPlan, type FaultProxy } from '@tidemark/test-servers'
import { afterAll, afterEach, beforeAll, describe as group, expect, it } from 'vitest'
import { readConfig, type SourceIdentity } from './connection-settings.ts'
import { killThread } from './kill-thread.ts'
import { MysqlLink } from './mysql-link.ts'
import { MysqlSourceConnection } from './mysql-source-connection.ts'
import { mysqlSource } from './mysql-source.ts'
import { readServerFacts } from './server-facts.ts'
import { parseDsn } from './parse-dsn.ts'
import { describe, openTestDatabase, type TestDatabase } from './test/test-database.ts'

let database: TestDatabase
/** Where the test server's threads are. */
let place: string

beforeAll(async () => {
  database = await openTestDatabase()
  const link = await openLink()
  place = (await readServerFacts(link, {})).place
  await link.close()
  await database.writer.query('CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(200)); INSERT INTO t VALUES (1, REPEAT(\'x\', 200))')
  for (let rows = 1; rows < 30_000; rows *= 2) await database.writer.query('INSERT INTO t SELECT id + (SELECT MAX(id) FROM t), v FROM t')
})

afterAll(() => database[Symbol.asyncDispose]())

function proxied(plan: FaultPlan | 'none'): Promise<FaultProxy> {
  const { host, port = 3306 } = parseDsn(database.url)
  return startFaultProxy({ target: { host, port }, seed: 1, plan })
}

/** Sockets of this process, both ends counted where both are here. */
function sockets(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource.startsWith('TCPSocketWrap')).length
}

/** Of the source's own connections, not of the writers'. */
async function threads(): Promise<readonly number[]> {
  const [rows] = await database.writer.query({ sql: 'SELECT id FROM information_schema.processlist WHERE db = ? AND id <> CONNECTION_ID()', rowsAsArray: true, values: [database.name] })
  return (rows as unknown as readonly (readonly number[])[]).map(([id = 0]) => id)
}

const identity = (): SourceIdentity => readConfig({ url: database.url })
const left: number[] = []

async function openLink(): Promise<MysqlLink> {
  return MysqlLink.open(await identity().settings(), { connectTimeoutMs: 5_000, onAbandon: (threadId) => left.push(threadId) })
}

afterEach(async () => {
  for (const id of left.splice(0)) await killThread(identity(), { id, place })
})

group('connecting', () => {
  it('has one limit, also where the server falls silent after the handshake', async () => {
    // The greeting and its answer are shorter, the first result is longer.
    await using proxy = await proxied({ kinds: ['stall'], bytes: [200, 200], direction: 'to-client' })
    await expect(mysqlSource({ url: proxy.through(database.url), connectTimeoutMs: 300 }).connect()).rejects.toMatchObject({ code: 'TIMEOUT' })
    expect(proxy.counts.stall).toBe(1)
  })

  it('does not wait for a secret beyond its limit or its signal', async () => {
    const never = (): Promise<string> => new Promise(() => {})
    await expect(mysqlSource({ url: never, connectTimeoutMs: 30 }).connect()).rejects.toMatchObject({ code: 'TIMEOUT' })
    await expect(mysqlSource({ url: never }).connect({ signal: AbortSignal.timeout(30) })).rejects.toMatchObject({ code: 'ABORTED' })
  })

  it('leaves no socket behind when the other side never closes', async () => {
    const silent = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
    const accepted = new Promise((resolve) => silent.once('connection', resolve))
    await new Promise((resolve) => silent.once('listening', resolve))
    const address = silent.address()
    const before = sockets()
    await expect(mysqlSource({ port: typeof address === 'object' ? address?.port : undefined }).connect({ signal: AbortSignal.timeout(50) })).rejects.toMatchObject({ code: 'ABORTED' })
    await accepted
    // The silent side's own end stays.
    await expect.poll(sockets).toBe(before + 1)
    silent.close()
  })

  it('ends what was opened when it is closed meanwhile', async () => {
    const own = new MysqlSourceConnection(readConfig({ url: database.url }))
    const opening = expect(own.open({})).rejects.toMatchObject({ code: 'CLOSED' })
    await own[Symbol.asyncDispose]()
    await opening
    await expect.poll(threads).toEqual([])
  })
})

group('a connection that is given up', () => {
  it('leaves no socket behind while the server is still at its statement', async () => {
    const link = await openLink()
    const before = sockets()
    await expect(link.rows('SELECT SLEEP(20)', { timeoutMs: 100 })).rejects.toMatchObject({ code: 'TIMEOUT' })
    await expect.poll(sockets).toBe(before - 1)
  })

  it('ends the statement it is at, also by closing', async () => {
    const link = await openLink()
    const running = expect(link.rows('SELECT SLEEP(20)')).rejects.toMatchObject({ code: 'CLOSED' })
    await link.close()
    await running
  })

  it('is told apart from a failure when the next statement finds it broken', async () => {
    const link = await openLink()
    const before = sockets()
    const [[id] = []] = await link.rows('SELECT CONNECTION_ID()')
    await database.writer.query(`KILL ${id}`)
    await expect.poll(sockets).toBe(before - 1)
    expect(link.isUsable).toBe(false)
    await expect(link.rows('SELECT 1')).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE', retryable: true })
  })

  it('kills a thread of the server it was on, and none of another with its number', async () => {
    const bystander = await openLink()
    const [[id] = []] = await bystander.rows('SELECT CONNECTION_ID()')
    await killThread(identity(), { id: Number(id), place: `another-${place}` })
    expect(await bystander.rows('SELECT 1')).toEqual([['1']])
    await killThread(identity(), { id: Number(id), place })
    await expect.poll(() => bystander.isUsable).toBe(false)
  })

  it('leaves nothing on the signal of a stream that was not read to its end', async () => {
    await using source = await database.connectSource()
    const table = await describe(database, source, 't')
    const { signal } = new AbortController()
    for (let round = 0; round < 12; round += 1) {
      await using stream = await source.streamRows({ table, columns: table.columns, key: ['id'], signal })
      for await (const chunk of stream) if (chunk.length > 0) break
    }
    await expect.poll(() => getEventListeners(signal, 'abort')).toEqual([])
  })

  it('fails a stream\'s reader at once when the connection is closed', async () => {
    const source = await database.connectSource()
    await database.writer.query('CREATE VIEW slow AS SELECT id, SLEEP(20) AS v FROM t WHERE id < 3')
    const table = await describe(database, source, 'slow')
    const stream = await source.streamRows({ table, columns: table.columns, key: ['id'] })
    const read = expect(stream[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'CLOSED' })
    await source[Symbol.asyncDispose]()
    await read
    await expect.poll(threads).toEqual([])
  })
})

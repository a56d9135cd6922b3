import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createAdaptorServer } from '@hono/node-server'
import { describe, expect, it } from 'vitest'
import { readSse, take } from './test/read-sse.ts'
import { makeWorld, SECRETS, type World } from './test/world.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void // what the flag gives

const AUTHORIZATION = `Authorization: Bearer ${SECRETS.admin}\r\n`

/** Sends a byte at a time until the connection ends; gives what was answered. */
async function dribble(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let answer = ''
  socket.on('data', (bytes) => { answer += String(bytes) })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  const timer = setInterval(() => socket.write('a'), 250)
  socket.write(text)
  await once(socket, 'close')
  clearInterval(timer)
  return answer
}

/** The same handler behind a server that is set up as hosts on the internet should be. */
async function strictPort(world: World): Promise<{ readonly port: number } & AsyncDisposable> {
  const server = createAdaptorServer({ fetch: world.handler, serverOptions: { headersTimeout: 1_000, requestTimeout: 2_000, connectionsCheckingInterval: 100 } })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => { server.close(() => resolve()) }),
  }
}

describe('clients that are slow on purpose', () => {
  it('send headers drop by drop, by the hundred, and hold up nobody', async () => {
    await using world = await makeWorld()
    await using server = await strictPort(world)
    const slow = Array.from({ length: 100 }, () => dribble(server.port, 'GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: '))
    const answer = await fetch(`http://127.0.0.1:${server.port}/health`, { headers: { 'authorization': `Bearer ${SECRETS.admin}`, 'connection': 'close' } })
    expect([answer.status, (await answer.json() as { readonly status: string }).status]).toEqual([200, 'ok'])
    for (const text of await Promise.all(slow)) expect(text).toMatch(/^(HTTP\/1.1 408 |$)/)
  })

  it('send a body drop by drop, and are answered with 408 by the handler itself', async () => {
    await using world = await makeWorld({ bodyTimeoutMs: 500 })
    const head = (path: string): string => `POST ${path} HTTP/1.1\r\nHost: x\r\n${AUTHORIZATION}Content-Type: application/json\r\nContent-Length: 10000\r\nConnection: close\r\n\r\n{`
    const paths = ['/export/dump', '/import', '/data-replication/configure']
    const slow = Array.from({ length: 60 }, (_, index) => answered(world.port, head(paths[index % paths.length] ?? '')))
    expect((await world.ask('/health', { as: 'read' })).status).toBe(200)
    for (const text of await Promise.all(slow)) {
      expect(text).toMatch(/^HTTP\/1.1 408 /)
      expect(text).toContain('REQUEST_INVALID')
    }
    expect(await world.exporter.list()).toEqual([])
  })

  it('leave feeds, and nothing of them stays', async () => {
    await using world = await makeWorld({ changes: { maxFeeds: 64 } })
    for (let round = 0; round < 5; round += 1) {
      const sockets = await Promise.all(Array.from({ length: 40 }, () => beginFeed(world)))
      const gone = stopped(world, sockets.length)
      for (const socket of sockets) socket.destroy()
      await gone
    }
    expect((await world.stream.source('sqlite')).subscribers).toEqual([])
    expect(await (await world.ask('/metrics', { as: 'read' })).text()).toContain('tidemark_feeds{} 0')
  })

  it('do not read their feed: what buffers take of it is held, and the rest is in the log', async () => {
    await using world = await makeWorld()
    const before = heldBytes()
    const slow = await Promise.all(Array.from({ length: 4 }, () => beginFeed(world)))
    for (const socket of slow) socket.pause()
    const quick = readSse(await world.ask('/changes?tables=notes', { as: 'operate' }))
    await take(quick, 'checkpoint', 1)
    const fill = world.app.prepare('INSERT INTO notes (body) VALUES (?)')
    for (let round = 0; round < 12; round += 1) {
      for (let count = 0; count < 10; count += 1) fill.run('x'.repeat(500_000))
      await take(quick, 'change', 10)
    }
    // 60 MB were written, for each of five.
    expect(heldBytes() - before).toBeLessThan(60_000_000)
    const gone = stopped(world, slow.length + 1)
    await quick.return(undefined)
    for (const socket of slow) socket.destroy()
    await gone
    expect((await world.stream.source('sqlite')).subscribers).toEqual([])
  })
})

/** What is held once the garbage is gone: client and server are one process. */
function heldBytes(): number {
  collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** What is answered first to a request whose body comes drop by drop. */
async function answered(port: number, head: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  const timer = setInterval(() => socket.write(' '), 100)
  socket.write(head)
  const text = String((await once(socket, 'data'))[0])
  clearInterval(timer)
  socket.destroy()
  return text
}

/** A connection that follows changes, and has got its first message. */
async function beginFeed(world: World): Promise<Socket> {
  const socket = connect(world.port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(`GET /changes?tables=notes HTTP/1.1\r\nHost: x\r\n${AUTHORIZATION}\r\n`)
  let text = ''
  while (!text.includes('event: checkpoint')) text += String((await once(socket, 'data'))[0])
  return socket
}

/** Once so many subscribers have stopped from here on. */
function stopped(world: World, count: number): Promise<void> {
  let left = count
  return new Promise((resolve) => {
    const off = world.stream.on('status', (status) => {
      if (status.kind !== 'subscriber' || status.state !== 'stopped') return
      left -= 1
      if (left > 0) return
      off()
      resolve()
    })
  })
}

import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FAULT_KINDS, faultOf, type FaultPlan } from './fault-plan.ts'
import { startFaultProxy } from './start-fault-proxy.ts'

const MESSAGE = Buffer.from(Array.from({ length: 5000 }, (_, index) => index % 251))
const EVERYTHING: FaultPlan = { kinds: FAULT_KINDS }

let echo: Server
let target: { host: string; port: number }

beforeAll(async () => {
  echo = createServer((socket) => socket.on('error', () => {}).pipe(socket))
  echo.listen(0, '127.0.0.1')
  await once(echo, 'listening')
  const address = echo.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  target = { host: '127.0.0.1', port: address.port }
})

afterAll(() => {
  echo.close()
})

interface Outcome {
  readonly received: Buffer
  readonly chunks: number
  readonly errorCode: string | undefined
}

/** Sends the message, ends, and reads to the end. */
async function exchange(port: number): Promise<Outcome> {
  const chunks: Buffer[] = []
  let errorCode: string | undefined
  const socket = connect(port, '127.0.0.1')
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.on('error', (error: NodeJS.ErrnoException) => (errorCode = error.code))
  socket.on('data', (chunk) => chunks.push(chunk))
  socket.end(MESSAGE)
  await closed
  return { received: Buffer.concat(chunks), chunks: chunks.length, errorCode }
}

describe('plan', () => {
  test('a seed gives the same faults twice, another seed others', () => {
    const draw = (seed: number): unknown => Array.from({ length: 50 }, (_, connection) => faultOf(EVERYTHING, seed, connection))
    expect(draw(7)).toEqual(draw(7))
    expect(draw(7)).not.toEqual(draw(8))
  })

  test('every kind and every order of magnitude of bytes comes up', () => {
    const faults = Array.from({ length: 500 }, (_, connection) => faultOf(EVERYTHING, 1, connection))
    expect(new Set(faults.map(({ kind }) => kind))).toEqual(new Set(FAULT_KINDS))
    const digits = faults.flatMap((fault) => ('afterBytes' in fault ? [`${fault.afterBytes}`.length] : []))
    expect(new Set(digits)).toEqual(new Set([1, 2, 3, 4, 5]))
  })

  test('the share of connections with a fault is kept', () => {
    const faults = Array.from({ length: 2000 }, (_, connection) => faultOf({ ...EVERYTHING, share: 0.25 }, 3, connection))
    const faulty = faults.filter(({ kind }) => kind !== 'none').length
    expect(faulty).toBeGreaterThan(400)
    expect(faulty).toBeLessThan(600)
  })
})

describe('proxy', () => {
  test('without a plan passes every byte and the end', async () => {
    await using proxy = await startFaultProxy({ target, seed: 1 })
    const outcome = await exchange(proxy.port)
    expect(outcome).toMatchObject({ received: MESSAGE, errorCode: undefined })
    expect(Object.values(proxy.counts)).toEqual([0, 0, 0, 0, 0])
  })

  test('resets after exactly the drawn bytes', async () => {
    const plan: FaultPlan = { kinds: ['reset'], bytes: [100, 100], direction: 'to-target' }
    const seen = watchTarget()
    await using proxy = await startFaultProxy({ target, seed: 1, plan })
    const outcome = await exchange(proxy.port)
    expect(outcome.errorCode).toBe('ECONNRESET')
    expect(outcome.received.length).toBeLessThanOrEqual(100)
    expect((await seen).bytesRead).toBeLessThanOrEqual(100)
    expect(proxy.counts.reset).toBe(1)
  })

  test('stalls: nothing more arrives and nobody is told', async () => {
    await using proxy = await startFaultProxy({ target, seed: 1, plan: { kinds: ['stall'], bytes: [10, 10], direction: 'to-client' } })
    const socket = connect(proxy.port, '127.0.0.1')
    socket.on('error', () => {})
    let received = 0
    const tenth = new Promise<void>((resolve) => socket.on('data', (chunk) => (received += chunk.length) >= 10 && resolve()))
    socket.write(MESSAGE)
    await tenth
    // Another connection makes its whole way meanwhile; this one gets nothing of the 4990 bytes that wait for it.
    proxy.setPlan('none')
    expect((await exchange(proxy.port)).received).toEqual(MESSAGE)
    expect(received).toBe(10)
    expect(socket.destroyed).toBe(false)
    expect(proxy.counts.stall).toBe(1)
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    proxy.cutAll()
    await closed
  })

  test('fragments: one byte at a time, all of them, in order', async () => {
    await using proxy = await startFaultProxy({ target, seed: 1, plan: { kinds: ['fragment'], bytes: [300, 300], direction: 'to-client' } })
    const outcome = await exchange(proxy.port)
    expect(outcome.received).toEqual(MESSAGE)
    expect(outcome.chunks).toBeGreaterThan(20)
    expect(proxy.counts.fragment).toBe(1)
  })

  test('delays and loses nothing', async () => {
    await using proxy = await startFaultProxy({ target, seed: 1, plan: { kinds: ['delay'], delayMs: [5, 10] } })
    expect((await exchange(proxy.port)).received).toEqual(MESSAGE)
    expect(proxy.counts.delay).toBe(1)
  })

  test('refuses', async () => {
    await using proxy = await startFaultProxy({ target, seed: 1, plan: { kinds: ['refuse'] } })
    expect(await exchange(proxy.port)).toMatchObject({ received: Buffer.alloc(0), errorCode: expect.stringMatching(/ECONNRESET|EPIPE/) })
    expect(proxy.counts.refuse).toBe(1)
  })

  test('tells a client that its target is not there', async () => {
    const nowhere = createServer().listen(0, '127.0.0.1')
    await once(nowhere, 'listening')
    const address = nowhere.address()
    nowhere.close()
    await once(nowhere, 'close')
    if (address === null || typeof address === 'string') throw new Error('no port')
    await using proxy = await startFaultProxy({ target: { host: '127.0.0.1', port: address.port }, seed: 1 })
    expect((await exchange(proxy.port)).errorCode).toMatch(/ECONNRESET|EPIPE/)
  })

  test('disposing closes open and stalled connections and the port', async () => {
    const proxy = await startFaultProxy({ target, seed: 1, plan: { kinds: ['stall'], bytes: [1, 1] } })
    const seen = watchTarget()
    const client = connect(proxy.port, '127.0.0.1')
    client.on('error', () => {})
    client.write(MESSAGE)
    const atTarget = await seen
    const closed = [client, atTarget].map((socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())))
    await proxy[Symbol.asyncDispose]()
    await Promise.all(closed)
    expect((await exchange(proxy.port)).errorCode).toBe('ECONNREFUSED')
  })
})

/** The next connection as the target sees it. */
async function watchTarget(): Promise<Socket> {
  return await new Promise((resolve) => echo.once('connection', (socket: Socket) => resolve(socket.on('error', () => {}))))
}

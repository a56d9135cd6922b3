import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { REQUEST_FAULT_KINDS, requestFaultOf, type RequestFaultKind } from './request-faults.ts'
import { RequestProxy } from './request-proxy.ts'

const received: string[] = []
let server: Server
let proxy: RequestProxy

beforeEach(async () => {
  received.length = 0
  server = createServer((incoming, outgoing) => void text(incoming).then((body) => {
    received.push(body)
    outgoing.end(`got ${body}`)
  }))
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
})

afterEach(async () => {
  await proxy[Symbol.asyncDispose]()
  server.close()
  server.closeAllConnections()
})

async function start(kind: RequestFaultKind, { upTo, onRequest }: { readonly upTo?: number; readonly onRequest?: () => void } = {}): Promise<void> {
  const { port } = server.address() as AddressInfo // a TCP server that listens
  proxy = await RequestProxy.start({ plan: { seed: 1, rate: 1, maxDelayMs: 5, kinds: [kind], upTo }, onRequest })
  proxy.target = `http://127.0.0.1:${port}/`
}

/** What the client hears; `undefined`: nothing. */
async function post(body: string, signal?: AbortSignal): Promise<string | undefined> {
  const sent = fetch(proxy.url, { method: 'POST', body, ...(signal === undefined ? {} : { signal }) })
  return sent.then((response) => response.text(), () => undefined)
}

describe('a proxy of requests', () => {
  it.each<readonly [RequestFaultKind, heard: string | undefined, received: readonly string[]]>([
    ['cut-before', undefined, []],
    ['cut-after', undefined, ['one']],
    ['delay', 'got one', ['one']],
    ['duplicate', 'got one', ['one', 'one']],
    ['replay', 'got one', ['one', 'one']],
    ['busy', 'upstream connect error', []],
  ])('does to a request what `%s` says', async (kind, heard, expected) => {
    await start(kind)
    expect(await post('one')).toBe(heard)
    await proxy.calm()
    expect(received).toEqual(expected)
    expect(proxy.counts).toEqual({ requests: 1, faults: { [kind]: 1 } })
  })

  it('answers something else than the server did', async () => {
    await start('garble')
    expect(await post('one')).not.toBe('got one')
    expect(received).toEqual(['one'])
  })

  it('leaves a client without an answer until it gives up', async () => {
    const waits = new AbortController()
    await start('hang', { onRequest: () => waits.abort() })
    expect(await post('one', waits.signal)).toBeUndefined()
    expect(proxy.counts.faults).toEqual({ hang: 1 })
  })

  it('passes everything on once it is calm, and old requests again when it is told to', async () => {
    await start('cut-before')
    await post('one')
    await proxy.calm()
    expect(await post('two')).toBe('got two')
    await proxy.replay(1, () => 0)
    expect(received).toEqual(['two', 'one'])
  })

  it('cuts requests when nobody is there', async () => {
    await start('delay', { upTo: 0 })
    proxy.target = undefined
    expect(await post('one')).toBeUndefined()
  })
})

describe('the fault of a request', () => {
  it('is told by the seed and the request\'s number, and every kind comes', async () => {
    await start('busy')
    const faults = Array.from({ length: 200 }, (_, index) => requestFaultOf({ seed: 7, rate: 0.5, maxDelayMs: 10 }, index))
    expect(Array.from({ length: 200 }, (_, index) => requestFaultOf({ seed: 7, rate: 0.5, maxDelayMs: 10 }, index))).toEqual(faults)
    expect(new Set(faults.flatMap((fault) => fault?.kind ?? []))).toEqual(new Set(REQUEST_FAULT_KINDS))
    expect(faults.filter((fault) => fault === undefined).length).toBeGreaterThan(50)
  })
})

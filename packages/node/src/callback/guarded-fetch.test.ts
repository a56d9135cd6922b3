import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { guardedFetch } from './guarded-fetch.ts'
import { isPublicAddress } from './is-public-address.ts'

const INSIDE = [
  '127.0.0.1', '127.255.255.254', '10.1.2.3', '172.16.0.1', '192.168.0.1', '169.254.169.254', '100.64.0.1', '0.0.0.0', '224.0.0.1', '255.255.255.255', '198.18.0.1',
  '::1', '::', 'fe80::1', 'fc00::1', 'fd12::1', 'ff02::1', '::ffff:127.0.0.1', '::ffff:10.0.0.1', '64:ff9b::7f00:1', '2002:7f00:1::', 'no address',
]

const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}', redirect: 'manual', signal: AbortSignal.timeout(10_000) } as const

let server: Server
let calls = 0

beforeEach(async () => {
  calls = 0
  server = createServer((request, response) => {
    calls += 1
    response.writeHead(request.url === '/moved' ? 302 : 204, { location: '/elsewhere', 'retry-after': '7' }).end()
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
})

afterEach(async () => {
  await new Promise((done) => server.close(done))
})

function port(): number {
  return (server.address() as AddressInfo).port // it listens on TCP
}

describe('guardedFetch', () => {
  it.each(INSIDE)('does not take %s for public', (address) => expect(isPublicAddress(address)).toBe(false))
  it.each(['1.1.1.1', '8.8.8.8', '2606:4700:4700::1111'])('takes %s for public', (address) => expect(isPublicAddress(address)).toBe(true))

  it.each(['127.0.0.1', 'localhost', '0x7f.1', '[::ffff:127.0.0.1]'])('sends nothing to %s', async (host) => {
    await expect(guardedFetch()(`http://${host}:${port()}/`, init)).rejects.toMatchObject({ code: 'CALLBACK_REFUSED' })
    expect(calls).toBe(0)
  })

  it('calls what its owner names, and follows no redirect', async () => {
    const origin = `http://localhost:${port()}`
    const fetch = guardedFetch({ insideOrigins: [origin] })
    const answer = await fetch(`${origin}/moved`, init)
    expect([answer.status, answer.headers.get('Retry-After'), answer.headers.get('x-none')]).toEqual([302, '7', null])
    expect(calls).toBe(1)
  })
})

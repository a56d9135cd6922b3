import { httpPeer, TidemarkError } from '@tidemark/core'
import { describe, expect, it } from 'vitest'
import { movableRuntime } from '../test/movable-runtime.ts'
import { useSites, type SiteOptions } from '../test/use-sites.ts'

const SCHEMA = 'CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT UNIQUE)'
const SECRET = 'k3y-that-nothing-shows'
const VALUE = 'a value of a row'

describe('addresses of peers', () => {
  it.each([
    'http://example.com/', 'http://10.0.0.1/', 'http://[2001:db8::1]/', 'http://127.0.0.1.example.com/', 'http://localhost.example.com/', 'http://0.0.0.0/', 'ftp://localhost/', 'javascript:alert(1)', 'not an address', '', '//localhost/',
    `https://user:${SECRET}@example.com/`, `https://${SECRET}@example.com/`,
  ])('%s is refused, and not repeated', (url) => {
    const error = catching(() => httpPeer({ url, token: SECRET }))
    expect(error).toBeInstanceOf(TidemarkError)
    expect(error).toMatchObject({ code: 'CONFIG_INVALID' })
    expect(JSON.stringify(error) + String(error)).not.toContain(SECRET)
  })

  it.each(['https://example.com/', 'http://localhost:1/', 'http://a.localhost/', 'http://127.0.0.1/', 'http://127.1/', 'http://[::1]/', 'HTTPS://EXAMPLE.COM'])('%s is taken', (url) => {
    expect(httpPeer({ url, token: SECRET }).address).toContain('://')
  })

  it('are shown without what may be a credential in them', () => {
    const { address, name } = httpPeer({ url: `https://example.com/tidemark?key=${SECRET}#${SECRET}`, token: SECRET })
    expect(address).toBe('https://example.com/tidemark')
    expect(name).not.toContain(SECRET)
  })

  it('may be plain in a private network, when that is said', () => {
    expect(httpPeer({ url: 'http://10.0.0.1/', token: SECRET, allowPlaintext: true }).address).toBe('http://10.0.0.1/')
  })
})

describe('secrets and values', () => {
  const sites = useSites()

  it.each([
    ['a token', { authorize: { token: SECRET } }, { token: SECRET }],
    ['a signature', { authorize: { secret: SECRET } }, { secret: SECRET }],
  ] satisfies readonly (readonly [string, SiteOptions, object])[])('are in nothing that is told, whatever goes wrong: %s', async (kind, options, peer) => {
    const shown: unknown[] = []
    const log = (...parts: readonly unknown[]): void => void shown.push(parts)
    const logger = { debug: log, info: log, warn: log, error: log }
    const [a, b] = [await sites.add('a', { schema: SCHEMA }), await sites.add('b', { schema: SCHEMA, ...options, logger })]
    const runtime = movableRuntime()
    const propagator = sites.propagator(a, [b], { capture: ['users'], peer, logger, runtime, breaker: { failures: 1_000 } })
    for (const event of ['peer:phase', 'peer:applied', 'peer:copied', 'peer:lag', 'peer:error', 'table:refused', 'peer:dead-letter'] as const) propagator.on(event, (payload) => shown.push(payload))
    const faults: readonly ((seen: string) => Response)[] = [
      () => new Response(SECRET, { status: 500 }),
      (seen) => Response.json({ v: 1, error: { code: 'TARGET_FAILED', message: seen, retryable: true, remedy: seen, detail: seen } }, { status: 500 }),
      (seen) => new Response(seen),
      () => Response.error(),
    ]
    for (const [index, fault] of faults.entries()) {
      a.run(`INSERT INTO users VALUES (${index}, '${VALUE} ${index}')`)
      b.gate = (_body, _through, request) => {
        const response = fault(JSON.stringify([...request.headers]))
        return Promise.resolve(response.type === 'error' ? new Response('', { status: 418 }) : response)
      }
      await expect.poll(async () => {
        await propagator.flush()
        return propagator.status().peers[0]?.failures
      }, { interval: 5 }).toBeGreaterThan(0)
      shown.push(propagator.status())
      b.gate = undefined
      runtime.advance(60_000)
      await expect.poll(async () => (await propagator.flush()).behind, { interval: 5 }).toEqual([])
    }
    b.run(`INSERT INTO users VALUES (50, '${VALUE} there')`)
    a.run(`INSERT INTO users VALUES (40, '${VALUE} there')`)
    await propagator.flush()
    shown.push(propagator.status())
    expect(shown.length).toBeGreaterThan(10)
    expect(JSON.stringify(shown)).toContain('TARGET_CONSTRAINT')
    expect(JSON.stringify(shown)).not.toContain(SECRET)
    expect(JSON.stringify(shown)).not.toContain(VALUE)
    if (kind === 'a signature') expect(b.posts.join()).not.toContain(SECRET)
  })
})

function catching(work: () => unknown): unknown {
  try {
    work()
    return undefined
  } catch (error) {
    return error
  }
}

import { expect, it } from 'vitest'
import { createHandler, type HandlerTelemetry, type LimitCall } from './index.ts'

it('asks before anything else, and answers who is limited with 429 and when to come again', async () => {
  const calls: (readonly [string, string])[] = []
  let authorized = 0
  const handler = createHandler({
    authorize: () => { authorized += 1; return true },
    limit: ({ request, scope, route }) => {
      calls.push([scope, route])
      return request.headers.get('x-who') === 'often' ? { retryAfterMs: 1_500 } : undefined
    },
  })
  const ask = (path: string, who: string): Promise<Response> => handler(new Request(`http://localhost${path}`, { headers: { 'x-who': who } }))
  expect((await ask('/health', 'seldom')).status).toBe(200)
  expect(authorized).toBe(1)
  const limited = await ask('/health', 'often')
  expect([limited.status, limited.headers.get('retry-after'), limited.headers.get('content-type')]).toEqual([429, '2', 'application/problem+json'])
  expect(await limited.json()).toMatchObject({ code: 'TOO_MANY_REQUESTS', status: 429, retryable: true, remedy: 'Come back in 2 s.' })
  // Of the receiver's route too, which asks for credentials itself, and of a feed.
  expect((await handler(new Request('http://localhost/propagate', { method: 'POST', headers: { 'x-who': 'often' } }))).status).toBe(429)
  expect((await ask('/changes', 'often')).status).toBe(429)
  expect(authorized).toBe(1)
  expect(calls).toEqual([['read', 'GET /health'], ['read', 'GET /health'], ['peer', 'POST /propagate'], ['operate', 'GET /changes']])
})

it.each([[Number.NaN, '1'], [-5, '1'], [0, '1'], [60_000, '60']])('limits also by what is no time (%d ms)', async (retryAfterMs, seconds) => {
  const handler = createHandler({ authorize: () => true, limit: () => ({ retryAfterMs }) })
  const limited = await handler(new Request('http://localhost/health'))
  expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, seconds])
})

it('gives what is sent over a WebSocket as a token to the limit as it gives it to authorize', async () => {
  let seen: LimitCall | undefined
  const handler = createHandler({ authorize: () => false, limit: (call) => { seen = call; return undefined } })
  await handler(new Request('http://localhost/changes/socket', { headers: { 'sec-websocket-protocol': `tidemark.v1, tidemark.token.${Buffer.from('abc').toString('base64url')}` } }))
  expect(seen?.request.headers.get('authorization')).toBe('Bearer abc')
})

it('lets nobody in when the limit fails', async () => {
  const handler = createHandler({ authorize: () => true, limit: () => Promise.reject(new Error('canary')) })
  const answer = await handler(new Request('http://localhost/health'))
  expect([answer.status, await answer.text()]).toEqual([500, expect.not.stringContaining('canary')])
})

it('tells the spans of requests what a limited one was answered', async () => {
  const failed: string[] = []
  const telemetry: HandlerTelemetry = { during: (request, answer) => answer(request), routed: () => undefined, failed: (_request, code) => void failed.push(code) }
  await createHandler({ authorize: () => true, limit: () => ({ retryAfterMs: 1 }), telemetry })(new Request('http://localhost/health'))
  expect(failed).toEqual(['TOO_MANY_REQUESTS'])
})

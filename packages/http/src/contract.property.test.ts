import * as fc from 'fast-check'
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Route } from './route.ts'
import { routes } from './routes.ts'
import { makeWorld, SECRETS, type World } from './test/world.ts'

/** Requests a route; more of them where there is time. */
const RUNS = Number(process.env['TIDEMARK_TEST_FUZZ_RUNS'] ?? 1_000)
const TIMEOUT_MS = Math.max(20_000, RUNS * 200)

let world: World
beforeAll(async () => { world = await makeWorld({ exports: { waitMs: 0, runs: false }, changes: { maxFeeds: 10_000 } }) })
afterAll(() => world[Symbol.asyncDispose]())

const word = fc.oneof(fc.constantFrom('users', 'broken', 'nobody', '1', 'true', 'sql', 'csv', 'single', '..', '%00', '', 'initial', 'insert'), fc.string({ unit: 'grapheme', maxLength: 12 }))

/** Bodies that have the names that a route knows, with values that it does or does not. */
function bodies(route: Route): fc.Arbitrary<unknown> {
  const names = route.body === undefined ? [] : Object.keys((route.body as unknown as { readonly entries: object }).entries) // a strict object
  const value = fc.oneof(word, fc.integer(), fc.boolean(), fc.constant(null), fc.jsonValue({ maxDepth: 2 }))
  return fc.oneof(fc.dictionary(fc.constantFrom(...names, '__proto__', 'other'), value, { maxKeys: 6 }), fc.jsonValue({ maxDepth: 2 }))
}

function queries(route: Route): fc.Arbitrary<readonly (readonly [string, string])[]> {
  const names = route.query === undefined ? [] : Object.keys((route.query as unknown as { readonly entries: object }).entries) // a strict object
  return fc.array(fc.tuple(fc.constantFrom(...names, 'other'), word), { maxLength: 3 })
}

function requests(route: Route): fc.Arbitrary<{ readonly request: Request; readonly isKnown: boolean }> {
  const parts = {
    id: word, query: queries(route), body: fc.option(bodies(route)), as: fc.constantFrom('read', 'operate', 'admin', undefined),
    prefer: fc.constantFrom('respond-async', ''),
    key: fc.constantFrom('', 'a', '"a"', 'a b', '"', '"a b"', 'x'.repeat(256)),
  }
  return fc.record(parts).map(({ id, query, body, as, prefer, key }) => {
    const path = route.path.replace(/:\w+/, encodeURIComponent(id).replace(/^\.{0,2}$/, 'x'))
    const search = query.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')
    return {
      isKnown: as !== undefined,
      request: new Request(`http://localhost${path}?${search}`, {
        method: route.method,
        headers: { prefer, ...(key === '' ? {} : { 'idempotency-key': key }), 'content-type': 'application/json', ...(as === undefined ? {} : { authorization: `Bearer ${SECRETS[as]}` }) },
        ...(route.method === 'GET' || body === null ? {} : { body: JSON.stringify(body) }),
      }),
    }
  })
}

/** What is wrong behind the handler: the database that `broken` reads has no such table. */
const BEHIND = new Set(['SOURCE_FAILED', 'SOURCE_UNREACHABLE'])

async function check(route: Route, answer: Response, isKnown: boolean): Promise<void> {
  if (!isKnown) expect(answer.status).toBeGreaterThanOrEqual(400)
  const type = answer.headers.get('content-type')
  if (type === 'text/event-stream') return answer.body?.cancel()
  const text = await answer.text()
  expect(text).not.toContain('canary')
  if (answer.status >= 400) {
    // The receiver answers what propagators understand.
    if (route.scope === 'peer' && type === 'application/json') return expect(answer.status).toBeLessThan(500)
    const problem = JSON.parse(text) as { readonly code: string; readonly status: number }
    expect([type, problem.status]).toEqual(['application/problem+json', answer.status])
    if (!BEHIND.has(problem.code)) expect([problem.code, answer.status < 500]).toEqual([problem.code, true])
    return undefined
  }
  const documented = route.answers[answer.status]
  expect([answer.status, documented !== undefined]).toEqual([answer.status, true])
  if (documented?.schema !== undefined) expect(v.safeParse(documented.schema, JSON.parse(text)).issues?.map((issue) => [v.getDotPath(issue), issue.message])).toBeUndefined()
  return undefined
}

describe('whatever is asked', () => {
  it.each(routes.map((route) => [`${route.method} ${route.path}`, route] as const))('%s answers what it documents, and fails for no reason of its own', async (_name, route) => {
    await fc.assert(fc.asyncProperty(requests(route), async ({ request, isKnown }) => {
      await check(route, await world.handler(request), isKnown)
    }), { numRuns: RUNS })
  }, TIMEOUT_MS)
})

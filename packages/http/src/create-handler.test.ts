import { TidemarkError } from '@tidemark/core'
import { describe, expect, it, vi } from 'vitest'
import { bearerTokens, createHandler, type HandlerOptions } from './index.ts'
import { serve } from './test/serve.ts'

const authorize = bearerTokens({ read: 'read-token', operate: 'operate-token', admin: ['admin-token', 'next-admin-token'] })

function asOptions(options: unknown): HandlerOptions {
  return options as HandlerOptions // what a caller without types may pass
}

describe('createHandler', () => {
  it('is not made without saying who may do what', () => {
    for (const options of [{}, { authorize: undefined }, { authorize: true }, { authorize: { token: 'x' } }]) {
      expect(() => createHandler(asOptions(options))).toThrowError(expect.objectContaining({ code: 'CONFIG_INVALID', issues: [expect.objectContaining({ path: 'authorize' })] }))
    }
  })

  it('says every fault of its options at once', () => {
    const make = (): unknown => createHandler(asOptions({ authorize, basePath: '/a/../b', exporter: {}, maxBodyBytes: 0, colour: 'red' }))
    expect(make).toThrowError(expect.objectContaining({
      code: 'CONFIG_INVALID',
      issues: ['exporter', 'basePath', 'maxBodyBytes', 'colour'].map((path) => expect.objectContaining({ path }) as unknown),
    }))
  })

  it('answers over HTTP below its base path and nowhere else', async () => {
    await using server = await serve(createHandler({ authorize, basePath: '/data/' }))
    const statusOf = async (path: string): Promise<number> => (await fetch(server.url + path, { headers: { authorization: 'Bearer read-token' } })).status
    expect(await statusOf('/data/health')).toBe(200)
    for (const path of ['/health', '/database/health', '/datahealth', '//data/health', '/data//health', '/data/%68ealth', '/data/health%2f', '/data/./../health']) {
      expect([path, await statusOf(path)]).toEqual([path, 404])
    }
  })

  it('refuses parameters that a route does not know, and names the one that was meant', async () => {
    const handler = createHandler({ authorize })
    const ask = async (path: string): Promise<readonly unknown[]> => {
      const answer = await handler(new Request(`http://localhost${path}`, { headers: { authorization: 'Bearer read-token' } }))
      const { issues } = await answer.clone().json().catch(() => ({})) as { readonly issues?: unknown }
      return [answer.status, issues]
    }
    expect(await ask('/health?verbose=canary')).toEqual([400, [{ path: 'query.verbose', message: 'Is not an option.' }]])
    for (const path of ['/metrics?a=1', '/session?a=1', '/openapi.json?a', '/data-replication/status?a=1', '/peers?a=1', '/changes/status?a=1', '/export/status/export_1?a=1', '/import/status/export_1?a=1']) expect([path, (await ask(path))[0]]).toEqual([path, 400])
    expect(await ask('/data-replication/logs?limt=3&limit=0')).toEqual([400, [
      { path: 'query.limit', message: 'Must be a whole number from 1 to 500.' }, { path: 'query.limt', message: 'Is not an option. Did you mean `limit`?' },
    ]])
    // People pass its address on.
    expect(await ask('/?utm_source=mail')).toEqual([200, undefined])
  })

  it('sends who leaves the last slash out to the page, whose addresses are relative', async () => {
    const handler = createHandler({ authorize, basePath: '/data' })
    const answer = await handler(new Request('http://localhost/data?x=1'))
    expect([answer.status, answer.headers.get('location')]).toEqual([308, '/data/'])
    expect((await handler(new Request('http://localhost/data', { method: 'POST' }))).status).toBe(404)
  })

  it('describes what is wrong as a problem', async () => {
    await using server = await serve(createHandler({ authorize }))
    const answer = await fetch(`${server.url}/nothing`)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(await answer.json()).toEqual({
      type: 'urn:tidemark:error:ROUTE_UNKNOWN', title: 'route unknown', status: 404, detail: 'There is no such route.', code: 'ROUTE_UNKNOWN', retryable: false,
      remedy: 'Look at /openapi.json for what there is.',
    })
  })

  it('refuses methods that a route has not, and names those that it has', async () => {
    await using server = await serve(createHandler({ authorize }))
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PURGE']) {
      const answer = await fetch(`${server.url}/health`, { method, headers: { authorization: 'Bearer admin-token' } })
      expect([method, answer.status, answer.headers.get('allow')]).toEqual([method, 405, 'GET, HEAD'])
    }
  })

  it('lets nobody in when the application\'s function fails or does not answer true', async () => {
    const answers: readonly (() => unknown)[] = [
      () => { throw new Error('the canary') },
      () => Promise.reject(new TidemarkError('TIMEOUT', 'Too slow.')),
      () => undefined, () => 'true', () => 1, () => ({ allowed: true }),
    ]
    for (const answer of answers) {
      const handler = createHandler(asOptions({ authorize: answer }))
      const response = await handler(new Request('http://localhost/health'))
      expect(response.status).toBeGreaterThanOrEqual(400)
      expect(await response.text()).not.toContain('canary')
    }
  })
})

describe('bearerTokens', () => {
  const ask = async (authorization: string | undefined, scope: 'read' | 'operate' | 'admin'): Promise<boolean> =>
    authorize(new Request('http://localhost/', { headers: authorization === undefined ? {} : { authorization } }), scope, 'GET /')

  it('gives each scope those before it', async () => {
    for (const [token, scopes] of [['read-token', ['read']], ['operate-token', ['read', 'operate']], ['admin-token', ['read', 'operate', 'admin']], ['next-admin-token', ['read', 'operate', 'admin']]] as const) {
      const granted = await Promise.all((['read', 'operate', 'admin'] as const).map(async (scope) => ((await ask(`Bearer ${token}`, scope)) ? [scope] : [])))
      expect([token, granted.flat()]).toEqual([token, scopes])
    }
  })

  it('takes a token as the password of Basic authentication', async () => {
    expect(await ask(`Basic ${btoa('anybody:admin-token')}`, 'admin')).toBe(true)
    expect(await ask(`basic ${btoa(':read-token')}`, 'read')).toBe(true)
  })

  it('refuses everything else', async () => {
    const wrong = [
      undefined, '', 'Bearer', 'Bearer ', 'Bearer undefined', 'Bearer admin-token admin-token', 'admin-token', 'Token admin-token', 'Bearer admin-toke', 'Bearer admin-tokens',
      'Basic !!!', `Basic ${btoa('admin-token')}`, `Basic ${btoa('admin-token:')}`, 'Basic admin-token',
    ]
    for (const authorization of wrong) expect([authorization, await ask(authorization, 'read')]).toEqual([authorization, false])
  })

  it('digests each token once, and what is given once for all of them', async () => {
    const digest = vi.spyOn(crypto.subtle, 'digest')
    expect(await ask('Bearer next-admin-token', 'admin')).toBe(true)
    expect(await ask('Bearer nobody', 'admin')).toBe(false)
    expect(digest.mock.calls.length).toBe(2 * (1 + 4))
    digest.mockRestore()
  })

  it('is not made without a token, or with an empty one', () => {
    for (const tokens of [{}, { read: '' }, { read: [] }, { admin: ['a', ''] }]) {
      expect(() => bearerTokens(tokens)).toThrowError(expect.objectContaining({ code: 'CONFIG_INVALID' }))
    }
  })

  it('lets nobody in whose secret is missing', async () => {
    const lost = bearerTokens({ admin: { env: 'TIDEMARK_TEST_NO_SUCH_VARIABLE' } })
    const response = await createHandler({ authorize: lost })(new Request('http://localhost/health', { headers: { authorization: 'Bearer undefined' } }))
    expect(response.status).toBe(500)
    expect(await response.json()).toMatchObject({ code: 'SECRET_MISSING' })
  })
})

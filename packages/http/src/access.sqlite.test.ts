import { connect } from 'node:net'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { routes } from './routes.ts'
import type { Route } from './route.ts'
import { makeWorld, SECRETS, type World } from './test/world.ts'

const CREDENTIALS = ['none', 'wrong', 'empty', 'scheme', 'read', 'operate', 'admin'] as const
type Credential = (typeof CREDENTIALS)[number]

const RANK: Readonly<Record<string, number>> = { read: 1, operate: 2, admin: 3 }

function headersOf(credential: Credential): Readonly<Record<string, string>> {
  switch (credential) {
    case 'none': return {}
    case 'wrong': return { authorization: `Bearer canary-nobody` }
    case 'empty': return { authorization: 'Bearer ' }
    case 'scheme': return { authorization: `Digest ${SECRETS.admin}` }
    default: return { authorization: `Bearer ${SECRETS[credential]}` }
  }
}

/** What access alone decides; whatever else a route answers is neither 401 nor 403. */
function expectedOf(route: Route, credential: Credential): 401 | 403 | 'let in' {
  if (route.scope === 'peer') return 401
  const rank = RANK[credential] ?? 0
  if (rank === 0) return 401
  return rank >= (RANK[route.scope] ?? 0) ? 'let in' : 403
}

function pathOf(route: Route): string {
  return route.path.replace(':name', 'users').replace(':exportId', 'export_1')
}

/** Answers of feeds have no end: only their status matters. */
async function statusOf(world: World, route: Route, headers: Readonly<Record<string, string>>): Promise<number> {
  const controller = new AbortController()
  try {
    const answer = await world.ask(pathOf(route), { method: route.method, headers, signal: controller.signal })
    return answer.status
  } finally {
    controller.abort()
  }
}

describe('who may do what', () => {
  it('is decided by every route, for every credential', async () => {
    await using world = await makeWorld()
    const rows = routes.flatMap((route) => CREDENTIALS.map((credential) => ({ route, credential })))
    expect(rows.length).toBe(routes.length * CREDENTIALS.length)
    const seen: string[] = []
    const wanted: string[] = []
    for (const { route, credential } of rows) {
      const status = await statusOf(world, route, headersOf(credential))
      const label = `${route.method} ${route.path} as ${credential}`
      seen.push(`${label}: ${status === 401 || status === 403 ? status : 'let in'}`)
      wanted.push(`${label}: ${expectedOf(route, credential)}`)
      if (!(credential in RANK)) expect([label, status]).toEqual([label, 401])
    }
    expect(seen).toEqual(wanted)
  })

  it('is the scope that each route is meant to have', () => {
    const table = Object.fromEntries(['read', 'operate', 'admin', 'peer'].map((scope) => [scope, routes.filter((route) => route.scope === scope).map(({ method, path }) => `${method} ${path}`)]))
    // Kept by hand: a route that comes, or that changes its scope, has to be thought about here.
    expect(table).toEqual({
      read: [
        'GET /', 'GET /openapi.json', 'GET /health', 'GET /session', 'GET /metrics', 'GET /data-replication/status', 'GET /data-replication/logs', 'GET /export', 'GET /export/status/:exportId',
        'GET /import', 'GET /import/status/:exportId',
        'GET /changes/status', 'GET /peers',
      ],
      operate: [
        'POST /data-replication/start/:name', 'POST /data-replication/stop/:name', 'POST /data-replication/sync/:name', 'POST /export/dump', 'GET /export/dump', 'GET /export/download/:exportId',
        'POST /export/cancel/:exportId', 'GET /changes', 'GET /changes/socket',
      ],
      admin: ['POST /data-replication/configure', 'DELETE /data-replication/configure/:name', 'DELETE /export/:exportId', 'POST /import', 'POST /import/stop/:exportId', 'DELETE /import/:exportId'],
      peer: ['POST /propagate'],
    })
  })

  it('holds for HEAD, and HEAD begins nothing', async () => {
    await using world = await makeWorld()
    for (const route of routes.filter(({ method }) => method === 'GET')) {
      const anonymous = await world.ask(pathOf(route), { method: 'HEAD' })
      expect([route.path, anonymous.status]).toEqual([route.path, route.head ? 401 : 405])
      const known = await world.ask(pathOf(route), { method: 'HEAD', as: 'admin' })
      expect([route.path, known.status === 405, await known.text()]).toEqual([route.path, !route.head, ''])
    }
    expect(await world.exporter.list()).toEqual([])
    expect((await world.stream.source('sqlite')).subscribers).toEqual([])
  })

  it('is told to browsers in a way that lets them ask for the token', async () => {
    await using world = await makeWorld()
    expect((await world.ask('/health')).headers.get('www-authenticate')).toBe('Basic realm="Tidemark", charset="UTF-8"')
    expect((await world.ask('/data-replication/sync/users', { method: 'POST', as: 'read' })).headers.get('www-authenticate')).toBeNull()
  })

  it('is not asked of another site\'s page, whoever its reader is', async () => {
    await using world = await makeWorld()
    const elsewhere: readonly Readonly<Record<string, string>>[] = [{ 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }, { origin: 'https://evil.example' }, { origin: 'null' }]
    for (const headers of elsewhere) {
      for (const route of routes.filter(({ scope }) => scope !== 'read' && scope !== 'peer')) {
        const answer = await world.ask(pathOf(route), { method: route.method, as: 'admin', headers })
        expect([route.path, headers, answer.status]).toEqual([route.path, headers, 403])
      }
    }
    expect(await world.exporter.list()).toEqual([])
    for (const headers of [{ 'sec-fetch-site': 'same-origin', 'origin': world.url }, { 'sec-fetch-site': 'none' }, { origin: world.url }, {}] as const) {
      expect((await world.ask('/data-replication/stop/users', { method: 'POST', as: 'operate', headers })).status).toBe(200)
    }
  })

  it('lets no other origin read an answer', async () => {
    await using world = await makeWorld()
    for (const method of ['GET', 'OPTIONS', 'POST']) {
      const answer = await world.ask('/data-replication/status', { method, as: 'admin', headers: { 'origin': 'https://evil.example', 'access-control-request-method': 'GET' } })
      expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
    }
  })
})

describe('every answer', () => {
  it('forbids being kept, guessed, framed and run', async () => {
    await using world = await makeWorld()
    const paths = [...new Set(routes.map(pathOf)), '/nothing', '/../..']
    for (const path of paths.filter((one) => one !== '/changes' && one !== '/propagate')) {
      for (const as of [undefined, 'admin'] as const) {
        const answer = await world.ask(path, { as })
        await answer.arrayBuffer()
        const { headers } = answer
        expect([path, headers.get('cache-control'), headers.get('x-content-type-options'), headers.get('x-frame-options')]).toEqual([path, 'no-store', 'nosniff', 'DENY'])
        expect(headers.get('content-security-policy')).toContain('frame-ancestors \'none\'')
      }
    }
  })

  it('has no secret in it, whatever was asked', async () => {
    const texts: string[] = []
    const note = (fields: unknown, message: string): void => void texts.push(`${inspect(fields, { depth: 9 })} ${message}`)
    await using world = await makeWorld({ logger: { debug: note, info: note, warn: note, error: note } })
    let failures = 0
    for (const route of routes.filter(({ id }) => id !== 'followChanges')) {
      for (const as of [undefined, 'read', 'operate', 'admin'] as const) {
        for (const json of [undefined, { password: 'canary-body' }, { name: 'canary-body', sourceConfig: { dialect: 'canary-body', password: 'canary-body', connectionString: 'postgres://u:canary-body@h/d' }, sourceTable: 'x', targetTable: 'y' }]) {
          if (route.method === 'GET' && json !== undefined) continue
          const answer = await world.ask(pathOf(route), { as, method: route.method, ...(json === undefined ? {} : { json }), headers: { 'x-other': 'canary-header' } })
          texts.push(`${await answer.text()} ${inspect([...answer.headers], { depth: 9 })}`)
          failures += Number(answer.status >= 400)
        }
      }
      const odd = await world.ask(`${pathOf(route)}?token=canary-query&callbackUrl=https://u:canary-query@h/`, { as: 'admin', method: route.method, headers: { authorization: `Basic ${btoa(`canary-user:${SECRETS.admin}`)}` } })
      texts.push(await odd.text())
      failures += Number(odd.status >= 400)
      for (const type of ['application/json', 'text/canary-type', 'application/x-www-form-urlencoded']) {
        if (route.method === 'GET') continue
        const malformed = await fetch(world.url + pathOf(route), { method: route.method, body: '{"password": "canary-body', headers: { 'authorization': `Bearer ${SECRETS.admin}`, 'content-type': type } })
        texts.push(await malformed.text())
        failures += Number(malformed.status >= 400)
      }
    }
    expect(failures).toBeGreaterThanOrEqual(200)
    for (const path of ['/health', '/metrics', '/data-replication/status', '/data-replication/logs', '/export', '/import', '/changes/status', '/peers', '/']) texts.push(await (await world.ask(path, { as: 'admin' })).text())
    for (const text of texts) for (const form of [text, decodeURIComponent(text.replaceAll('%', '%25'))]) expect(form).not.toContain('canary')
  })
})

describe('bad input', () => {
  it('is refused before it is read to its end', async () => {
    await using world = await makeWorld({ maxBodyBytes: 1_000 })
    const large = await world.ask('/data-replication/configure', { as: 'admin', json: { name: 'x'.repeat(2_000) } })
    expect([large.status, (await large.json() as { code: string }).code]).toEqual([413, 'REQUEST_TOO_LARGE'])
    const endless = await fetch(`${world.url}/export/dump`, {
      method: 'POST', duplex: 'half', headers: { 'authorization': `Bearer ${SECRETS.admin}`, 'content-type': 'application/json' },
      body: new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(500).fill(32)) }),
    } as RequestInit & { readonly duplex: 'half' }).catch((error: unknown) => error)
    // The server answers while the client still sends, or closes on it.
    expect(endless instanceof Response ? endless.status : 413).toBe(413)
  })

  it('has another type than JSON, or is none', async () => {
    await using world = await makeWorld()
    const send = (type: string, body: string): Promise<Response> => fetch(`${world.url}/export/dump`, { method: 'POST', body, headers: { 'authorization': `Bearer ${SECRETS.admin}`, 'content-type': type } })
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonp', 'text/json']) {
      const answer = await send(type, '{}')
      expect([type, answer.status, (await answer.json() as { code: string }).code]).toEqual([type, 415, 'REQUEST_INVALID'])
    }
    for (const body of ['{', '{}}', 'undefined', '{"a":1,}', '\u0000', '[', 'NaN', '['.repeat(30_000), '{"__proto__": {"format": "sql"}}', '{"constructor": 1}']) {
      const answer = await send('application/json', body)
      expect([body.slice(0, 20), answer.status]).toEqual([body.slice(0, 20), 400])
    }
    expect(await world.exporter.list()).toEqual([])
  })

  it('comes too slowly', async () => {
    await using world = await makeWorld({ bodyTimeoutMs: 50 })
    const socket = connect(world.port, '127.0.0.1')
    const answered = new Promise<string>((resolve) => { socket.once('data', (bytes) => resolve(String(bytes))) })
    socket.write(`POST /export/dump HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${SECRETS.admin}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`)
    expect(await answered).toMatch(/^HTTP\/1.1 408 /)
    socket.destroy()
  })

  it('is a path with tricks in it', async () => {
    await using world = await makeWorld({ basePath: '/data' })
    const raw = (target: string, method = 'GET'): Promise<string> => new Promise((resolve, reject) => {
      const socket = connect(world.port, '127.0.0.1')
      socket.once('error', reject)
      socket.once('data', (bytes) => {
        resolve(/^HTTP\/1\.1 (\d{3})/.exec(String(bytes))?.[1] ?? 'none')
        socket.destroy()
      })
      socket.write(`${method} ${target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${SECRETS.admin}\r\nConnection: close\r\n\r\n`)
    })
    expect(await raw('/data/health')).toBe('200')
    for (const target of [
      `/data/export/status/${'a'.repeat(10_000)}`, `/data/${'a/'.repeat(5_000)}`, '/data/%2e%2e/%2e%2e/etc/passwd', '/data/export/download/..%2f..%2fapp.db', '/data/export/status/%E2%80%AE', '/data/import/status/%00', '/data/import/status/..%2f..',
      '/', '//', '/data//health', '/DATA/health', '/data/Health', '/data/health;x', '/data/%2e%2e/health', '/data/export/download/%2e%2e%2f', '/data/export/status/..%5c..',
      '/data/export/status/%00', '/data/export/status/%ff', '/data/export/status/%', '/data/health%00', '/data/health/..%2f', '/data\\health', 'http://evil.example/data/nothing', '/data/:name', '/data/*', '/.', '/data/export/status/', '/data/data-replication/status/x',
    ]) expect([target, ['400', '404', '405'].includes(await raw(target))]).toEqual([target, true])
    for (const method of ['TRACE', 'PUT', 'PATCH', 'OPTIONS', 'PROPFIND', 'MKCOL', 'LOCK', 'SEARCH']) expect([method, await raw('/data/health', method)]).toEqual([method, '405'])
    // Longer than Node takes; the handler itself takes any.
    expect((await world.handler(new Request(`http://localhost/data/${'a'.repeat(1_000_000)}`))).status).toBe(404)
    expect((await world.handler(new Request(`http://localhost/data/export/status/${'a'.repeat(1_000_000)}`, { headers: { authorization: `Bearer ${SECRETS.read}` } }))).status).toBe(400)
  })
})

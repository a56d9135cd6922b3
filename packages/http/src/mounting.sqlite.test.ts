import { createServer, type RequestListener, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { getRequestListener } from '@hono/node-server'
import express from 'express'
import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import type { Handler } from './index.ts'
import { followSocket } from './test/follow-socket.ts'
import { readSse, take } from './test/read-sse.ts'
import { makeWorld, SECRETS } from './test/world.ts'
import { nodeWebSockets } from './ws.ts'

/** As the README has it; each application has a route of its own beside. */
const MOUNTS: Readonly<Record<string, (handler: Handler) => RequestListener>> = {
  'node:http': (handler) => {
    const listener = getRequestListener(handler)
    return (request, response) => (request.url?.startsWith('/data') === true ? void listener(request, response) : void response.end('own'))
  },
  'Express': (handler) => {
    const app = express()
    app.all(['/data', '/data/{*rest}'], getRequestListener(handler))
    app.use(express.json())
    app.get('/own', (_request, response) => { response.send('own') })
    return app
  },
  'Hono': (handler) => {
    const app = new Hono()
    app.all('/data/*', (c) => handler(c.req.raw))
    app.get('/own', (c) => c.text('own'))
    return getRequestListener(app.fetch)
  },
}

async function listen(listener: RequestListener): Promise<{ readonly url: string; readonly server: Server } & AsyncDisposable> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  return {
    server,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, // it listens on a port
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    }),
  }
}

/** As `curl -X POST` sends it: of its own accord no client of Node leaves out the length. */
async function postWithout(url: string, path: string, rest: string): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.write(`POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${SECRETS.admin}\r\nconnection: close\r\n${rest}`)
  return (await text(socket)).slice(0, 'HTTP/1.1 200'.length)
}

const headers = { authorization: `Bearer ${SECRETS.admin}` }

describe.each(Object.keys(MOUNTS))('mounted in %s', (name) => {
  it('answers, takes bodies, sends files, follows changes by both ways, and leaves the rest to the application', async () => {
    const sockets = nodeWebSockets()
    await using world = await makeWorld({ basePath: '/data', changes: { webSockets: sockets.upgrade } })
    const mount = MOUNTS[name]
    if (mount === undefined) throw new Error(name)
    await using mounted = await listen(mount(world.handler))
    mounted.server.on('upgrade', sockets.listener(world.handler))
    const ask = (path: string, init: Omit<RequestInit, 'headers'> & { readonly headers?: Readonly<Record<string, string>> } = {}): Promise<Response> => fetch(mounted.url + path, { ...init, headers: { ...headers, ...init.headers } })

    expect(await (await ask('/own')).text()).toBe('own')
    expect((await fetch(`${mounted.url}/data/health`)).status).toBe(401)
    expect(await (await ask('/data/health')).json()).toEqual({ status: 'ok', checks: [] })
    expect(await (await ask('/data/')).text()).toContain('<title>Tidemark</title>')
    expect((await ask('/data/nothing')).headers.get('content-type')).toBe('application/problem+json')
    expect((await ask('/data/health', { method: 'DELETE' })).status).toBe(405)
    expect(await (await ask('/data/data-replication/sync/users', { method: 'POST' })).json()).toMatchObject({ success: true })
    const json = { 'content-type': 'application/json' }
    const dump = await ask('/data/export/dump', { method: 'POST', headers: json, body: '{"tables":["users"]}' })
    expect(await dump.text()).toContain('CREATE TABLE users')
    expect((await ask('/data/export/dump', { method: 'POST', headers: json, body: '{' })).status).toBe(400)
    expect((await ask('/data/export/dump', { method: 'POST', headers: json, body: JSON.stringify({ fileName: 'x'.repeat(100_000) }) })).status).toBe(413)

    for (const rest of ['\r\n', 'content-length: 0\r\n\r\n', 'transfer-encoding: chunked\r\n\r\n0\r\n\r\n']) expect(await postWithout(mounted.url, '/data/export/dump', rest)).toBe('HTTP/1.1 200')
    for (const rest of ['content-length: 2\r\n\r\n{}', 'transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n', 'content-type: text/plain\r\n\r\n']) expect(await postWithout(mounted.url, '/data/export/dump', rest)).toBe('HTTP/1.1 415')

    const gone = new Promise<void>((resolve) => { world.stream.on('status', (status) => { if (status.kind === 'subscriber' && status.state === 'stopped') resolve() }) })
    const feed = readSse(await ask('/data/changes?tables=notes'))
    await take(feed, 'checkpoint', 1)
    world.app.exec(`INSERT INTO notes (body) VALUES ('one')`)
    expect((await take(feed, 'change', 1))[0]?.data).toMatchObject({ after: { body: 'one' } })
    await feed.return(undefined)
    await gone
    const socket = await followSocket(`${mounted.url}/data/changes/socket`, { token: SECRETS.operate })
    await socket.take('checkpoint', 1)
    socket.socket.terminate()
  })
})

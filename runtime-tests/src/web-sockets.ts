import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { ChangeStream } from '@tidemark/core'
import { bearerTokens, bunWebSockets, createHandler, denoWebSockets, type BunServer, type BunWebSockets, type Handler, type UpgradeWebSocket } from '@tidemark/http'
import { nodeWebSockets } from '@tidemark/http/ws'
import { sqliteChanges } from '@tidemark/node'

// Serves a feed as this runtime does, follows it with this runtime's own WebSocket, as a page would, and says what came.

interface Served {
  readonly port: number
  readonly stop: () => unknown
}

interface Globals {
  readonly Bun?: { serve(options: { readonly port: number; readonly hostname: string; readonly fetch: Handler; readonly websocket: BunWebSockets['websocket'] }): BunServer & { readonly port: number; stop(now: boolean): unknown } }
  readonly Deno?: { serve(options: { readonly port: number; readonly hostname: string; readonly onListen: () => void }, handler: Handler): { readonly addr: { readonly port: number }; shutdown(): unknown } }
}

const { Bun, Deno } = globalThis as Globals // what each runtime has

const hostname = '127.0.0.1'

async function serve(make: (upgrade: UpgradeWebSocket) => Handler): Promise<Served> {
  if (Bun !== undefined) {
    const sockets = bunWebSockets()
    const server = Bun.serve({ port: 0, hostname, fetch: make(sockets.upgrade), websocket: sockets.websocket })
    sockets.attach(server)
    return { port: server.port, stop: () => server.stop(true) }
  }
  if (Deno !== undefined) {
    const server = Deno.serve({ port: 0, hostname, onListen: () => undefined }, make(denoWebSockets()))
    return { port: server.addr.port, stop: () => server.shutdown() }
  }
  const sockets = nodeWebSockets()
  const server = createServer()
  server.on('upgrade', sockets.listener(make(sockets.upgrade)))
  server.listen(0, hostname)
  await once(server, 'listening')
  const address = server.address()
  return { port: typeof address === 'object' && address !== null ? address.port : 0, stop: () => server.close() }
}

interface Message {
  readonly event: string
  readonly id?: string
  readonly data: { readonly bytes?: number; readonly after?: { readonly body: string } }
}

/** Until it ends, or so many changes have come; pings are answered when it says so. */
function follow(url: string, { token, changes, answers }: { readonly token: string; readonly changes: number; readonly answers: boolean }, onBegin: () => void): Promise<unknown> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url, ['tidemark.v1', `tidemark.token.${btoa(token).replaceAll('=', '')}`])
    const bodies: unknown[] = []
    let pings = 0
    let id: string | undefined
    socket.addEventListener('message', ({ data }) => {
      const message = JSON.parse(String(data)) as Message // what the handler sends
      id = message.id ?? id
      if (message.event === 'checkpoint') onBegin()
      if (message.event === 'change') bodies.push(message.data.after?.body)
      if (message.event === 'ping') {
        pings += 1
        if (answers) socket.send(JSON.stringify({ pong: message.data.bytes }))
      }
      if (bodies.length === changes && pings > 1) socket.close(1000)
    })
    socket.addEventListener('close', ({ code }) => resolve({ protocol: socket.protocol, bodies, id, code }))
  })
}

const folder = mkdtempSync(join(tmpdir(), 'tidemark-sockets-'))
const path = join(folder, 'app.db')
const database = new DatabaseSync(path)
database.exec('PRAGMA journal_mode = WAL; CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT)')
const source = sqliteChanges({ path }, { tables: ['notes'] })
await source.install()
const stream = new ChangeStream({ source })
const holder: { handler?: Handler } = {}
const served = await serve((webSockets) => (holder.handler = createHandler({ authorize: bearerTokens({ operate: 'operate-token' }), streams: stream, changes: { webSockets, heartbeatMs: 50 } })))
const url = `ws://${hostname}:${served.port}/changes/socket`

const write = (body: string) => (): void => void database.prepare('INSERT INTO notes (body) VALUES (?)').run(body)
const first = await follow(url, { token: 'operate-token', changes: 1, answers: true }, write('one')) as { readonly id: string }
write('two')()
const second = await follow(`${url}?lastEventId=${first.id}`, { token: 'operate-token', changes: 1, answers: true }, () => undefined)
const refused = await follow(url, { token: 'another', changes: 1, answers: true }, () => undefined)
const silent = await follow(url, { token: 'operate-token', changes: 1, answers: false }, () => undefined)
process.stdout.write(`${JSON.stringify({ first: { ...first, id: typeof first.id }, second: { ...second as object, id: 'string' }, refused, silent: { ...silent as object, id: 'string' } })}\n`)

holder.handler?.[Symbol.dispose]()
await served.stop()
await stream[Symbol.asyncDispose]()
database.close()
rmSync(folder, { recursive: true, force: true })
process.exit(0)

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import type { AddressInfo } from 'node:net'

export interface ServedReceiver extends AsyncDisposable {
  readonly url: string
}

/** A fetch handler behind a real socket of the loopback. */
export async function serveReceiver(handler: (request: Request) => Promise<Response>, port = 0): Promise<ServedReceiver> {
  const server = createServer((incoming, outgoing) => void answer(handler, incoming, outgoing))
  await new Promise<void>((resolve) => void server.listen(port, '127.0.0.1', resolve))
  const { port: bound } = server.address() as AddressInfo // a TCP server that listens
  return {
    url: `http://127.0.0.1:${bound}/`,
    [Symbol.asyncDispose]: () => new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    }),
  }
}

async function answer(handler: (request: Request) => Promise<Response>, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const headers = Object.entries(incoming.headers).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  const hasBody = incoming.method !== 'GET' && incoming.method !== 'HEAD'
  const body = hasBody ? { body: Readable.toWeb(incoming) as ReadableStream, duplex: 'half' as const } : {} // one stream class in two type libraries
  const response = await handler(new Request(`http://127.0.0.1${incoming.url ?? '/'}`, { method: incoming.method ?? 'GET', headers, ...body }))
  outgoing.writeHead(response.status, Object.fromEntries(response.headers))
  outgoing.end(await response.text())
}

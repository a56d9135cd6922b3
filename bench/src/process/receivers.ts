import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { createReceiver } from '@tidemark/core'
import { nodeSqlitePropagationTarget } from '@tidemark/node'
import { RECEIVER_TOKEN, type ReceiverProcessRequest } from './receiver-process.ts'

type Handler = (request: Request) => Promise<Response>

/** The process of `ReceiverProcess`. */
async function serve(handler: Handler | undefined): Promise<string> {
  const server = createServer((incoming, outgoing) => void (handler === undefined ? undefined : answer(handler, incoming, outgoing)))
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => void server.once('listening', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/` // a TCP server that listens
}

async function answer(handler: Handler, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const headers = Object.entries(incoming.headers).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  const body = Readable.toWeb(incoming) as ReadableStream // one stream class in two type libraries
  const response = await handler(new Request('http://127.0.0.1/', { method: 'POST', headers, body, duplex: 'half' }))
  outgoing.writeHead(response.status, Object.fromEntries(response.headers))
  outgoing.end(await response.text())
}

const { paths } = JSON.parse(process.argv[2] ?? '{"paths":[]}') as ReceiverProcessRequest // written by ReceiverProcess
const urls: string[] = []
for (const path of paths) {
  urls.push(await serve(path === null ? undefined : createReceiver({ target: nodeSqlitePropagationTarget({ path }), authorize: { token: RECEIVER_TOKEN } })))
}
process.send?.(urls)

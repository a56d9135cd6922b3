import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { S3StorageOptions } from '../s3-options.ts'

/** What was asked for. */
export interface SeenRequest {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly atMs: number
}

export interface ScriptedServer extends AsyncDisposable {
  readonly options: S3StorageOptions
  readonly seen: readonly SeenRequest[]
}

export type Reply = (response: ServerResponse, request: SeenRequest) => void

/** A server on this machine whose answers the test has written: for those that a real storage gives once in a blue moon. The last one is repeated. */
export async function scriptedServer(...replies: readonly Reply[]): Promise<ScriptedServer> {
  const seen: SeenRequest[] = []
  const server = createServer((request, response) => {
    const { method = '', url = '', headers } = request
    const reply = replies[Math.min(seen.length, replies.length - 1)]
    const asked = { method, path: url, headers, atMs: performance.now() }
    seen.push(asked)
    // As real ones do, it answers once it has heard all of it.
    request.resume().on('end', () => reply?.(response, asked))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo // of TCP
  return {
    options: { endpoint: `http://127.0.0.1:${port}`, bucket: 'bucket', accessKeyId: 'key', secretAccessKey: 'hidden-value', retry: { attempts: 3, baseMs: 1 } },
    seen,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** An error as S3 has it. */
export function fails(status: number, code: string, headers: Readonly<Record<string, string>> = {}): Reply {
  return (response) => response.writeHead(status, headers).end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code} of a key</Message></Error>`)
}

export function answers(text: string, headers: Readonly<Record<string, string>> = {}, status = 200): Reply {
  return (response) => response.writeHead(status, { 'content-length': Buffer.byteLength(text), etag: '"1"', 'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT', ...headers }).end(text)
}

/** Ends the connection once so much of the text was sent. */
export function cutsOff(text: string, bytes: number, headers: Readonly<Record<string, string>> = {}, status = 200): Reply {
  return (response) => {
    response.writeHead(status, { 'content-length': Buffer.byteLength(text), etag: '"1"', ...headers })
    response.write(text.slice(0, bytes), () => response.socket?.destroy())
  }
}

/** Takes the request, and says nothing. */
export const isSilent: Reply = () => undefined

/** Ends the connection instead of an answer. */
export const hangsUp: Reply = (response) => void response.socket?.destroy()

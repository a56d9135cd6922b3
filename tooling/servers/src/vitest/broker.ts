import { randomBytes, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import type { PostgresVersion } from '../postgres/postgres-versions.ts'
import type { ServerInfo, TestServer } from '../server.ts'
import type { MysqlEngine } from '../mysql/mysql-settings.ts'
import { startMysql } from '../start-mysql.ts'
import { startPostgres } from '../start-postgres.ts'

/** What a test file asks for. */
export type ServerRequest =
  | { readonly engine: 'postgres'; readonly version?: PostgresVersion | undefined }
  | { readonly engine: MysqlEngine; readonly version?: string | undefined }

/** Where test files ask. */
export interface BrokerAddress {
  readonly port: number
  readonly token: string
}

export interface BrokerOptions {
  /** Called once per server, when it answers. */
  readonly onStart: (server: TestServer, startMs: number) => void
}

/**
 * Starts a server when a test file first asks for it and gives the same one to every other: one per engine and
 * version for a whole run, none that no selected test needs. It lives in the runner's process, the files in others,
 * so they ask over HTTP on 127.0.0.1.
 */
export class ServerBroker implements AsyncDisposable {
  readonly address: BrokerAddress
  readonly #http: Server
  readonly #options: BrokerOptions
  readonly #servers = new Map<string, Promise<TestServer>>()

  private constructor(http: Server, address: BrokerAddress, options: BrokerOptions) {
    this.#http = http
    this.address = address
    this.#options = options
    http.on('request', (request: IncomingMessage, response: ServerResponse) => void this.#answer(request, response))
  }

  static async open(options: BrokerOptions): Promise<ServerBroker> {
    const http = createServer()
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    const bound = http.address()
    if (bound === null || typeof bound === 'string') throw new Error('The broker has no port')
    return new ServerBroker(http, { port: bound.port, token: randomBytes(16).toString('hex') }, options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#http.closeAllConnections()
    this.#http.close()
    const started = await Promise.allSettled(this.#servers.values())
    await Promise.all(started.map(async (outcome) => {
      if (outcome.status === 'fulfilled') await outcome.value[Symbol.asyncDispose]()
    }))
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      if (!this.#isAllowed(request)) throw new Error('The token is not the one of this run')
      // The only client is askBroker(), which sends a ServerRequest.
      const wanted = JSON.parse(await text(request)) as ServerRequest
      const server = await this.#share(wanted)
      response.end(JSON.stringify({ info: server.info } satisfies BrokerAnswer))
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      response.end(JSON.stringify({ message } satisfies BrokerAnswer))
    }
  }

  #isAllowed(request: IncomingMessage): boolean {
    const given = Buffer.from(request.headers.authorization ?? '')
    const expected = Buffer.from(this.address.token)
    return given.length === expected.length && timingSafeEqual(given, expected)
  }

  async #share(wanted: ServerRequest): Promise<TestServer> {
    const key = `${wanted.engine} ${wanted.version ?? ''}`
    const known = this.#servers.get(key)
    if (known !== undefined) return await known
    const started = this.#start(wanted)
    this.#servers.set(key, started)
    return await started
  }

  async #start(wanted: ServerRequest): Promise<TestServer> {
    const begin = performance.now()
    const server = wanted.engine === 'postgres' ? await startPostgres(wanted) : await startMysql(wanted)
    this.#options.onStart(server, Math.round(performance.now() - begin))
    return server
  }
}

type BrokerAnswer = { readonly info: ServerInfo } | { readonly message: string }

/** Asks for a server; rejects with the reason when it can't be had. */
export async function askBroker(address: BrokerAddress, wanted: ServerRequest): Promise<ServerInfo> {
  const response = await fetch(`http://127.0.0.1:${address.port}/`, {
    method: 'POST',
    headers: { authorization: address.token },
    body: JSON.stringify(wanted),
  })
  // The only server is ServerBroker.
  const answer = (await response.json()) as BrokerAnswer
  if ('message' in answer) throw new Error(answer.message)
  return answer.info
}

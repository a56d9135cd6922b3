import { durableObjectChanges } from '@tidemark/cloudflare'
import { ChangeStream } from '@tidemark/core'
import { bearerTokens, createHandler, webSocketPair, type Handler } from '../index.ts'

interface ObjectContext {
  readonly storage: Parameters<typeof durableObjectChanges>[0]
  abort(reason?: string): void
}

/** Serves the changes of its own database. */
export class FeedObject {
  readonly #context: ObjectContext
  readonly #source: ReturnType<typeof durableObjectChanges>
  readonly #handler: Promise<Handler>

  constructor(context: ObjectContext) {
    this.#context = context
    context.storage.sql.exec('CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, body TEXT)')
    this.#source = durableObjectChanges(context.storage, { tables: ['notes'], pollIntervalMs: 600_000 })
    this.#handler = this.#start()
  }

  async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url)
    if (pathname === '/abort') this.#context.abort('evicted by the test')
    if (pathname !== '/write') return (await this.#handler)(request)
    this.#context.storage.sql.exec('INSERT INTO notes (body) VALUES (?)', searchParams.get('body'))
    this.#source.notify()
    return new Response('written')
  }

  async #start(): Promise<Handler> {
    await this.#source.install()
    return createHandler({ authorize: bearerTokens({ operate: 'operate-token' }), streams: new ChangeStream({ source: this.#source }), changes: { webSockets: webSocketPair(), heartbeatMs: 50 } })
  }
}

interface Environment {
  readonly OBJECTS: { idFromName(name: string): unknown; get(id: unknown): { fetch(request: Request): Promise<Response> } }
}

/** Everything goes to one object. */
export const worker = {
  fetch: (request: Request, { OBJECTS }: Environment): Promise<Response> => OBJECTS.get(OBJECTS.idFromName('only')).fetch(request),
}

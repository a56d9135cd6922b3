import { durableObjectPropagationTarget } from '@tidemark/cloudflare'
import { createReceiver, type Receiver } from '@tidemark/core'
import { bearerTokens, type Authorize } from '@tidemark/http'
import type { Environment, ObjectContext } from './environment.ts'
import { Notes } from './notes.ts'

/** Has the replica's notes too. */
export class PeerObject {
  readonly #notes: Notes
  readonly #receive: Receiver
  readonly #authorize: Authorize

  constructor({ storage }: ObjectContext, { PEER_TOKEN, READ_TOKEN, OPERATE_TOKEN }: Environment) {
    this.#notes = new Notes(storage)
    // The replica writes these rows and nobody else does.
    this.#receive = createReceiver({ target: durableObjectPropagationTarget(storage), authorize: { token: PEER_TOKEN }, replacesRows: true })
    this.#authorize = bearerTokens({ read: READ_TOKEN, operate: OPERATE_TOKEN })
  }

  async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url)
    if (pathname === '/propagate') return this.#receive(request)
    if (!await this.#authorize(request, 'read', 'GET /notes')) return new Response('Unauthorized', { status: 401 })
    return pathname === '/peer/notes' ? Response.json(this.#notes.all()) : new Response('Not found', { status: 404 })
  }
}

import { TidemarkError } from '@tidemark/core'
import { problemAnswer } from '@tidemark/http'
import type { CdcEventFilter } from '../object/cdc-selection.ts'
import type { StarbaseApp, StarbaseContext } from '../plugin-contract.ts'
import { includesScope } from '../starbase-scope.ts'
import { SOCKET_HOST } from '../tidemark-stub.ts'
import { notInternal, RoutePlugin, type PluginOptions } from './route-plugin.ts'

export interface ChangeStreamPluginOptions extends PluginOptions {
  /** What `/cdc` tells of. Default: every change of what is captured. */
  readonly events?: readonly CdcEventFilter[] | undefined
}

const CDC = '/cdc'

/** Changes of the instance as they are committed: by WebSocket at `/cdc`, and as server-sent events at `/changes`. */
export class ChangeStreamPlugin extends RoutePlugin {
  readonly #events: readonly CdcEventFilter[] | undefined

  constructor(options: ChangeStreamPluginOptions) {
    super({ name: 'tidemark:change-stream', paths: ['/changes', '/changes/status'] }, options)
    this.#events = options.events
  }

  override async register(app: StarbaseApp): Promise<void> {
    app.all(CDC, (context) => this.#open(context))
    await super.register(app)
  }

  async #open(context: StarbaseContext): Promise<Response> {
    const { raw } = context.req
    const refused = notInternal(context) ?? this.#refusal(context)
    if (refused !== undefined) return refused
    const lastEventId = new URL(raw.url).searchParams.get('lastEventId')
    const ticket = await this.stub.tidemarkTicket({ events: this.#events, lastEventId: lastEventId ?? undefined })
    return this.stub.fetch(new Request(`https://${SOCKET_HOST}/${ticket}`, { headers: { upgrade: 'websocket' } }))
  }

  #refusal(context: StarbaseContext): Response | undefined {
    if (context.req.raw.headers.get('upgrade') !== 'websocket') return problemAnswer(new TidemarkError('REQUEST_INVALID', 'Expected an upgrade to a WebSocket.', { detail: 'cdc' }))
    if (includesScope(this.scopeOf(context), 'operate')) return undefined
    return problemAnswer(new TidemarkError('REQUEST_FORBIDDEN', 'This needs the admin token.'))
  }
}

import { RoutePlugin, type PluginOptions } from './route-plugin.ts'

const PATH = '/propagate'

/** Takes what other instances send, at `POST /propagate`. It needs no token of the instance: the receiver asks for its own, or for a signature. */
export class ReceiverPlugin extends RoutePlugin {
  readonly pathPrefix = PATH

  constructor(options: Pick<PluginOptions, 'stub'>) {
    super({ name: 'tidemark:receiver', paths: [PATH], requiresAuth: false }, options)
  }

  /** With the sender's token. */
  protected override forwarded(request: Request): Request {
    return request
  }
}

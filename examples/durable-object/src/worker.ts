import type { Environment } from './environment.ts'

/** `/data/…` and `/notes` are the replica's, `/peer/notes` its peer's. */
export const worker = {
  fetch(request: Request, { REPLICAS, PEERS }: Environment): Promise<Response> {
    const namespace = new URL(request.url).pathname.startsWith('/peer/') ? PEERS : REPLICAS
    return namespace.get(namespace.idFromName('main')).fetch(request)
  },
}

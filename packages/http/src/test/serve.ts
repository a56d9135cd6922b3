import type { AddressInfo } from 'node:net'
import { createAdaptorServer, type ServerType } from '@hono/node-server'

export interface Served extends AsyncDisposable {
  /** `http://127.0.0.1:port`. */
  readonly url: string
  readonly port: number
  readonly server: ServerType
}

/** A handler behind Node's own HTTP server, on a free port. */
export async function serve(handler: (request: Request) => Promise<Response>): Promise<Served> {
  const server = createAdaptorServer({ fetch: handler })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  const { port } = server.address() as AddressInfo // it listens on a port
  return {
    port, server,
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => {
      server.close(() => resolve())
      if ('closeAllConnections' in server) server.closeAllConnections()
    }),
  }
}

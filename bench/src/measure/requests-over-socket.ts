import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import autocannon from 'autocannon'

const CONNECTIONS = 16
const AMOUNT = 5_000

/** Requests a second that a handler behind Node's own server answers. Errors: when one is not answered with 2xx. */
export async function requestsOverSocket(handle: (request: Request) => Response | Promise<Response>, { path, token }: { readonly path: string; readonly token: string }): Promise<number> {
  const server = createAdaptorServer({ fetch: handle })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  try {
    const { port } = server.address() as AddressInfo // it listens on a port
    const begin = performance.now()
    const result = await autocannon({ url: `http://127.0.0.1:${port}${path}`, connections: CONNECTIONS, amount: AMOUNT, headers: { authorization: `Bearer ${token}` } })
    if (result.non2xx > 0 || result.errors > 0) throw new Error(`${result.non2xx + result.errors} of ${AMOUNT} requests failed.`)
    return AMOUNT / ((performance.now() - begin) / 1_000)
  } finally {
    await new Promise((resolve) => server.close(resolve))
  }
}

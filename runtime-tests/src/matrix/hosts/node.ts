import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { tellOnStdout } from './tell-on-stdout.ts'

await tellOnStdout(async (handler) => {
  const server = createAdaptorServer({ fetch: handler })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  const { port } = server.address() as AddressInfo // it listens on a port
  return {
    url: `http://127.0.0.1:${port}`,
    fetch,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => {
      server.close(() => resolve())
      if ('closeAllConnections' in server) server.closeAllConnections()
    }),
  }
})

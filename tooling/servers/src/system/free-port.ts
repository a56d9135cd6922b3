import { once } from 'node:events'
import { createServer, type Server } from 'node:net'

/** A port of 127.0.0.1 that was free a moment ago. Whoever starts a server on it tries another when it lost the race. */
export async function freePort(): Promise<number> {
  const probe = await listen(0)
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address === null || typeof address === 'string') throw new Error('The probe socket has no port')
  return address.port
}

/** Whether someone listens on the port now. */
export async function isPortTaken(port: number): Promise<boolean> {
  const probe = await listen(port).catch(() => undefined)
  if (probe === undefined) return true
  probe.close()
  await once(probe, 'close')
  return false
}

async function listen(port: number): Promise<Server> {
  const server = createServer()
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server
}

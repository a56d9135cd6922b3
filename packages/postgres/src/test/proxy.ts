import { createServer, connect, type AddressInfo, type Socket } from 'node:net'
import { testServerUrl } from './test-database.ts'

export interface Proxy extends AsyncDisposable {
  /** The given URL with the proxy's host and port. */
  url(of: string): string
  /** Connections that are open through it now. */
  readonly open: number
  /** Connections that were ever opened through it. */
  readonly accepted: number
}

/** Decides what becomes of a client's connection; `toServer` opens one to the real server. */
export type ProxyBehaviour = (client: Socket, toServer: () => Socket) => void

/** A TCP proxy in front of the test server, for faults that a healthy server does not have. */
export async function startProxy(behaviour: ProxyBehaviour, targetUrl: string = testServerUrl()): Promise<Proxy> {
  const target = new URL(targetUrl)
  const sockets = new Set<Socket>()
  let accepted = 0
  const listener = createServer((client) => {
    accepted += 1
    client.on('error', () => undefined)
    sockets.add(client)
    client.on('close', () => sockets.delete(client))
    behaviour(client, () => {
      const server = connect(Number(target.port || 5432), target.hostname)
      server.on('error', () => undefined)
      server.on('close', () => client.destroy())
      client.on('close', () => server.destroy())
      return server
    })
  })
  await new Promise<void>((resolve) => void listener.listen(0, '127.0.0.1', () => resolve()))
  // A listener on TCP has this kind of address.
  const { port } = listener.address() as AddressInfo
  return {
    url: (of) => Object.assign(new URL(of), { host: `127.0.0.1:${port}` }).href,
    get open() {
      return sockets.size
    },
    get accepted() {
      return accepted
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => void listener.close(() => resolve()))
    },
  }
}

/** Passes everything on. */
export function passThrough(client: Socket, toServer: () => Socket): Socket {
  const server = toServer()
  client.pipe(server)
  server.pipe(client)
  return server
}

/** A FATAL error message in the protocol (manual, 55.7). */
export function errorResponse(sqlState: string): Buffer {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${sqlState}\0Mrefused\0\0`)
  const header = Buffer.alloc(5)
  header.write('E')
  header.writeUInt32BE(fields.length + 4, 1)
  return Buffer.concat([header, fields])
}

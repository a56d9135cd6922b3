import { once } from 'node:events'
import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface CuttingProxy extends AsyncDisposable {
  readonly endpoint: string
  /** How often a connection was cut: before the storage had seen the request, once it had carried it out, in the middle of the answer. */
  readonly cuts: { readonly before: number; readonly after: number; readonly within: number }
}

/** Passes requests on, and cuts the connection of every second one, by the seed. */
export async function cuttingProxy(endpoint: string, seed: number): Promise<CuttingProxy> {
  const target = new URL(endpoint)
  const cuts = { before: 0, after: 0, within: 0 }
  let state = seed
  const server = createServer((incoming, outgoing) => {
    state = (state * 48_271) % 2_147_483_647
    const fate = ([...Object.keys(cuts), ...Array<undefined>(3)] as (keyof typeof cuts | undefined)[])[state % 6] // its keys are those
    if (fate === 'before') {
      cuts.before += 1
      return void incoming.socket.destroy()
    }
    // The signature covers the host that the client knows.
    const passed = forward({ host: target.hostname, port: target.port, path: incoming.url, method: incoming.method, headers: incoming.headers }, (answer) => {
      if (fate === 'after') {
        cuts.after += 1
        return void answer.resume().on('end', () => incoming.socket.destroy())
      }
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
      if (fate === undefined) return void answer.pipe(outgoing)
      cutWithin(answer, outgoing, () => {
        cuts.within += 1
      })
    })
    incoming.pipe(passed)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo // of TCP
  return {
    endpoint: `http://127.0.0.1:${port}${target.pathname}`,
    cuts,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Half of what there is of the first piece arrives; an answer without bytes arrives whole. */
function cutWithin(answer: IncomingMessage, outgoing: ServerResponse, onCut: () => void): void {
  let isCut = false
  answer.on('data', (piece: Buffer) => {
    if (isCut) return
    isCut = true
    onCut()
    outgoing.write(piece.subarray(0, Math.ceil(piece.length / 2)), () => outgoing.socket?.destroy())
  })
  answer.on('end', () => {
    if (!isCut) outgoing.end()
  })
}

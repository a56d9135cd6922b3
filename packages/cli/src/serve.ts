import { createAdaptorServer, type ServerType } from '@hono/node-server'
import { TidemarkError } from '@tidemark/core'
import { createHandler } from '@tidemark/http'
import { nodeWebSockets } from '@tidemark/http/ws'
import type { ServeConfig, ServedExporter } from './serve-config.ts'
import { makeParts } from './serve-parts.ts'

export interface ServeOptions {
  readonly host: string
  readonly port: number
  /** Ends it. */
  readonly signal: AbortSignal
  /** Called with the address, once requests are answered. */
  readonly onListening: (url: string) => void
  /** For people: what does not end it. */
  readonly notice: (text: string) => void
}

/** For clients that send drop by drop. A request's body has a limit of its own in the handler; its answer may take as long as it takes. In milliseconds. */
const LIMITS = { headersTimeout: 5_000, requestTimeout: 60_000, connectionsCheckingInterval: 1_000 } as const

/** Serves a configuration until the signal fires, then stops what it has started. Errors: `CONFIG_INVALID`, and those of `start`. */
export async function serve(config: ServeConfig, options: ServeOptions): Promise<void> {
  const { options: handlerOptions, replicator, exporter, streams, propagator } = makeParts(config)
  const sockets = nodeWebSockets()
  const handler = createHandler({ ...handlerOptions, changes: { webSockets: sockets.upgrade, ...config.changes } })
  const server = createAdaptorServer({ fetch: handler, serverOptions: LIMITS })
  server.on('upgrade', sockets.listener(handler))
  try {
    const port = await listen(server, options)
    await Promise.all([replicator?.start(), propagator?.start()])
    await goOn(exporter, options)
    options.onListening(`http://${options.host.includes(':') ? `[${options.host}]` : options.host}:${port}${(config.basePath ?? '').replace(/\/$/, '')}/`)
    await aborted(options.signal)
  } finally {
    // Feeds end first: they would hold the server open.
    handler[Symbol.dispose]()
    await close(server)
    const disposables = [propagator, replicator, ...streams, exporter, config.receiver]
    for (const one of disposables) await one?.[Symbol.asyncDispose]()
  }
}

/** Exports that were under way when the last process ended. */
async function goOn(exporter: ServedExporter | undefined, { notice, signal }: ServeOptions): Promise<void> {
  const all = await exporter?.list() ?? []
  for (const { exportId } of all.filter(({ status }) => status === 'pending' || status === 'processing')) {
    exporter?.finish(exportId, { signal, takesOver: true }).catch((error: unknown) => signal.aborted || notice(`Export ${exportId}: ${error instanceof TidemarkError ? error.code : 'INTERNAL'}.`))
  }
}

function listen(server: ServerType, { host, port }: ServeOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(new TidemarkError('CONFIG_INVALID', 'The address can not be listened at.', { detail: error.code, issues: [{ path: '--port', message: `Can not be listened at: ${error.code ?? 'unknown'}.` }], remedy: 'Choose another --port or --host.' }))
    })
    server.listen(port, host, () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}

function close(server: ServerType): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    if ('closeAllConnections' in server) server.closeAllConnections()
  })
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

import { TidemarkError } from '@tidemark/core/adapter'
import type { ConnectTarget } from './connect-target.ts'
import type { HostSocket, HostSockets } from './host-sockets/host-sockets.ts'
import { isSslAccepted, SSL_REQUEST } from './ssl-request.ts'
import { WorkersSocket } from './workers-socket.ts'

/**
 * An encrypted socket in a Worker, whose `node:tls` can't take over a socket that was spoken over. The host verifies the certificate against the authorities
 * that it knows, and can't be told otherwise. Errors: `NOT_SUPPORTED`, `SOURCE_TLS_FAILED`, `SOURCE_UNREACHABLE`.
 */
export async function openWorkersTls(sockets: HostSockets, target: ConnectTarget, signal: AbortSignal): Promise<WorkersSocket> {
  const own = typeof target.tls === 'object' ? target.tls : {}
  if (target.tls === 'insecure-no-verify' || own.ca !== undefined || own.cert !== undefined) throw unsupported()
  const plain = sockets.connect({ hostname: target.host, port: target.port }, { secureTransport: 'starttls', allowHalfOpen: false })
  plain.closed.catch(() => undefined)
  const close = (): void => void plain.close().catch(() => undefined)
  signal.addEventListener('abort', close, { once: true })
  try {
    if (signal.aborted) throw unreachable()
    await opened(plain)
    await askForTls(plain)
    return new WorkersSocket(plain.startTls(own.servername === undefined ? {} : { expectedServerHostname: own.servername }))
  } catch (error) {
    close()
    throw error
  } finally {
    signal.removeEventListener('abort', close)
  }
}

async function opened(socket: HostSocket): Promise<void> {
  await socket.opened.catch(() => {
    throw unreachable()
  })
}

/** Unlocks both streams again, as `startTls` wants them. */
async function askForTls(socket: HostSocket): Promise<void> {
  const [writer, reader] = [socket.writable.getWriter(), socket.readable.getReader()]
  try {
    await writer.write(SSL_REQUEST)
    const { value } = await reader.read()
    if (!isSslAccepted(value)) throw new TidemarkError('SOURCE_TLS_FAILED', 'The source does not speak TLS.', { detail: 'SSL_REFUSED' })
  } catch (error) {
    throw error instanceof TidemarkError ? error : unreachable()
  } finally {
    reader.releaseLock()
    writer.releaseLock()
  }
}

function unreachable(): TidemarkError {
  return new TidemarkError('SOURCE_UNREACHABLE', 'The source closed the connection.', { detail: 'CONNECTION_CLOSED' })
}

function unsupported(): TidemarkError {
  return new TidemarkError('NOT_SUPPORTED', 'Workers verify a certificate against the authorities that they know, and only so.', {
    remedy: 'Leave `tls` at `verify` with a certificate of a public authority, or connect through Hyperdrive, which can be given one of your own.',
  })
}

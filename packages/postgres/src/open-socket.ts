import type { Socket } from 'node:net'
import { hostSockets } from '#host-sockets'
import { makeSecret, TidemarkError } from '@tidemark/core/adapter'
import type { ConnectTarget } from './connect-target.ts'
import type { PostgresTlsOptions } from './postgres-config.ts'
import { openWorkersTls } from './open-workers-tls.ts'
import type { ReadBuffers } from './read-buffers.ts'
import { isSslAccepted, SSL_REQUEST } from './ssl-request.ts'

export interface OpenSocketOptions {
  readonly timeoutMs: number
  readonly signal: AbortSignal
  /** What an unencrypted socket reads into. */
  readonly buffers: ReadBuffers
}

/**
 * A connected socket, encrypted as the target asks, for postgres.js to speak over. Having it in hand is what makes an
 * abort immediate (the driver alone can only ask the server to end), and what keeps the driver from connecting again.
 */
export async function openSocket(target: ConnectTarget, options: OpenSocketOptions): Promise<Socket> {
  const limit = new AbortController()
  const timer = setTimeout(() => limit.abort(), options.timeoutMs)
  const signal = AbortSignal.any([options.signal, limit.signal])
  try {
    // As much of a socket as is used.
    return hostSockets === undefined || target.tls === 'disable' ? await openNodeSocket(target, { ...options, signal }) : await openWorkersTls(hostSockets, target, signal) as unknown as Socket
  } catch (error) {
    throw signal.aborted ? noAnswer() : error
  } finally {
    clearTimeout(timer)
  }
}

async function openNodeSocket(target: ConnectTarget, { buffers, signal }: OpenSocketOptions): Promise<Socket> {
  // Imported late: on Workers this module is loaded but need not be called.
  const net = await import('node:net')
  // TLS takes the bytes of its socket itself.
  const reading = target.tls === 'disable' ? { onread: buffers.onRead(() => socket) } : {}
  const socket: Socket = net.connect({ ...(target.path === undefined ? { host: target.host, port: target.port } : { path: target.path }), ...reading })
  socket.setNoDelay(true)
  // Before any other listener, so that all of them see it.
  socket.on('error', nameFault)
  const stop = (): void => void socket.destroy(noAnswer())
  signal.addEventListener('abort', stop, { once: true })
  try {
    await once(socket, 'connect')
    return target.tls === 'disable' ? socket : await secure(socket, target)
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

function noAnswer(): TidemarkError {
  return new TidemarkError('SOURCE_UNREACHABLE', 'The source did not answer in time.', { detail: 'CONNECT_TIMEOUT' })
}

async function secure(socket: Socket, target: ConnectTarget): Promise<Socket> {
  socket.write(SSL_REQUEST)
  const answer = await once(socket, 'data')
  if (!isSslAccepted(answer)) {
    throw new TidemarkError('SOURCE_TLS_FAILED', 'The source does not speak TLS.', { detail: 'SSL_REFUSED' })
  }
  const [tls, net] = await Promise.all([import('node:tls'), import('node:net')])
  const own: PostgresTlsOptions = typeof target.tls === 'object' ? target.tls : {}
  const servername = own.servername ?? (net.isIP(target.host) === 0 ? target.host : undefined)
  const encrypted = tls.connect({
    socket,
    minVersion: 'TLSv1.2',
    rejectUnauthorized: target.tls !== 'insecure-no-verify',
    ...await tlsMaterial(own),
    // Node checks the certificate against `host` where there is no server name, as for an address.
    ...(servername === undefined ? { host: target.host } : { servername }),
  })
  await once(encrypted, 'secureConnect')
  return encrypted
}

async function tlsMaterial(own: PostgresTlsOptions): Promise<{ ca?: string[]; cert?: string; key?: string }> {
  return {
    ...(own.ca === undefined ? {} : { ca: [own.ca].flat() }),
    ...(own.cert === undefined ? {} : { cert: own.cert }),
    ...(own.key === undefined ? {} : { key: await makeSecret(own.key, 'tls.key').reveal() }),
  }
}

/** Workers give what happens to a socket no code; in Node each fault has one. By it the error is told apart from one of the driver's own. */
function nameFault(error: Error & { code?: unknown }): void {
  if (error instanceof TidemarkError) return
  error.code ??= 'CONNECTION_CLOSED'
}

/** Waits for one event of a socket; `error` and an early `close` reject. Leaves no listener behind. */
function once(socket: Socket, event: 'connect' | 'secureConnect' | 'data'): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const done = (settle: () => void): void => {
      socket.off(event, onEvent).off('error', onError).off('close', onClose)
      settle()
    }
    const onEvent = (value: unknown): void => done(() => resolve(value))
    const onError = (error: Error): void => done(() => reject(error))
    const onClose = (): void => done(() => reject(new TidemarkError('SOURCE_UNREACHABLE', 'The source closed the connection.', { detail: 'CONNECTION_CLOSED' })))
    socket.on(event, onEvent).on('error', onError).on('close', onClose)
  })
}

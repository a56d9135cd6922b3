import type { Socket } from 'node:net'
import { makeSecret, TidemarkError } from '@tidemark/core/adapter'
import type { ConnectTarget } from './connect-target.ts'
import type { PostgresTlsOptions } from './postgres-config.ts'
import type { ReadBuffers } from './read-buffers.ts'

/** PostgreSQL manual, 55.7: length 8, code 80877103. */
const SSL_REQUEST = Uint8Array.of(0, 0, 0, 8, 4, 210, 22, 47)
const SSL_ACCEPTED = 0x53

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
  // Imported late: on Workers this module is loaded but never called.
  const net = await import('node:net')
  // TLS takes the bytes of its socket itself.
  const reading = target.tls === 'disable' ? { onread: options.buffers.onRead(() => socket) } : {}
  const socket: Socket = net.connect({ ...(target.path === undefined ? { host: target.host, port: target.port } : { path: target.path }), ...reading })
  socket.setNoDelay(true)
  // Before any other listener, so that all of them see it.
  socket.on('error', nameFault)
  const stop = (): void => void socket.destroy(new TidemarkError('SOURCE_UNREACHABLE', 'The source did not answer in time.', { detail: 'CONNECT_TIMEOUT' }))
  const timer = setTimeout(stop, options.timeoutMs)
  options.signal.addEventListener('abort', stop, { once: true })
  try {
    await once(socket, 'connect')
    return target.tls === 'disable' ? socket : await secure(socket, target)
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    clearTimeout(timer)
    options.signal.removeEventListener('abort', stop)
  }
}

async function secure(socket: Socket, target: ConnectTarget): Promise<Socket> {
  socket.write(SSL_REQUEST)
  const answer = await once(socket, 'data')
  // Exactly one byte: anything behind it came in plaintext and would be taken for the server's (CVE-2021-23222).
  if (!(answer instanceof Uint8Array) || answer.length !== 1 || answer[0] !== SSL_ACCEPTED) {
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

import { connect, isIP, type Socket } from 'node:net'
import { checkServerIdentity, TLSSocket } from 'node:tls'
import { TidemarkError } from '@tidemark/core/adapter'
import type { ConnectionSettings } from './connection-settings.ts'

const KEEP_ALIVE_DELAY_MS = 60_000

/** Whether the certificate is to be checked against an address rather than a name. */
export function verifiesAddress(settings: ConnectionSettings): boolean {
  return settings.ssl?.['verifyIdentity'] === true && settings.socketPath === undefined && isIP(settings.host) !== 0
}

/**
 * mysql2 passes no server name for an address, and Node then checks the certificate against `localhost`, unless the
 * socket says what it was connected to. It keeps that in `_host`, and only for names; here it is kept for addresses too.
 */
export function connectAddressSocket(settings: ConnectionSettings): Socket {
  const socket = connect(settings.port, settings.host)
  socket.setNoDelay(true)
  socket.setKeepAlive(true, KEEP_ALIVE_DELAY_MS)
  return Object.assign(socket, { _host: settings.host })
}

/** The same check again on the finished connection: `_host` is not documented. Errors: `SOURCE_TLS_FAILED`. */
export function checkAddress(settings: ConnectionSettings, stream: unknown): void {
  if (!verifiesAddress(settings)) return
  const isVerified = stream instanceof TLSSocket && checkServerIdentity(settings.host, stream.getPeerCertificate(true)) === undefined
  if (!isVerified) throw new TidemarkError('SOURCE_TLS_FAILED', 'The certificate of the MySQL server is not for its address.')
}

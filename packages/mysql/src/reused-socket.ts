import { connect, type Socket } from 'node:net'
import type { MemoryPool } from '@tidemark/core/adapter'
import type { ConnectionSettings } from './connection-settings.ts'

/** As much as Node reads from a socket at a time. */
export const READ_BYTES = 65_536
const KEEP_ALIVE_DELAY_MS = 60_000

/**
 * A socket that reads into memory of the pool, and is otherwise the one that mysql2 would open. Not for TLS, which takes the bytes of its socket
 * itself.
 */
export function connectReusedSocket({ socketPath, host, port }: ConnectionSettings, pool: MemoryPool): Socket {
  const onread = {
    buffer: () => Buffer.from(pool.take()),
    callback: (length: number, buffer: Uint8Array): boolean => socket.emit('data', buffer.subarray(0, length)) || true,
  }
  const socket: Socket = connect({ ...(socketPath === undefined ? { host, port } : { path: socketPath }), onread })
  if (socketPath !== undefined) return socket
  socket.setNoDelay(true)
  socket.setKeepAlive(true, KEEP_ALIVE_DELAY_MS)
  return socket
}

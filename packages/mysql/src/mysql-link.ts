import type { Socket } from 'node:net'
import { host } from '#host'
import { createConnection } from 'mysql2'
import { MemoryPool, TidemarkError } from '@tidemark/core/adapter'
import { checkAddress, connectAddressSocket, verifiesAddress } from './address-socket.ts'
import { aborted, bounded, type BoundOptions } from './bounded.ts'
import type { ConnectionSettings } from './connection-settings.ts'
import { errnoOf, toMysqlError } from './errors.ts'
import { PacketTap, type TappedConnection } from './packet-tap.ts'
import { readTextRows } from './read-text-rows.ts'
import { connectReusedSocket, READ_BYTES } from './reused-socket.ts'

/** The subset of a mysql2 connection that is used. */
interface DriverConnection extends TappedConnection {
  /** Replaced when TLS begins. */
  readonly stream: { pause(): unknown; resume(): unknown; destroy(): unknown; once(event: 'close', listener: () => void): unknown }
  readonly threadId: number | null
  query(options: { readonly sql: string }, callback: (error: unknown) => void): unknown
  on(event: 'error' | 'end', listener: (error: unknown) => void): unknown
  once(event: 'connect', listener: () => void): unknown
  end(callback: () => void): void
  destroy(): void
}

export interface RunOptions extends BoundOptions {
  /** Server errors that leave the connection in order, such as a lock that was refused. */
  readonly expectedErrnos?: readonly number[] | undefined
}

export interface OpenOptions {
  readonly signal?: AbortSignal | undefined
  readonly connectTimeoutMs: number
  /** Told the server's thread of a statement that was given up on: the server goes on with it, for it only notices when it writes. */
  readonly onAbandon?: ((threadId: number) => void) | undefined
}

/** A server that does not take leave in this time is left without. */
const CLOSE_TIMEOUT_MS = 1000
/** What may wait in a queue of rows, several times. */
const MAX_FREE_BYTES = 1 << 22

/** A cell as the server printed it. */
export type TextCell = string | null

/**
 * One physical connection. Any error but an expected one destroys it: what the protocol's state is after an error
 * is not worth guessing.
 */
export class MysqlLink {
  readonly #connection: DriverConnection
  readonly #tap: PacketTap
  readonly #reads: MemoryPool
  readonly #onAbandon: ((threadId: number) => void) | undefined
  /** Ends the statement that the server is at; `undefined`: it is at none. */
  #giveUp: ((error: unknown) => void) | undefined
  #isUsable = true

  private constructor(connection: DriverConnection, options: OpenOptions, reads: MemoryPool) {
    this.#connection = connection
    this.#reads = reads
    this.#onAbandon = options.onAbandon
    this.#tap = new PacketTap(connection)
    connection.on('error', (error) => this.#retire(error))
    connection.on('end', () => {
      this.#isUsable = false
    })
  }

  /** Errors: `SOURCE_UNREACHABLE`, `SOURCE_AUTH_FAILED`, `SOURCE_TLS_FAILED`, `SOURCE_BUSY`, `NOT_SUPPORTED` for TLS from a Worker, `ABORTED`. */
  static async open(settings: ConnectionSettings, options: OpenOptions): Promise<MysqlLink> {
    const { signal, connectTimeoutMs } = options
    if (signal?.aborted === true) throw aborted()
    if (settings.ssl !== undefined && !host.beginsTlsLate) throw noTls()
    const reads = new MemoryPool({ size: READ_BYTES, maxFreeBytes: MAX_FREE_BYTES })
    const connection = createDriverConnection(settings, reads)
    try {
      await bounded(whenConnected(connection), { signal, timeoutMs: connectTimeoutMs, late: notConnected })
      checkAddress(settings, connection.stream)
      return new MysqlLink(connection, options, reads)
    } catch (error) {
      discard(connection)
      throw error
    }
  }

  get isUsable(): boolean {
    return this.#isUsable
  }

  /** The server's number of this connection; `null` before it is known. */
  get threadId(): number | null {
    return this.#connection.threadId
  }

  /**
   * Sends one statement; row packets go to `receive` as they arrive. Settles within moments of an abort, because
   * the socket is destroyed rather than waited for. Errors: those of {@link toMysqlError}, `ABORTED`, `TIMEOUT`.
   */
  async run(sql: string, receive: (chunk: Buffer) => void, options: RunOptions = {}): Promise<void> {
    if (options.signal?.aborted === true) throw aborted()
    // Between two statements of one call; the driver would give an error without a code.
    if (!this.#isUsable) throw new TidemarkError('SOURCE_UNREACHABLE', 'The connection to the MySQL server broke.')
    try {
      await bounded(this.#send(sql, receive), options)
    } catch (error) {
      if (!isExpected(error, options)) this.destroy()
      throw error
    }
  }

  /** Nobody needs what is in a chunk of rows any more: its memory is read into again. Where this is never called, each read has memory of its own. */
  recycle(chunk: Uint8Array): void {
    this.#reads.recycle(chunk)
  }

  /** All rows of a small result, such as a catalogue's. */
  async rows(sql: string, options: RunOptions = {}): Promise<readonly (readonly TextCell[])[]> {
    const chunks: Buffer[] = []
    await this.run(sql, (chunk) => chunks.push(chunk), options)
    return readTextRows(Buffer.concat(chunks))
  }

  /** Stops reading the socket, so that the server waits: its send buffer fills and it blocks in a write. */
  pause(): void {
    this.#connection.stream.pause()
  }

  resume(): void {
    this.#connection.stream.resume()
  }

  /** Ends the connection at once, and a statement under way with `CLOSED`. */
  destroy(): void {
    const { threadId } = this.#connection
    const giveUp = this.#giveUp
    if (giveUp !== undefined && this.#isUsable && threadId !== null) this.#onAbandon?.(threadId)
    this.#isUsable = false
    discard(this.#connection)
    this.#finish()
    giveUp?.(new TidemarkError('CLOSED', 'The MySQL connection was closed under the statement.'))
  }

  /** Takes leave of the server, so that it does not count an aborted connection. Never fails. */
  async close(): Promise<void> {
    if (!this.#isUsable || this.#giveUp !== undefined) return this.destroy()
    this.#isUsable = false
    const { stream } = this.#connection
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, CLOSE_TIMEOUT_MS)
      stream.once('close', () => {
        clearTimeout(timer)
        resolve()
      })
      // A paused socket never sees that the server has closed.
      stream.resume()
      this.#connection.end(() => {})
    })
    discard(this.#connection)
  }

  #send(sql: string, receive: (chunk: Buffer) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#giveUp = reject
      this.#tap.begin(guard(receive, reject))
      this.#connection.query({ sql }, (error) => {
        this.#finish()
        if (error === null || error === undefined) resolve()
        else reject(toMysqlError(error, 'query'))
      })
    })
  }

  #finish(): void {
    this.#giveUp = undefined
  }

  /** The connection broke: the driver does not tell the statement in every case. */
  #retire(error: unknown): void {
    const giveUp = this.#giveUp
    this.#isUsable = false
    this.#finish()
    giveUp?.(toMysqlError(error, 'query'))
  }
}

/** The driver's `destroy()` only ends its side: a server that is silent would keep the socket, and the process, for ever. */
function discard(connection: DriverConnection): void {
  connection.destroy()
  connection.stream.destroy()
}

function whenConnected(connection: DriverConnection): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.once('connect', resolve)
    // Stays attached: an error event without a listener would end the process.
    connection.on('error', (error) => {
      discard(connection)
      reject(toMysqlError(error, 'connect'))
    })
  })
}

/** A throwing receiver ends the statement instead of breaking the driver's data handler. */
function guard(receive: (chunk: Buffer) => void, reject: (error: unknown) => void): (chunk: Buffer) => void {
  let hasFailed = false
  return (chunk) => {
    if (hasFailed) return
    try {
      receive(chunk)
    } catch (error) {
      hasFailed = true
      reject(error)
    }
  }
}

function isExpected(error: unknown, options: RunOptions): boolean {
  const errno = errnoOf(error)
  return errno !== undefined && (options.expectedErrnos ?? []).includes(errno)
}

function createDriverConnection(settings: ConnectionSettings, reads: MemoryPool): DriverConnection {
  const { ssl, ...rest } = settings
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined))
  try {
    // The typings leave out `packetParser` and `sequenceId`, which every release since 2.0 has; checked below.
    const connection = createConnection({
      ...given, ...streamOf(settings, reads), ...(ssl === undefined ? {} : { ssl: { ...ssl } }), ...DRIVER_OPTIONS,
    }) as unknown as DriverConnection
    if (typeof connection.packetParser?.execute === 'function') return connection
    discard(connection)
  } catch (error) {
    throw toMysqlError(error, 'connect')
  }
  throw new TidemarkError('NOT_SUPPORTED', 'This release of mysql2 is built differently from those that are known.', { remedy: 'Use mysql2 3.11 or a later 3.x.' })
}

function streamOf(settings: ConnectionSettings, reads: MemoryPool): { readonly stream?: () => Socket } {
  if (settings.ssl === undefined) return host.readsIntoGivenMemory ? { stream: () => connectReusedSocket(settings, reads) } : {}
  return verifiesAddress(settings) ? { stream: () => connectAddressSocket(settings) } : {}
}

/** Values are decoded from the server's text here; the rest keeps mysql2 from doing more than it is asked to. */
const DRIVER_OPTIONS = {
  charset: 'utf8mb4_general_ci',
  multipleStatements: false,
  rowsAsArray: true,
  supportBigNumbers: true,
  bigNumberStrings: true,
  dateStrings: true,
  jsonStrings: true,
  decimalNumbers: false,
  // It makes code for the rows of each result, which it never sees here, and which Workers refuse.
  disableEval: true,
  // The server can ask a client for any local file.
  flags: ['-LOCAL_FILES'],
  enableKeepAlive: true,
  // The limit is kept here: the driver calls its own off at errors that it then does not tell.
  connectTimeout: 0,
}

function notConnected(): TidemarkError {
  return new TidemarkError('SOURCE_UNREACHABLE', 'The MySQL server did not take the connection within the time limit.', { detail: 'ETIMEDOUT' })
}

function noTls(): TidemarkError {
  return new TidemarkError('NOT_SUPPORTED', 'A Worker can not begin TLS on a connection to a MySQL server.', {
    remedy: 'Set `tls: \'disable\'` where the way to the server is private, such as a tunnel, or copy from a host with Node.',
  })
}

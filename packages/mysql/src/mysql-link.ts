import { createConnection } from 'mysql2'
import { TidemarkError } from '@tidemark/core/adapter'
import { checkAddress, connectAddressSocket, verifiesAddress } from './address-socket.ts'
import type { ConnectionSettings } from './connection-settings.ts'
import { errnoOf, toMysqlError } from './errors.ts'
import { PacketTap, type TappedConnection } from './packet-tap.ts'
import { readTextRows } from './read-text-rows.ts'

/** The subset of a mysql2 connection that is used. */
interface DriverConnection extends TappedConnection {
  readonly stream: { pause(): unknown; resume(): unknown }
  readonly threadId: number | null
  query(options: { readonly sql: string }, callback: (error: unknown) => void): unknown
  on(event: 'error' | 'end', listener: () => void): unknown
  once(event: 'connect' | 'error', listener: (value: unknown) => void): unknown
  end(callback: () => void): void
  destroy(): void
}

export interface RunOptions {
  readonly signal?: AbortSignal | undefined
  /** `undefined`: no limit. */
  readonly timeoutMs?: number | undefined
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

/** A cell as the server printed it. */
export type TextCell = string | null

/**
 * One physical connection. Any error but an expected one destroys it: what the protocol's state is after an error
 * is not worth guessing.
 */
export class MysqlLink {
  readonly #connection: DriverConnection
  readonly #tap: PacketTap
  readonly #onAbandon: ((threadId: number) => void) | undefined
  #isRunning = false
  #isUsable = true

  private constructor(connection: DriverConnection, options: OpenOptions) {
    this.#connection = connection
    this.#onAbandon = options.onAbandon
    this.#tap = new PacketTap(connection)
    const retire = (): void => {
      this.#isUsable = false
    }
    connection.on('error', retire)
    connection.on('end', retire)
  }

  /** Errors: `SOURCE_UNREACHABLE`, `SOURCE_AUTH_FAILED`, `SOURCE_TLS_FAILED`, `SOURCE_BUSY`, `ABORTED`. */
  static async open(settings: ConnectionSettings, options: OpenOptions): Promise<MysqlLink> {
    const { signal } = options
    if (signal?.aborted === true) throw aborted()
    const connection = createDriverConnection(settings, options.connectTimeoutMs)
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => {
        connection.destroy()
        reject(aborted())
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      connection.once('connect', () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      })
      // Stays attached: an error event without a listener would end the process.
      connection.on('error', (...args: readonly unknown[]) => {
        signal?.removeEventListener('abort', onAbort)
        connection.destroy()
        reject(toMysqlError(args[0], 'connect'))
      })
    })
    try {
      checkAddress(settings, connection.stream)
    } catch (error) {
      connection.destroy()
      throw error
    }
    return new MysqlLink(connection, options)
  }

  get isUsable(): boolean {
    return this.#isUsable
  }

  /**
   * Sends one statement; row packets go to `receive` as they arrive. Settles within moments of an abort, because
   * the socket is destroyed rather than waited for. Errors: those of {@link toMysqlError}, `ABORTED`, `TIMEOUT`.
   */
  async run(sql: string, receive: (chunk: Buffer) => void, options: RunOptions = {}): Promise<void> {
    const { signal, timeoutMs } = options
    if (signal?.aborted === true) throw aborted()
    let timer: ReturnType<typeof setTimeout> | undefined
    let onAbort = (): void => {}
    this.#isRunning = true
    try {
      await new Promise<void>((resolve, reject) => {
        onAbort = (): void => reject(aborted())
        signal?.addEventListener('abort', onAbort, { once: true })
        if (timeoutMs !== undefined) timer = setTimeout(() => reject(tooSlow(timeoutMs)), timeoutMs)
        this.#tap.begin(guard(receive, reject))
        this.#connection.query({ sql }, (error) => {
          this.#isRunning = false
          if (error === null || error === undefined) resolve()
          else reject(toMysqlError(error, 'query'))
        })
      })
    } catch (error) {
      if (!isExpected(error, options)) this.destroy()
      throw error
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
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

  destroy(): void {
    const { threadId } = this.#connection
    if (this.#isRunning && this.#isUsable && threadId !== null) this.#onAbandon?.(threadId)
    this.#isRunning = false
    this.#isUsable = false
    this.#connection.destroy()
  }

  /** Takes leave of the server, so that it does not count an aborted connection. Never fails. */
  async close(): Promise<void> {
    if (!this.#isUsable) return
    this.#isUsable = false
    let timer: ReturnType<typeof setTimeout> | undefined
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_TIMEOUT_MS)
      this.#connection.end(() => resolve())
    })
    clearTimeout(timer)
    this.#connection.destroy()
  }
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

function createDriverConnection(settings: ConnectionSettings, connectTimeoutMs: number): DriverConnection {
  const { ssl, ...rest } = settings
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined))
  try {
    // The typings leave out `packetParser` and `sequenceId`, which every release since 2.0 has; checked below.
    const connection = createConnection({
      ...given, ...(verifiesAddress(settings) ? { stream: () => connectAddressSocket(settings) } : {}), ...(ssl === undefined ? {} : { ssl: { ...ssl } }), ...DRIVER_OPTIONS, connectTimeout: connectTimeoutMs,
    }) as unknown as DriverConnection
    if (typeof connection.packetParser?.execute === 'function') return connection
    connection.destroy()
  } catch (error) {
    throw toMysqlError(error, 'connect')
  }
  throw new TidemarkError('NOT_SUPPORTED', 'This release of mysql2 is built differently from those that are known.', { remedy: 'Use mysql2 3.11 or a later 3.x.' })
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
  // The server can ask a client for any local file.
  flags: ['-LOCAL_FILES'],
  enableKeepAlive: true,
}

export function aborted(): TidemarkError {
  return new TidemarkError('ABORTED', 'The operation was ended by its signal.')
}

function tooSlow(timeoutMs: number): TidemarkError {
  return new TidemarkError('TIMEOUT', `The MySQL server did not answer within ${timeoutMs} ms.`)
}

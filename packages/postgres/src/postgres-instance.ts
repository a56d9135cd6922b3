import type { Socket } from 'node:net'
import { TidemarkError } from '@tidemark/core/adapter'
import postgres from 'postgres'
import type { ConnectTarget } from './connect-target.ts'
import { CopyTap } from './copy-tap.ts'
import { openSocket } from './open-socket.ts'
import { ReadBuffers } from './read-buffers.ts'
import { startupParameters, type Pinning, type SessionOptions } from './session-parameters.ts'

/** The types that postgres.js would parse. Taken over with the identity, so that every value stays the server's text. */
const PARSED_BY_DEFAULT = [16, 17, 20, 21, 23, 26, 114, 700, 701, 1082, 1114, 1184, 3802]

export interface InstanceOptions extends SessionOptions {
  readonly connectTimeoutMs: number
  readonly pinning: Pinning
  /** A connection that can stream the log of its database. It runs simple queries only. */
  readonly replicates?: boolean | undefined
}

/**
 * One postgres.js instance over one socket. Its connection is never opened a second time: what postgres.js keeps over
 * a reconnect (row counters, half results) is what corrupts results (porsager/postgres#1181), so a new connection is
 * always a new instance.
 */
export class PostgresInstance {
  readonly sql: postgres.Sql
  readonly #abort = new AbortController()
  readonly #buffers = new ReadBuffers()
  #socket: Socket | undefined
  #tap: CopyTap | undefined
  #onRows: (chunk: Uint8Array) => void = () => undefined
  #opened = false
  #closed = false

  constructor(target: ConnectTarget, password: string | undefined, options: InstanceOptions) {
    this.sql = makeSql(target, { ...options, password, socket: () => this.#open(target, options), onclose: () => this.#closed = true })
  }

  /** Whether the connection has ended, by whichever side. */
  get closed(): boolean {
    return this.#closed
  }

  /** Whether the server accepted the connection and told about itself. */
  get greeted(): boolean {
    const reported: Readonly<Record<string, unknown>> = { ...this.sql.parameters }
    return reported['server_version'] !== undefined
  }

  /** From now on the rows of a COPY go to `onRows`; see {@link CopyTap}. Call it while no query is under way. */
  tapCopy(onRows: (chunk: Uint8Array) => void): CopyTap {
    this.#onRows = onRows
    if (this.#tap !== undefined) return this.#tap
    if (this.#socket === undefined) throw new TidemarkError('SOURCE_UNREACHABLE', 'The source closed the connection.', { detail: 'CONNECTION_CLOSED' })
    return this.#tap = new CopyTap(this.#socket, (chunk) => this.#onRows(chunk))
  }

  /** The socket beneath, open. Errors: `SOURCE_UNREACHABLE`. */
  socket(): Socket {
    if (this.#socket === undefined || this.#closed) throw new TidemarkError('SOURCE_UNREACHABLE', 'The source closed the connection.', { detail: 'CONNECTION_CLOSED' })
    return this.#socket
  }

  /** The consumer of a COPY is done with a chunk that it was given. */
  recycle(chunk: Uint8Array): void {
    this.#buffers.recycle(chunk)
  }

  /** Closes at once, without waiting for the server or for the driver, whose `end()` may never settle. */
  destroy(): void {
    this.#closed = true
    this.#abort.abort()
    this.sql.end({ timeout: 0 }).catch(() => undefined)
    this.#socket?.destroy()
  }

  /** Says goodbye to the server and closes. */
  async close(): Promise<void> {
    if (this.#closed || this.#socket === undefined) return this.destroy()
    const socket = this.#socket
    const gone = new Promise<void>((resolve) => void socket.once('close', () => resolve()))
    this.#closed = true
    this.sql.end({ timeout: 1 }).catch(() => undefined)
    await gone.finally(this.#destroyAfter(GOODBYE_MS))
    this.#abort.abort()
  }

  /** Bounds a wait for the socket: destroys it when time is up. Gives the function that calls it off. */
  #destroyAfter(delayMs: number): () => void {
    const timer = setTimeout(() => this.#socket?.destroy(), delayMs)
    return () => clearTimeout(timer)
  }

  async #open(target: ConnectTarget, options: InstanceOptions): Promise<Socket> {
    if (this.#opened) throw new TidemarkError('SOURCE_UNREACHABLE', 'The source closed the connection.', { detail: 'CONNECTION_CLOSED' })
    this.#opened = true
    const socket = await openSocket(target, { timeoutMs: options.connectTimeoutMs, signal: this.#abort.signal, buffers: this.#buffers })
    if (this.#closed) socket.destroy()
    return this.#socket = socket
  }
}

const GOODBYE_MS = 1000

/**
 * A stream gives money as it is written in the session, which then is the same everywhere. What the server leaves out of a stream for want of a publication it
 * only warns of.
 */
const REPLICATION = { replication: 'database', lc_monetary: 'C', client_min_messages: 'warning' }

interface SqlOptions extends InstanceOptions {
  readonly password: string | undefined
  readonly socket: () => Promise<Socket>
  readonly onclose: () => void
}

/** Names every option that postgres.js would otherwise take from `PG*` variables of the environment. */
function makeSql(target: ConnectTarget, options: SqlOptions): postgres.Sql {
  const driverOptions = {
    host: target.host,
    port: target.port,
    user: target.user,
    // An empty password would be looked up in PGPASSWORD; a function is taken as it is.
    pass: () => options.password ?? '',
    database: target.database,
    ssl: false,
    socket: options.socket,
    max: 1,
    prepare: true,
    fetch_types: false,
    types: { text: { to: 25, from: PARSED_BY_DEFAULT, serialize: String, parse: (text: string) => text } },
    connection: { ...startupParameters(options.pinning, options), ...(options.replicates === true ? REPLICATION : {}), ...(target.options === undefined ? {} : { options: target.options }) },
    connect_timeout: Math.ceil(options.connectTimeoutMs / 1000),
    idle_timeout: 0,
    max_lifetime: null,
    max_pipeline: 1,
    backoff: false,
    keep_alive: 60,
    debug: false,
    publications: '',
    onnotice: () => undefined,
    onclose: options.onclose,
  }
  // `socket` and a function as `pass` are read by the driver but missing from its types.
  return postgres<Record<string, postgres.PostgresType>>(driverOptions as unknown as postgres.Options<Record<string, postgres.PostgresType>>)
}

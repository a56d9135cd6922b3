import type { Readable } from 'node:stream'
import { TidemarkError, type AbortOptions } from '@tidemark/core/adapter'
import { bounded } from '../bounded.ts'
import { mapPostgresError } from '../errors.ts'
import type { PostgresInstance } from '../postgres-instance.ts'
import type { PostgresSession } from '../postgres-session.ts'
import { quoteIdentifier, quoteLiteral } from '../quote.ts'
import { parseLsn, type Lsn } from './lsn.ts'
import { ask, openReplication } from './open-replication.ts'
import { freeSlot, OBJECT_IN_USE, readSlot, slotInUse } from './replication-slot.ts'
import { ReplicationStream, type LogItems } from './replication-stream.ts'
import type { StreamSettings } from './stream-settings.ts'
import { StreamedLog } from './streaming/streamed-log.ts'

const UNDEFINED_OBJECT = '42704'

export interface SlotStreamOptions extends AbortOptions {
  /** The server's process of the stream before this one, which may not have noticed yet that we are gone. */
  readonly oldPid: number | undefined
  readonly senderTimeoutMs: number
  readonly confirmed: Lsn
  /** What is durable, and may not have reached the server. */
  readonly durable: Lsn
  readonly onArrival: () => void
}

/** The stream of a slot, which is ours as long as it is open. */
export class SlotStream {
  readonly replication: ReplicationStream
  readonly pid: number
  /** Where it begins. */
  readonly confirmed: Lsn
  readonly #slot: string
  readonly #isTemporary: boolean
  readonly #streamed: StreamedLog | undefined

  private constructor({ slot, isTemporary, streaming }: StreamSettings, stream: { readonly replication: ReplicationStream; readonly pid: number; readonly confirmed: Lsn }) {
    this.#slot = slot
    this.#isTemporary = isTemporary
    this.replication = stream.replication
    this.pid = stream.pid
    this.confirmed = stream.confirmed
    this.#streamed = streaming === undefined ? undefined : new StreamedLog(stream.replication, streaming)
  }

  /**
   * Begins where the slot stands, never elsewhere: the server goes forward in silence from a place that is too early. What has been
   * delivered already is left out here. Errors: `LEASE_HELD` while another process has the slot, `SOURCE_*`.
   */
  static async open(session: PostgresSession, settings: StreamSettings, options: SlotStreamOptions): Promise<SlotStream> {
    const connection = await openReplication(session, options)
    let replication: ReplicationStream | undefined
    try {
      const confirmed = settings.isTemporary ? await createTemporary(connection.instance, settings, { signal: options.signal, timeoutMs: session.queryTimeoutMs }) : options.confirmed
      replication = new ReplicationStream(connection.instance, { senderTimeoutMs: options.senderTimeoutMs, now: settings.now, onArrival: options.onArrival })
      const stream = await bounded(connection.instance.sql.unsafe(startText(settings)), { signal: options.signal, timeoutMs: session.queryTimeoutMs })
      // A statement that answers with CopyBothResponse resolves to its stream.
      replication.follow(stream as unknown as Readable)
      replication.begin(options.durable)
      return new SlotStream(settings, { replication, pid: connection.pid, confirmed })
    } catch (error) {
      connection.instance.destroy()
      // The stream ends at an error, and may do so before the driver has told of it.
      throw await explain(replication?.failure ?? mapPostgresError(error), { session, settings, options })
    }
  }

  /** What it brings, transaction by transaction. */
  get items(): LogItems {
    return this.#streamed ?? this.replication
  }

  get isOpen(): boolean {
    return this.replication.failure === undefined
  }

  /** Returns once the slot is free, or the server was told to end the process that has it. After a failure that is for the next stream to see to. */
  async close(session: PostgresSession): Promise<void> {
    const hasFailed = !this.isOpen
    await this.replication.close()
    if (!hasFailed && !this.#isTemporary) await this.#untilFree(session, { signal: AbortSignal.timeout(CLOSE_MS) }).catch(() => undefined)
    // Last: the slot does not wait for a disk.
    await this.#streamed?.close()
  }

  async #untilFree(session: PostgresSession, options: AbortOptions): Promise<void> {
    for (let looks = 0; looks < MAX_LOOKS; looks += 1) {
      const slot = await readSlot(session, this.#slot, options)
      if (slot?.activePid !== this.pid) return
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
    await freeSlot(session, this.#slot, this.pid, options)
  }
}

/** Together half a second. */
const MAX_LOOKS = 20
const LOOK_MS = 25
/** Closing waits no longer than this for a server that does not answer. */
const CLOSE_MS = 2_000

/** Waits until all transactions that write just now have ended. Where it begins. */
async function createTemporary(instance: PostgresInstance, { slot }: StreamSettings, bound: AbortOptions & { readonly timeoutMs: number }): Promise<Lsn> {
  const [row] = await ask(instance, `CREATE_REPLICATION_SLOT ${quoteIdentifier(slot)} TEMPORARY LOGICAL pgoutput NOEXPORT_SNAPSHOT`, bound)
  return parseLsn(row?.[1])
}

function startText({ slot, publication, origin, streaming, messages }: StreamSettings): string {
  // Older servers do not know the option, and have nothing to leave out by default.
  const only = origin === 'none' ? ', origin \'none\'' : ''
  const protocol = streaming === undefined ? 'proto_version \'1\'' : 'proto_version \'2\', streaming \'on\''
  return `START_REPLICATION SLOT ${quoteIdentifier(slot)} LOGICAL 0/0 (${protocol}, publication_names ${quoteLiteral(quoteIdentifier(publication))}${only}${messages === undefined ? '' : ', messages \'true\''})`
}

interface Failed {
  readonly session: PostgresSession
  readonly settings: StreamSettings
  readonly options: SlotStreamOptions
}

async function explain(error: TidemarkError, { session, settings: { slot }, options }: Failed): Promise<TidemarkError> {
  // Dropped or given up since it was looked at: the next try finds out.
  if (error.detail === UNDEFINED_OBJECT || error.detail === '55000') return busy(error, 'The replication slot is not as it was a moment ago.')
  if (error.detail !== OBJECT_IN_USE) return error
  const { oldPid } = options
  if (oldPid !== undefined && await freeSlot(session, slot, oldPid, {}).catch(() => false)) return busy(error, 'The server still holds the replication slot for the connection that broke.')
  return slotInUse(slot, error)
}

function busy(error: TidemarkError, message: string): TidemarkError {
  return new TidemarkError('SOURCE_BUSY', message, { detail: error.detail, cause: error.cause })
}

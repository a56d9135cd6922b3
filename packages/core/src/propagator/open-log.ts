import type { LogPosition } from '../change/log-position.ts'
import type { ChangeConnection, ChangeSource, ChangeTable } from '../dialect/change-source.ts'
import { TidemarkError } from '../errors/tidemark-error.ts'
import { DescribedTables } from './described-tables.ts'
import type { PropagatorContext } from './propagator-context.ts'
import { RetainedPlace } from './retained-place.ts'
import { SharedLog } from './shared-log.ts'

/** Between two notes of a peer's place, in milliseconds: each costs the source a small write. */
const RETAIN_INTERVAL_MS = 1_000

/** The source's log, open for all peers. */
export class OpenLog implements AsyncDisposable {
  readonly connection: ChangeConnection
  readonly shared: SharedLog
  readonly tables = new DescribedTables()
  readonly #context: PropagatorContext
  readonly #places = new Map<string, RetainedPlace>()
  readonly #retained = new Map<string, { readonly atMs: number; readonly position: LogPosition }>()

  private constructor(connection: ChangeConnection, context: PropagatorContext, signal: AbortSignal) {
    this.connection = connection
    this.#context = context
    this.shared = new SharedLog(connection, signal)
  }

  /** Errors: the source's. */
  static async open(source: ChangeSource, context: PropagatorContext, signal: AbortSignal): Promise<OpenLog> {
    const connection = await source.connect({ signal, tables: context.settings.tables })
    try {
      const log = new OpenLog(connection, context, signal)
      await log.describe()
      return log
    } catch (error) {
      await connection[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Looks at the tables again. Errors: `TABLE_UNKNOWN` for one that was asked for and is not captured. */
  async describe(): Promise<readonly ChangeTable[]> {
    const captured = await this.connection.tables()
    const { tables } = this.#context.settings
    const unknown = tables?.find((name) => !captured.some((table) => table.name === name))
    if (unknown !== undefined) throw new TidemarkError('TABLE_UNKNOWN', `The source does not capture a table '${unknown}'.`)
    this.tables.current = captured
    return captured.filter(({ name }) => tables === undefined || tables.includes(name))
  }

  /** Notes where a peer is, so that what it needs is not purged; at once or when it is time. Nothing is lost when another process does it. */
  async retain(consumer: string, position: LogPosition, { atOnce = false } = {}): Promise<void> {
    const nowMs = this.#context.runtime.now()
    const last = this.#retained.get(consumer)
    if (!atOnce && last !== undefined && (nowMs - last.atMs < RETAIN_INTERVAL_MS || last.position.sequence === position.sequence)) return
    this.#retained.set(consumer, { atMs: nowMs, position })
    await this.#place(consumer).note(position)
    await this.connection.purge()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const place of this.#places.values()) await place[Symbol.asyncDispose]()
    await this.connection[Symbol.asyncDispose]()
  }

  #place(consumer: string): RetainedPlace {
    const known = this.#places.get(consumer)
    if (known !== undefined) return known
    const { settings: { leaseTtlMs: ttlMs }, runtime } = this.#context
    const place = new RetainedPlace(this.connection, { consumer, ttlMs, runtime })
    this.#places.set(consumer, place)
    return place
  }
}

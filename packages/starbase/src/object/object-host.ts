import { DurableObjectAlarms } from '@tidemark/cloudflare'
import { TidemarkError } from '@tidemark/core'
import { toTidemarkError } from '@tidemark/core/adapter'
import { problemAnswer } from '@tidemark/http'
import type { ObjectContext } from '../object-contract.ts'
import { includesScope, type StarbaseScope } from '../starbase-scope.ts'
import { cdcSocket } from './cdc-socket.ts'
import type { CdcSelection } from './cdc-selection.ts'
import { compose, type Composition } from './compose.ts'
import type { TidemarkOptions } from './tidemark-options.ts'

const ALARMS = 'tidemark:alarms'
/** What StarbaseDB itself waits for: its cron plugin. */
const STARBASE = 'starbase'
const REPLICATE = 'replicate'
const EXPORTS = 'exports'
const PROPAGATE = 'propagate'
const PURGE = 'purge'

/** An alarm takes up what the request leaves, or leaves behind when it is cut. */
const EXPORT_DELAY_MS = 2_000
/** Writes are sent on at once by who wrote them; an alarm sends what these could not. */
const PROPAGATE_DELAY_MS = 5_000
/** The log grows between two of these beyond what is to be kept. */
const PURGE_DELAY_MS = 3_600_000
const FLUSH_BUDGET_MS = 20_000
const MAX_TICKETS = 100

export interface ObjectHostOptions {
  readonly context: ObjectContext
  readonly options: TidemarkOptions
  /** What the object did at its alarm before there were others. */
  readonly alarm: () => Promise<void>
}

/** Tidemark inside of the object. */
export class ObjectHost {
  readonly #context: ObjectContext
  readonly #alarms: DurableObjectAlarms
  readonly #scopes = new WeakMap<Request, StarbaseScope>()
  readonly #tickets = new Map<string, CdcSelection>()
  readonly #composition: Composition
  /** Whether something was written since the last flush began. */
  #isBehind = true
  /** Jobs that a write has asked for, until they are called. */
  readonly #woken = new Set<string>()

  /** Errors: `CONFIG_INVALID`. */
  constructor({ context, options, alarm }: ObjectHostOptions) {
    this.#context = context
    this.#composition = compose(context, options, (request, scope) => includesScope(this.#scopes.get(request) ?? 'none', scope))
    this.#alarms = new DurableObjectAlarms(context.storage, {
      [STARBASE]: async () => {
        await alarm()
        return undefined
      },
      [REPLICATE]: () => this.#replicate(),
      [EXPORTS]: () => this.#export(),
      [PROPAGATE]: () => this.#propagate(),
      [PURGE]: () => this.#purge(),
    }, { key: ALARMS, onError: (job, error) => this.#composition.logger.warn({ job, code: toTidemarkError(error).code }, 'A job of the alarm failed; it comes again.') })
    // What is due is told by what is stored; which replications there are, by the options of this release.
    if (this.#composition.replicator !== undefined) this.#wakeOnce(REPLICATE, 0)
  }

  /** Never rejects: what goes wrong is a problem of RFC 9457. */
  async handle(request: Request, scope: StarbaseScope): Promise<Response> {
    try {
      const { handler, exporter, replicator } = this.#composition
      if (exporter !== undefined && scope !== 'none' && beginsExport(request)) await this.#alarms.wakeAt(EXPORTS, Date.now() + EXPORT_DELAY_MS)
      this.#scopes.set(request, scope)
      const answer = await handler(request)
      // What was configured or started may be due now.
      if (replicator !== undefined && scope !== 'none' && changesReplication(request)) await this.#alarms.wakeAt(REPLICATE, Date.now())
      return answer
    } catch (error) {
      return problemAnswer(error)
    }
  }

  ticket(selection: CdcSelection): string {
    const ticket = crypto.randomUUID()
    this.#tickets.set(ticket, selection)
    // Of a request that was cut between the two.
    for (const [oldest] of [...this.#tickets].slice(0, -MAX_TICKETS)) this.#tickets.delete(oldest)
    return ticket
  }

  async socket(ticket: string): Promise<Response> {
    try {
      const selection = this.#tickets.get(ticket)
      this.#tickets.delete(ticket)
      if (selection === undefined) throw new TidemarkError('REQUEST_UNAUTHORIZED', 'The ticket is not known here.')
      const { stream } = this.#composition
      if (stream === undefined) throw new TidemarkError('ROUTE_UNKNOWN', 'No changes are captured here.')
      return await cdcSocket(stream, selection)
    } catch (error) {
      return problemAnswer(error)
    }
  }

  /** Runs a statement of the application's. Whether it writes is told by the database, not by its text. */
  async watched<T>(execute: () => Promise<T>): Promise<T> {
    const before = this.#totalChanges()
    try {
      return await execute()
    } finally {
      if (this.#totalChanges() !== before) this.#written()
    }
  }

  /** What could not be sent is left to the alarm. */
  async flush(): Promise<void> {
    const { propagator, logger } = this.#composition
    if (propagator === undefined || !this.#isBehind) return
    this.#isBehind = false
    try {
      const { nextAtMs } = await propagator.flush({ budgetMs: FLUSH_BUDGET_MS })
      if (nextAtMs !== undefined) await this.#alarms.wakeAt(PROPAGATE, nextAtMs)
    } catch (error) {
      this.#isBehind = true
      logger.warn({ code: toTidemarkError(error).code }, 'Writes were not sent on; an alarm does it.')
    }
  }

  /** An alarm that was set before there were others is StarbaseDB's. */
  async alarm(): Promise<void> {
    if (await this.#context.storage.get(ALARMS) === undefined) await this.#alarms.wakeAt(STARBASE, 0)
    await this.#alarms.run()
  }

  async getAlarm(): Promise<number | null> {
    return await this.#alarms.at(STARBASE) ?? null
  }

  async setAlarm(at: number | Date): Promise<void> {
    await this.#alarms.cancel(STARBASE)
    await this.#alarms.wakeAt(STARBASE, Number(at))
  }

  deleteAlarm(): Promise<void> {
    return this.#alarms.cancel(STARBASE)
  }

  #totalChanges(): unknown {
    const [row] = Array.from(this.#context.storage.sql.exec('SELECT total_changes()').raw())
    return row?.[0]
  }

  #written(): void {
    const { changes, propagator } = this.#composition
    this.#isBehind = true
    changes?.notify()
    if (changes !== undefined) this.#wakeOnce(PURGE, PURGE_DELAY_MS)
    if (propagator !== undefined) this.#wakeOnce(PROPAGATE, PROPAGATE_DELAY_MS)
  }

  /** To store it with each write would cost one more write each time. */
  #wakeOnce(job: string, delayMs: number): void {
    if (this.#woken.has(job)) return
    this.#woken.add(job)
    this.#context.waitUntil(this.#alarms.wakeAt(job, Date.now() + delayMs).catch(() => this.#woken.delete(job)))
  }

  async #export(): Promise<number | undefined> {
    const { exporter, sliceMs } = this.#composition
    return (await exporter?.stepDue({ budget: { ms: sliceMs } }))?.nextAtMs
  }

  /** One slice after another until the time is over: nothing goes on between two alarms, so that an eviction loses nothing. */
  async #replicate(): Promise<number | undefined> {
    const { replicator, replicateMs } = this.#composition
    return (await replicator?.stepDue({ budget: { ms: replicateMs } }))?.nextAtMs
  }

  async #propagate(): Promise<number | undefined> {
    this.#woken.delete(PROPAGATE)
    this.#isBehind = false
    return (await this.#composition.propagator?.flush({ budgetMs: FLUSH_BUDGET_MS }))?.nextAtMs
  }

  /** Nobody may follow the changes, and they are logged all the same. */
  async #purge(): Promise<undefined> {
    this.#woken.delete(PURGE)
    const { changes } = this.#composition
    if (changes === undefined || !(await changes.status()).isInstalled) return
    await using connection = await changes.connect()
    while (await connection.purge());
  }
}

function changesReplication({ method, url }: Request): boolean {
  return method === 'POST' && new URL(url).pathname.startsWith('/data-replication/')
}

/** Begins one, or leaves something of one to do. */
function beginsExport({ method, url }: Request): boolean {
  const { pathname } = new URL(url)
  return pathname === '/export/dump' || (method !== 'GET' && method !== 'HEAD' && pathname.startsWith('/export/'))
}

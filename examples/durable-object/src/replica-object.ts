import { DurableObjectAlarms } from '@tidemark/cloudflare'
import { capabilitiesOf, type Capabilities } from './capabilities.ts'
import type { Environment, ObjectContext } from './environment.ts'
import { Notes } from './notes.ts'

const DEFAULT_SLICE_MS = 10_000
const DAY_MS = 86_400_000
const MAX_EXPIRY_SECONDS = 365 * 86_400
/** So long a request works on its dump itself before the alarm takes over. */
const EXPORT_DELAY_MS = 5_000

/** A copy of a PostgreSQL table, with notes of its own beside it. */
export class ReplicaObject {
  readonly #context: ObjectContext
  readonly #notes: Notes
  readonly #capabilities: Capabilities
  readonly #alarms: DurableObjectAlarms
  readonly #budget: { readonly ms: number }
  #begun: Promise<void> | undefined

  constructor(context: ObjectContext, environment: Environment) {
    this.#context = context
    this.#notes = new Notes(context.storage)
    this.#capabilities = capabilitiesOf(context, environment)
    this.#budget = { ms: Number(environment.SLICE_MS ?? DEFAULT_SLICE_MS) }
    this.#alarms = new DurableObjectAlarms(context.storage, {
      replicate: () => this.#replicate(),
      export: async () => (await this.#capabilities.exporter.stepDue({ budget: this.#budget })).nextAtMs,
      propagate: async () => (await this.#capabilities.propagator.flush({ budgetMs: this.#budget.ms })).nextAtMs,
      backup: () => this.#backup(),
      expire: () => this.#expire(),
    })
  }

  async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url)
    await (this.#begun ??= this.#begin())
    if (pathname === '/notes') return this.#answerNotes(request)
    if (request.method === 'POST' && pathname.startsWith('/data/export/')) await this.#alarms.wakeAt('export', Date.now() + EXPORT_DELAY_MS)
    return this.#capabilities.handler(request)
  }

  alarm(): Promise<void> {
    return this.#alarms.run()
  }

  /** The first request begins all that the alarms go on with. After an eviction it wakes what was cut off, which would come by itself a minute later. */
  async #begin(): Promise<void> {
    for (const job of ['replicate', 'export', 'propagate']) await this.#alarms.wakeAt(job, Date.now())
    if (await this.#alarms.at('backup') === undefined) await this.#alarms.wakeAt('backup', Date.now() + DAY_MS)
  }

  async #replicate(): Promise<number | undefined> {
    const { replicator, notify, purge } = this.#capabilities
    const { nextAtMs } = await replicator.stepDue({ budget: this.#budget })
    notify()
    await purge()
    return nextAtMs
  }

  async #backup(): Promise<number> {
    await this.#capabilities.exporter.start({ pauseMs: 1_000 })
    await this.#alarms.wakeAt('export', Date.now())
    return Date.now() + DAY_MS
  }

  async #expire(): Promise<number | undefined> {
    const nextAtMs = this.#notes.removeExpired(Date.now())
    await this.#written()
    return nextAtMs
  }

  async #answerNotes(request: Request): Promise<Response> {
    const isWrite = request.method === 'POST'
    if (!await this.#capabilities.authorize(request, isWrite ? 'operate' : 'read', `${request.method} /notes`)) return new Response('Unauthorized', { status: 401 })
    if (!isWrite) return Response.json(this.#notes.all())
    const seconds = new URL(request.url).searchParams.get('expiresInSeconds')
    if (seconds !== null && !(Number(seconds) > 0 && Number(seconds) < MAX_EXPIRY_SECONDS)) return new Response('expiresInSeconds must be a number above 0, of a year at most.', { status: 400 })
    const expiresAtMs = seconds === null ? null : Date.now() + Number(seconds) * 1_000
    this.#notes.add(await request.text(), expiresAtMs)
    if (expiresAtMs !== null) await this.#alarms.wakeAt('expire', expiresAtMs)
    await this.#written()
    return new Response(null, { status: 201 })
  }

  /** The peer has it soon; where it could not be reached, the alarm tries again. */
  async #written(): Promise<void> {
    const { notify, propagator } = this.#capabilities
    notify()
    await this.#alarms.wakeAt('propagate', Date.now() + this.#budget.ms)
    await propagator.afterQuery(undefined, this.#context)
  }
}

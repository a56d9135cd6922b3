import { createReceiver, httpPeer, Propagator, TidemarkError, type Receiver } from '@tidemark/core'
import type { PropagationTarget } from '@tidemark/core/adapter'
import { DurableObjectAlarms, type AlarmStorage } from '../durable-object-alarms.ts'
import { d1PropagationTarget } from '../d1-propagation-target.ts'
import type { D1Database } from '../d1-database.ts'
import { durableObjectChanges } from '../durable-object-changes.ts'
import { durableObjectPropagationTarget } from '../durable-object-propagation-target.ts'
import type { ObjectStorage } from './object-scenarios.ts'

const TOKEN = 'letmein'
const RULES = { replacesRows: true, authorize: { token: TOKEN } } as const

interface Namespace {
  idFromName(name: string): unknown
  get(id: unknown): { fetch(request: Request): Promise<Response> }
}

export interface Environment {
  readonly OBJECTS: Namespace
  readonly D1: D1Database
}

interface Context {
  readonly storage: ObjectStorage & AlarmStorage
  waitUntil(work: Promise<unknown>): void
}

/** An instance that writes and is written to: `source` has peers, `replica` is one of them. */
export class PropagateObject {
  readonly #context: Context
  readonly #environment: Environment
  readonly #alarms: DurableObjectAlarms
  #receive: Receiver | undefined
  #propagator: Propagator | undefined

  constructor(context: Context, environment: Environment) {
    this.#context = context
    this.#environment = environment
    this.#alarms = new DurableObjectAlarms(context.storage, {
      propagate: async () => {
        const { nextAtMs } = await this.#source().flush({ budgetMs: 10_000 })
        return nextAtMs
      },
    })
  }

  async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url)
    if (pathname === '/apply') return (this.#receive ??= createReceiver({ target: durableObjectPropagationTarget(this.#context.storage), ...RULES }))(request)
    if (pathname === '/sql') return Response.json(this.#run(await request.text()))
    if (pathname === '/flush') return Response.json(await this.#source().flush())
    if (pathname === '/write') return this.#write(await request.text(), () => this.#source().afterQuery(undefined, this.#context))
    if (pathname === '/wake') return this.#write(await request.text(), () => this.#alarms.wakeAt('propagate', Date.now()))
    if (pathname === '/writers') return Response.json([durableObjectPropagationTarget(this.#context.storage), d1PropagationTarget(this.#environment.D1)].map(codeOfSeveralWriters))
    if (pathname === '/status') return Response.json(this.#source().status())
    return new Response('unknown', { status: 404 })
  }

  alarm(): Promise<void> {
    return this.#alarms.run()
  }

  async #write(sql: string, then: () => Promise<void>): Promise<Response> {
    this.#run(sql)
    await then()
    return Response.json(null)
  }

  /** The rows of the last statement. */
  #run(sql: string): readonly unknown[] {
    return Array.from(this.#context.storage.sql.exec(sql).raw())
  }

  #source(): Propagator {
    const { OBJECTS } = this.#environment
    const call = async (name: string, url: string, init: object): Promise<Response> => OBJECTS.get(OBJECTS.idFromName(name)).fetch(new Request(url, init))
    return this.#propagator ??= new Propagator({
      source: durableObjectChanges(this.#context.storage, { tables: ['t', 'a_child', 'z_parent'] }), origin: 'source', batch: { rows: 50 },
      peers: [
        httpPeer({ url: 'https://replica/apply', token: TOKEN, name: 'object', fetch: (url, init) => call('replica', url, init) }),
        httpPeer({ url: 'https://d1/apply', token: TOKEN, name: 'd1', fetch: (url, init) => applyOnD1(this.#environment, new Request(url, init)) }),
      ],
    })
  }
}

function codeOfSeveralWriters(target: PropagationTarget): string {
  try {
    createReceiver({ ...RULES, target, origin: 'replica', conflicts: 'last-writer-wins' })
    return 'none'
  } catch (error) {
    return error instanceof TidemarkError ? error.code : String(error)
  }
}

/** A Worker has nothing between two requests: what it is told to wait for is all. */
export async function applyOnD1({ D1 }: Environment, request: Request): Promise<Response> {
  await using receive = createReceiver({ target: d1PropagationTarget(D1), ...RULES })
  return await receive(request)
}

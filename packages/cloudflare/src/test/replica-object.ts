import { Replicator, TidemarkError, type SourceDialect } from '@tidemark/core'
import type { DurableObjectStorage } from '../durable-object-storage.ts'
import { durableObjectTarget } from '../durable-object-target.ts'
import { codeOf } from './scenario-host.ts'

export interface ReplicaContext {
  readonly storage: DurableObjectStorage
  abort(reason: string): void
}

export interface ReplicaEnvironment {
  readonly REPLICAS: { idFromName(name: string): unknown; get(id: unknown): { fetch(request: Request): Promise<Response> } }
}

/** What to sync, and behind how many rows of it the object is to be evicted. */
export interface ReplicaRequest<Config> {
  readonly config: Config
  readonly sourceTable: string
  readonly trackingColumn: string
  readonly evictAfterRows?: number | undefined
}

/** A replica of one table. `/sync` takes a `ReplicaRequest`, `/query` an SQL text. */
export abstract class ReplicaOf<Config> {
  readonly #context: ReplicaContext

  constructor(context: ReplicaContext) {
    this.#context = context
  }

  protected abstract source(config: Config): SourceDialect

  async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url)
    if (pathname === '/query') return Response.json(Array.from(this.#context.storage.sql.exec(await request.text()).raw()))
    const asked = await request.json() as ReplicaRequest<Config> // as the test writes it
    const found: unknown[] = []
    const code = await codeOf(this.#sync(asked).then((result) => found.push(result)))
    return Response.json({ code, result: found[0] })
  }

  async #sync({ config, sourceTable, trackingColumn, evictAfterRows = Infinity }: ReplicaRequest<Config>): Promise<unknown> {
    await using replicator = new Replicator({
      target: durableObjectTarget(this.#context.storage), instance: 'replica', slice: { rows: 2_000 }, retry: { attempts: 1 },
      replications: [{ name: 'copy', source: this.source(config), sourceTable, targetTable: 'copy', trackingColumn, types: {} }],
    })
    replicator.on('sync:progress', ({ rows }) => {
      if (rows >= evictAfterRows) this.#context.abort('evicted by the test')
    })
    const result = await replicator.syncNow('copy')
    if (result.rowsRead === 0 && evictAfterRows < Infinity) throw new TidemarkError('INTERNAL', 'There was nothing to be evicted in.')
    return result
  }
}

/** Requests go to the object that their header `object` names. */
export const replicaWorker = {
  fetch(request: Request, { REPLICAS }: ReplicaEnvironment): Promise<Response> {
    return REPLICAS.get(REPLICAS.idFromName(request.headers.get('object') ?? '')).fetch(request)
  },
}

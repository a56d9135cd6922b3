import { Replicator } from '@tidemark/core'
import { TidemarkError } from '@tidemark/core/adapter'
import type { D1Database } from '../d1-database.ts'
import { DurableObjectAlarms, type AlarmStorage } from '../durable-object-alarms.ts'
import type { DurableObjectStorage } from '../durable-object-storage.ts'
import { durableObjectTarget } from '../durable-object-target.ts'
import { d1Users } from './d1-users.ts'

interface Environment {
  readonly OBJECTS: { idFromName(name: string): unknown; get(id: unknown): { fetch(request: Request): Promise<Response> } }
  readonly DB: D1Database
}

interface Context {
  readonly storage: DurableObjectStorage & AlarmStorage
  abort(reason: string): void
}

const ROWS = 2_000
const ONE_STEP = { budget: { ms: 1 } }

/** A replica of a D1 database, beside a source that is down and a job of the object's own, on its one alarm. */
export class ReplicaObject {
  readonly #context: Context
  readonly #database: D1Database
  readonly #alarms: DurableObjectAlarms
  #ticks = 0
  #slow: Promise<void> = Promise.resolve()
  #onTick = (): void => {}
  #onLive = (): void => {}

  constructor(context: Context, { DB }: Environment) {
    this.#context = context
    this.#database = DB
    const replicator = this.#replicator(context.storage)
    this.#alarms = new DurableObjectAlarms(context.storage, {
      replicas: async () => {
        const { nextAtMs } = await replicator.stepDue(ONE_STEP)
        if ((await replicator.status())[0]?.phase === 'live') this.#onLive()
        return nextAtMs
      },
      own: () => {
        this.#ticks += 1
        this.#onTick()
        return Promise.resolve(this.#ticks < 5 ? Date.now() + 5 : undefined)
      },
    })
  }

  async fetch({ url }: Request): Promise<Response> {
    const { storage } = this.#context
    switch (new URL(url).pathname.split('/').at(-1)) {
      case 'step': return Response.json(await this.#step(this.#replicator(storage)))
      case 'kill': return Response.json(await this.#step(this.#replicator(this.#ending())))
      case 'rows': return Response.json([...storage.sql.exec('SELECT id, changed FROM users ORDER BY id').raw()])
      default: return this.#run()
    }
  }

  alarm(): Promise<void> {
    return this.#alarms.run()
  }

  #replicator(storage: DurableObjectStorage): Replicator {
    const down = d1Users(this.#database, () => Promise.reject(new TidemarkError('SOURCE_UNREACHABLE', 'It is down.')))
    return new Replicator({
      target: durableObjectTarget(storage), instance: 'replica', slice: { rows: 200 },
      replications: [
        { name: 'users', source: d1Users(this.#database, () => this.#slow), sourceTable: 'users', trackingColumn: 'changed', settleGraceMs: 0 },
        { name: 'down', source: down, sourceTable: 'users', targetTable: 'nothing', trackingColumn: 'changed' },
      ],
    })
  }

  async #step(replicator: Replicator): Promise<unknown> {
    const { nextAtMs } = await replicator.stepDue(ONE_STEP)
    const [users, down] = await replicator.status()
    await replicator.stop()
    return { nextAtMs, phase: users?.phase, loadedRows: users?.loadedRows, down: down?.lastError?.code }
  }

  /** The source answers once the object's own job has come five times: it never would, if that one waited for the replica. */
  async #run(): Promise<Response> {
    this.#slow = new Promise((resolve) => { this.#onTick = () => this.#ticks === 5 && resolve() })
    const live = new Promise<void>((resolve) => { this.#onLive = resolve })
    await this.#alarms.wakeAt('replicas', Date.now())
    await this.#alarms.wakeAt('own', Date.now())
    await live
    const [count] = [...this.#context.storage.sql.exec('SELECT count(*) FROM users').raw()]
    return Response.json({ ticks: this.#ticks, rows: count?.[0] })
  }

  /** Ends the object with each commit: it is written, and nothing of it is stored. */
  #ending(): DurableObjectStorage {
    const { storage } = this.#context
    return { sql: storage.sql, sync: () => storage.sync(), transactionSync: (work) => {
      storage.transactionSync(work)
      this.#context.abort('killed by the test')
      throw new Error('killed by the test')
    } }
  }
}

export const worker = {
  async fetch(request: Request, { OBJECTS, DB }: Environment): Promise<Response> {
    const { pathname } = new URL(request.url)
    if (pathname !== '/fill') return OBJECTS.get(OBJECTS.idFromName(pathname.split('/')[1] ?? '')).fetch(request)
    await DB.prepare('CREATE TABLE users (id INTEGER PRIMARY KEY, changed INTEGER NOT NULL)').raw()
    await DB.prepare(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS}) INSERT INTO users SELECT i, i FROM n`).raw()
    return new Response('filled')
  },
}

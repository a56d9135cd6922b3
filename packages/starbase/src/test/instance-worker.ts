import { r2Storage, type R2Bucket } from '@tidemark/cloudflare'
import { httpPeer } from '@tidemark/core'
import { Hono } from 'hono'
import {
  ChangeStreamPlugin, DataReplicationPlugin, ExportPlugin, PropagationPlugin, ReceiverPlugin, withTidemark, type StarbaseConfiguration, type StarbaseDataSource, type StarbaseObject, type StarbasePlugin, type TidemarkMethods, type TidemarkOptions,
} from '../index.ts'
import { addCrowd, addPerson, elsewhere, farElsewhere } from './elsewhere.ts'
import { InstanceObject } from './instance-object.ts'

interface Environment {
  readonly OBJECTS: Namespace
  readonly NORTHERN: Namespace
  readonly COPYING: Namespace
  readonly EVICTED: Namespace
  readonly WRONG: Namespace
  readonly BUCKET: R2Bucket
  readonly SELF: { fetch(url: string, init: object): Promise<Response> }
}

interface Stub extends TidemarkMethods {
  fetch(request: Request): Promise<Response>
  init(): Promise<StarbaseObject & Disposable>
  /** Of the host, for tests. */
  inspect(): Promise<{ readonly alarms: number; readonly own: number | null }>
  wake(): Promise<void>
}

interface Namespace {
  idFromName(name: string): unknown
  get(id: unknown): Stub
}

/** What the peers of these instances ask for. */
const PEER_TOKEN = 'peer to peer'

class Inspected extends InstanceObject {
  async inspect(): Promise<{ readonly alarms: number; readonly own: number | null }> {
    return { alarms: this.alarms.length, own: await this.getAlarm() }
  }

  /** The alarm of an hour later. */
  async wake(): Promise<void> {
    const { now } = Date
    Date.now = () => now() + 3_700_000
    try {
      await this.alarm()
    } finally {
      Date.now = now
    }
  }
}

export const StarbaseObjects = withTidemark(Inspected, (environment) => options(environment as Environment)) // as the Worker's is

/** An instance that has a peer. */
export const NorthernObjects = withTidemark(Inspected, (environment) => ({ ...options(environment as Environment), ...toSouth(environment as Environment) }))

/** An instance that keeps copies. */
export const CopyingObjects = withTidemark(Inspected, (environment) => ({ ...options(environment as Environment), ...copies() }))

type EvictedContext = ConstructorParameters<typeof Inspected>[0] & { abort(reason: string): void }

const seen = { evicted: 0, readsBetweenAlarms: 0 }
let isInAlarm = false

function noteRead(): void {
  if (!isInAlarm) seen.readsBetweenAlarms += 1
}

/** An instance that keeps a copy, and is ended after each of its alarms. */
const SlicingObjects = withTidemark(Inspected, () => ({
  replication: { sliceMs: 1, slice: { rows: 50 }, replications: [{ name: 'crowd', source: farElsewhere(noteRead), sourceTable: 'crowd' }] },
}))
export class EvictedObjects extends SlicingObjects {
  readonly #context: EvictedContext

  constructor(context: EvictedContext, environment: unknown) {
    super(context, environment)
    this.#context = context
  }

  override async alarm(): Promise<void> {
    isInAlarm = true
    await super.alarm().finally(() => { isInAlarm = false })
    seen.evicted += 1
    // Between two alarms, of which neither is to be cut: the platform would wait for seconds before it tries one again.
    if (await this.#context.storage.getAlarm() !== null) await this.#context.storage.setAlarm(Date.now() + 100)
    setTimeout(() => this.#context.abort('evicted by the test'), 10)
  }
}

/** An instance whose options are wrong. */
export const WrongObjects = withTidemark(Inspected, () => ({ exports: { storage: undefined as never } })) // as of a binding that is missing

function copies(): TidemarkOptions {
  return {
    replication: {
      sources: { memory: elsewhere() },
      replications: [{ name: 'planned', source: elsewhere(), sourceTable: 'people', targetTable: 'planned_people', syncIntervalMinutes: 0.02 }],
    },
  }
}

function options({ BUCKET }: Environment): TidemarkOptions {
  return {
    exports: { storage: r2Storage(BUCKET), waitMs: 400 },
    changes: { tables: ['users', 'secrets'], replace: 'exact', retention: { maxEvents: 10, whenFull: 'discard' } },
    receiver: { authorize: { token: PEER_TOKEN }, tables: ['users'] },
  }
}

function toSouth({ SELF }: Environment): TidemarkOptions {
  return {
    propagation: {
      origin: 'north', tables: ['users'], retry: { baseMs: 50, maxMs: 200 },
      peers: [httpPeer({ url: 'https://south.example/propagate', token: PEER_TOKEN, name: 'south', fetch: (url, init) => SELF.fetch(url, init) })],
    },
  }
}

function namespaceOf(hostname: string, { OBJECTS, ...others }: Environment): Namespace {
  switch (hostname) {
    case 'north.example': return others.NORTHERN
    case 'copies.example': return others.COPYING
    case 'evicted.example': return others.EVICTED
    case 'wrong.example': return others.WRONG
    default: return OBJECTS
  }
}

/** Instances by the name of the host; their tokens are `admin` and `client`. */
export const worker = {
  async fetch(request: Request, environment: Environment, context: NonNullable<StarbaseDataSource['executionContext']>): Promise<Response> {
    const instance = new Instance(request, environment, context)
    return instance.answer(request)
  },
}

/** A Worker around an object, that keeps the contract which StarbaseDB has with its plugins: they are made anew for each request. */
class Instance {
  readonly #stub: Stub
  readonly #plugins: readonly StarbasePlugin[]
  readonly #dataSource: StarbaseDataSource

  constructor(request: Request, environment: Environment, executionContext: NonNullable<StarbaseDataSource['executionContext']>) {
    const { hostname } = new URL(request.url)
    const objects = namespaceOf(hostname, environment)
    this.#stub = objects.get(objects.idFromName(hostname))
    const stub = this.#stub
    this.#plugins = [
      new DataReplicationPlugin({ stub }),
      new ExportPlugin({ stub }),
      new ChangeStreamPlugin({ stub, clients: 'read', events: [{ action: '*', schema: 'main', table: 'users' }] }),
      new PropagationPlugin({ stub }),
      new ReceiverPlugin({ stub }),
    ]
    this.#dataSource = { source: request.headers.get('x-starbase-source') === 'external' ? 'external' : 'internal', executionContext }
  }

  async answer(request: Request): Promise<Response> {
    const role = this.#roleOf(request)
    if (role === undefined) return Response.json({ error: 'Unauthorized request' }, { status: 401 })
    const app = await this.#app({ role })
    return app.fetch(request)
  }

  #roleOf(request: Request): StarbaseConfiguration['role'] | undefined {
    const { pathname, searchParams } = new URL(request.url)
    const needsNone = this.#plugins.some(({ opts, pathPrefix }) => !opts.requiresAuth && pathPrefix !== undefined && pathname.startsWith(pathPrefix))
    const token = request.headers.get('authorization')?.replace('Bearer ', '') ?? searchParams.get('token')
    if (needsNone || token === 'client') return 'client'
    return token === 'admin' ? 'admin' : undefined
  }

  async #app(config: StarbaseConfiguration): Promise<Hono<HonoEnvironment>> {
    const app = new Hono<HonoEnvironment>()
    app.onError((error, context) => context.text(error.message, 500))
    app.use('*', async (context, next) => {
      context.set('config', config)
      context.set('dataSource', this.#dataSource)
      await next()
    })
    for (const plugin of this.#plugins) await plugin.register(app)
    app.post('/import/dump', (context) => context.text('the instance\'s own'))
    app.post('/query', async (context) => context.json({ result: await this.#query(await context.req.json()) }))
    app.post('/unheard', async (context) => context.json({ result: await this.#unheard(await context.req.text()) }))
    app.post('/alarm', async (context) => context.json({ result: await this.#setAlarm(Number(await context.req.text())) }))
    app.post('/people', async (context) => context.json({ result: await addPerson(BigInt(await context.req.text()), 'a person') }))
    app.post('/crowd', async (context) => context.json({ result: await addCrowd(Number(await context.req.text())) }))
    app.get('/evicted', (context) => context.json(seen))
    app.post('/wake', async (context) => context.json({ result: await this.#stub.wake() }))
    app.get('/inspect', async (context) => context.json({ result: await this.#stub.inspect() }))
    return app
  }

  async #query(query: { readonly sql: string; readonly params?: unknown[] }): Promise<unknown> {
    const dataSource = this.#dataSource
    using rpc = await this.#stub.init()
    let { sql, params } = query
    for (const plugin of this.#plugins) ({ sql, params = [] } = await plugin.beforeQuery(params === undefined ? { sql } : { sql, params }))
    let result: unknown = await rpc.executeQuery({ sql, params: params ?? [], isRaw: false })
    for (const plugin of this.#plugins) result = await plugin.afterQuery({ sql, result, isRaw: false, dataSource })
    return result
  }

  /** As the instance's own features write, of which plugins hear nothing. */
  async #unheard(sql: string): Promise<void> {
    using rpc = await this.#stub.init()
    await rpc.executeQuery({ sql })
  }

  async #setAlarm(afterMs: number): Promise<void> {
    using rpc = await this.#stub.init()
    await rpc.setAlarm(Date.now() + afterMs)
  }
}

interface HonoEnvironment {
  readonly Variables: { readonly config: StarbaseConfiguration; readonly dataSource: StarbaseDataSource }
}

import {
  d1PropagationTarget, d1Sqlite, d1StateStore, d1Changes, d1Target, durableObjectChanges, durableObjectPropagationTarget, durableObjectSqlite, durableObjectStateStore, durableObjectTarget, r2Storage,
  type D1Database, type DurableObjectStorage, type R2Bucket,
} from '@tidemark/cloudflare'
import type { SourceDialect } from '@tidemark/core'
import { libsqlFileTarget } from '@tidemark/libsql'
import { nodeSqliteSource } from '@tidemark/node'
import { storyPostgres } from './story-postgres.ts'
import { story } from '../story.ts'
import type { DatabaseName, Entries, StoryDatabase, StoryHost, StoryServer } from '../story-host.ts'

interface Fetcher {
  fetch(request: Request | string, init?: RequestInit): Promise<Response>
}

interface Environment {
  readonly OBJECTS: { idFromName(name: string): unknown; get(id: unknown): Fetcher }
  readonly SELF: Fetcher
  readonly BUCKET: R2Bucket
  readonly POSTGRES_URL: string
  readonly copy: D1Database
  readonly restored: D1Database
  readonly restoredRows: D1Database
  readonly peer: D1Database
}

/** Where `serve` mounts a handler: the Worker hands every request that is not for the story on to the object. */
const ADDRESS = 'https://worker.example'

/** The class of objects, given what can be imported. */
export function storyObject(entries: Entries): new (context: { readonly storage: DurableObjectStorage }, environment: Environment) => StoryObject {
  return class extends StoryObject {
    override readonly entries = entries
  }
}

/** A Durable Object that tells the story: its own database is the application's and PostgreSQL's copy, the others are D1's. */
abstract class StoryObject {
  abstract readonly entries: Entries
  readonly #storage: DurableObjectStorage
  readonly #environment: Environment
  #handler: ((request: Request) => Promise<Response>) | undefined

  constructor(context: { readonly storage: DurableObjectStorage }, environment: Environment) {
    this.#storage = context.storage
    this.#environment = environment
  }

  async fetch(request: Request): Promise<Response> {
    if (new URL(request.url).pathname === '/story') return Response.json(await this.#tell())
    return await this.#handler?.(request) ?? new Response('Nothing is served.', { status: 404 })
  }

  async #tell(): Promise<unknown> {
    const { BUCKET, POSTGRES_URL } = this.#environment
    await using postgres = storyPostgres(POSTGRES_URL)
    return await story({
      // A Worker has a date instead of a version.
      version: '',
      entries: this.entries,
      storage: r2Storage(BUCKET),
      database: (name) => this.#database(name),
      libsql: () => ({ target: () => libsqlFileTarget({ path: 'libsql.db' }), rows: () => Promise.resolve([]) }),
      postgres,
      serve: (handler) => this.#serve(handler),
    })
  }

  #database(name: DatabaseName): StoryDatabase {
    return name === 'app' || name === 'postgresCopy' ? objectDatabase(this.#storage) : d1Database(this.#environment[name])
  }

  #serve(handler: Parameters<StoryHost['serve']>[0]): Promise<StoryServer> {
    this.#handler = handler
    return Promise.resolve({
      url: ADDRESS,
      fetch: (url, init) => this.#environment.SELF.fetch(url, init),
      [Symbol.asyncDispose]: () => {
        this.#handler = undefined
        return Promise.resolve()
      },
    })
  }
}

/** The Worker before the object. */
export const worker = {
  fetch: (request: Request, { OBJECTS }: Environment): Promise<Response> => OBJECTS.get(OBJECTS.idFromName('story')).fetch(request),
}

function objectDatabase(storage: DurableObjectStorage): StoryDatabase {
  return {
    run: (sql) => Promise.resolve(void storage.sql.exec(sql)),
    rows: (sql) => Promise.resolve(Array.from(storage.sql.exec(sql).raw())),
    source: fileSource,
    target: () => durableObjectTarget(storage),
    changes: (tables) => durableObjectChanges(storage, { tables }),
    state: () => durableObjectStateStore(storage),
    dumpable: () => durableObjectSqlite({ storage }),
    propagationTarget: () => durableObjectPropagationTarget(storage),
  }
}

function d1Database(database: D1Database): StoryDatabase {
  return {
    run: async (sql) => void await database.prepare(sql).raw(),
    rows: (sql) => database.prepare(sql).raw(),
    source: fileSource,
    target: () => d1Target(database),
    changes: (tables) => d1Changes(database, { tables }),
    state: () => d1StateStore(database),
    dumpable: () => d1Sqlite(database),
    propagationTarget: () => d1PropagationTarget(database),
  }
}

/** There are no files to read; the package says so. */
function fileSource(): Promise<SourceDialect> {
  return Promise.resolve(nodeSqliteSource({ path: 'app.db' }))
}

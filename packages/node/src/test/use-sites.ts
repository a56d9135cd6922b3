import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { createReceiver, httpPeer, Propagator, type HttpPeerOptions, type Peer, type PropagatorOptions, type ReceiverOptions, type SecretInput } from '@tidemark/core'
import type { SqliteChangesOptions } from '@tidemark/sqlite'
import { afterEach } from 'vitest'
import { nodeSqlitePropagationTarget } from '../node-sqlite-propagation-target.ts'
import { sqliteChanges } from '../sqlite-changes.ts'
import { serveReceiver } from './serve-receiver.ts'
import { cells } from './stored-cells.ts'
import { useFolder } from './use-folder.ts'

/** What stands in front of a receiver: it may answer itself, or change what comes through. */
export type Gate = (body: string, through: (body?: string) => Promise<Response>, request: Request) => Promise<Response>

export interface SiteOptions extends Partial<Omit<ReceiverOptions, 'target'>> {
  readonly schema?: string | undefined
}

/** A SQLite file with a receiver behind a real socket. */
export interface Site {
  readonly name: string
  readonly file: string
  readonly url: string
  /** Bodies of all requests, in the order in which they came. */
  readonly posts: string[]
  /** Absent: everything comes through. */
  gate: Gate | undefined
  /** Statements, by a connection of its own. */
  run(sql: string): void
  /** One statement with its parameters. */
  bind(sql: string, ...parameters: readonly SQLInputValue[]): void
  cells(table: string): readonly unknown[]
  /** Another process of it: the receiver is closed and opened anew. */
  restart(options?: SiteOptions): Promise<void>
}

export interface SendingOptions extends Partial<Omit<PropagatorOptions, 'source' | 'peers'>> {
  readonly capture: readonly string[]
  readonly source?: Partial<SqliteChangesOptions> | undefined
  readonly peer?: Partial<HttpPeerOptions> | undefined
  readonly peers?: readonly Peer[] | undefined
}

export interface Sites {
  add(name: string, options?: SiteOptions): Promise<Site>
  /** What `from` writes goes to each of `to` over HTTP. */
  propagator(from: Site, to: readonly Site[], options: SendingOptions): Propagator
  /** A connection of the application's, for transactions that stay open. */
  connection(site: Site): DatabaseSync & AsyncDisposable
  use<T extends AsyncDisposable>(resource: T): T
}

export const TOKEN: SecretInput = 'a token that nothing may show'

/** Sites for each test, closed and gone afterwards. */
export function useSites(): Sites {
  const path = useFolder()
  const opened: AsyncDisposable[] = []
  afterEach(async () => {
    for (const resource of opened.splice(0).toReversed()) await resource[Symbol.asyncDispose]()
  })
  const use = <T extends AsyncDisposable>(resource: T): T => {
    opened.push(resource)
    return resource
  }
  const peerOf = (site: Site, options: Partial<HttpPeerOptions> = {}): Peer => httpPeer({ url: site.url, name: site.name, ...(options.secret === undefined ? { token: TOKEN } : {}), ...options })
  return {
    use,
    connection: ({ file }) => {
      const database = new DatabaseSync(file, { timeout: 5_000 })
      return Object.assign(database, { [Symbol.asyncDispose]: async () => database.close() })
    },
    add: async (name, options = {}) => {
      const site = await openSite({ name, file: path(name), options })
      use(site)
      return site
    },
    propagator: (from, to, { capture, source, peer, peers, ...options }) => use(new Propagator({
      source: sqliteChanges({ path: from.file }, { tables: capture, ...source }), origin: from.name, peers: peers ?? to.map((site) => peerOf(site, peer)),
      retry: { baseMs: 1, maxMs: 5 }, ...options,
    })),
  }
}

async function openSite({ name, file, options }: { readonly name: string; readonly file: string; readonly options: SiteOptions }): Promise<Site & AsyncDisposable> {
  const run = (sql: string): void => withDatabase(file, (database) => database.exec(sql))
  run(`PRAGMA journal_mode = WAL; ${options.schema ?? ''}`)
  let receiver = receiverOf(name, file, options)
  const served = await serveReceiver(async (request) => {
    const body = await request.text()
    if (request.method === 'POST') site.posts.push(body)
    const { method, url, headers } = request
    const through = (text = body): Promise<Response> => receiver(new Request(url, { method, headers, ...(method === 'POST' ? { body: text } : {}) }))
    return site.gate === undefined ? through() : site.gate(body, through, request)
  })
  const site: Site & AsyncDisposable = {
    name, file, run,
    url: served.url, posts: [], gate: undefined,
    bind: (sql, ...parameters) => withDatabase(file, (database) => void database.prepare(sql).run(...parameters)),
    cells: (table) => cells(file, table),
    restart: async (changed = options) => {
      await receiver[Symbol.asyncDispose]()
      receiver = receiverOf(name, file, changed)
    },
    [Symbol.asyncDispose]: async () => {
      await served[Symbol.asyncDispose]()
      await receiver[Symbol.asyncDispose]()
    },
  }
  return site
}

function receiverOf(name: string, file: string, { schema: _schema, ...options }: SiteOptions): ReturnType<typeof createReceiver> {
  return createReceiver({ target: nodeSqlitePropagationTarget({ path: file }), authorize: { token: TOKEN }, origin: name, ...options })
}

function withDatabase(file: string, work: (database: DatabaseSync) => void): void {
  const database = new DatabaseSync(file, { timeout: 5_000, enableForeignKeyConstraints: true })
  try {
    work(database)
  } finally {
    database.close()
  }
}

/** Everything that any of them knows goes to where it belongs. Gives the rounds that it took; ends after 20 of them. */
export async function settle(propagators: readonly Propagator[], sites: readonly Site[]): Promise<number> {
  for (let round = 1; round <= 20; round += 1) {
    const before = posts(sites)
    for (const propagator of propagators) await propagator.flush()
    if (posts(sites) === before) return round
  }
  throw new Error('It has not come to rest in 20 rounds.')
}

function posts(sites: readonly Site[]): number {
  return sites.reduce((sum, site) => sum + site.posts.length, 0)
}

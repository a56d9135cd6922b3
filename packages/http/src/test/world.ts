import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { ChangeStream, createReceiver, Exporter, httpPeer, Importer, Propagator, Replicator } from '@tidemark/core'
import {
  fsStorage, nodeSqlite, nodeSqlitePropagationTarget, nodeSqliteSource, nodeSqliteStateStore, nodeSqliteTarget, sqliteChanges,
} from '@tidemark/node'
import { bearerTokens, createHandler, type Handler, type HandlerOptions } from '../index.ts'
import { serve, type Served } from './serve.ts'

/** Credentials that must come out nowhere. */
export const SECRETS = {
  read: 'canary-read-5f1c', operate: 'canary-operate-93bd', admin: 'canary-admin-27e8', peer: 'canary-peer-c04a', callback: `whsec_${btoa('canary-callback-canary-callback')}`,
} as const

export interface World extends AsyncDisposable {
  readonly folder: string
  readonly app: DatabaseSync
  readonly replicator: Replicator
  readonly exporter: Exporter
  readonly importer: Importer
  readonly stream: ChangeStream
  readonly propagator: Propagator
  readonly handler: Handler
  readonly url: string
  readonly port: number
  readonly server: Served['server']
  /** With the token of a scope. */
  readonly ask: (path: string, init?: Ask) => Promise<Response>
}

export interface Ask {
  readonly as?: 'read' | 'operate' | 'admin' | undefined
  readonly method?: string | undefined
  readonly json?: unknown
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly signal?: AbortSignal | undefined
}

/** Real databases in a folder of their own, all capabilities over them, and the handler behind a real server. With other streams, its own is called `app`. */
export async function makeWorld(options: Partial<HandlerOptions> = {}, otherStreams?: Readonly<Record<string, ChangeStream>>): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-http-'))
  const path = (name: string): string => join(folder, name)
  const app = makeDatabase(path('app.db'))
  makeDatabase(path('peer.db'), 0).close()
  const replicator = new Replicator({
    target: nodeSqliteTarget({ path: path('replica.db') }),
    replications: [
      { name: 'users', source: nodeSqliteSource({ path: path('app.db') }), sourceTable: 'users' },
      { name: 'broken', source: nodeSqliteSource({ path: path('app.db') }), sourceTable: 'missing' },
    ],
  })
  const state = nodeSqliteStateStore({ path: path('state.db') })
  const exporter = new Exporter({ source: nodeSqlite({ path: path('app.db') }), storage: fsStorage(path('dumps')), state, callbacks: { allowedOrigins: [], secret: SECRETS.callback } })
  const importer = new Importer({ source: fsStorage(path('dumps')), target: nodeSqlite({ path: path('imported.db') }), retry: { attempts: 1 } })
  const source = sqliteChanges({ path: path('app.db') }, { tables: ['users', 'notes'] })
  await source.install()
  const stream = new ChangeStream({ source })
  const receiver = createReceiver({ target: nodeSqlitePropagationTarget({ path: path('peer.db') }), authorize: { token: SECRETS.peer } })
  const sender = sqliteChanges({ path: path('app.db') }, { tables: ['users', 'notes'] })
  const holder: { handler?: Handler } = {}
  const server = await serve((request) => holder.handler?.(request) ?? Promise.reject(new Error('There is no handler yet.')))
  const base = options.basePath ?? ''
  const propagator = new Propagator({ source: sender, origin: 'here', peers: [httpPeer({ url: `${server.url}${base}/propagate`, token: SECRETS.peer, name: 'there' })] })
  const handler = createHandler({
    authorize: bearerTokens({ read: SECRETS.read, operate: SECRETS.operate, admin: SECRETS.admin }),
    replicator, exporter, importer, streams: otherStreams === undefined ? stream : { app: stream, ...otherStreams }, propagator, receiver, ...options,
  })
  holder.handler = handler
  return {
    folder, app, replicator, exporter, importer, stream, propagator, handler,
    url: server.url + base, port: server.port, server: server.server,
    ask: (at, init) => ask(server.url + base + at, init),
    [Symbol.asyncDispose]: async () => {
      handler[Symbol.dispose]()
      await server[Symbol.asyncDispose]()
      for (const one of [propagator, replicator, stream, exporter, receiver, state]) await one[Symbol.asyncDispose]()
      app.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function ask(url: string, { as, method, json, headers, signal }: Ask = {}): Promise<Response> {
  return fetch(url, {
    method: method ?? (json === undefined ? 'GET' : 'POST'),
    headers: { ...(as === undefined ? {} : { authorization: `Bearer ${SECRETS[as]}` }), ...(json === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    ...(signal === undefined ? {} : { signal }),
  })
}

export function makeDatabase(path: string, rows = 100): DatabaseSync {
  const database = new DatabaseSync(path)
  database.exec(`
    PRAGMA journal_mode = WAL;
    CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL, balance);
    CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows}) INSERT INTO users SELECT i, 'user ' || i, i * 1.5 FROM n WHERE ${rows} > 0;
  `)
  return database
}

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { ChangeStream, httpPeer, Propagator, Replicator, systemRuntime, type Runtime } from '@tidemark/core'
import { nodeSqliteSource, nodeSqliteTarget, sqliteChanges } from '@tidemark/node'
import type { AnyImporter, HandlerOptions } from '../index.ts'
import { gatedSource } from './gated-source.ts'
import { heldImporter } from './held-importer.ts'
import { makeWorld, SECRETS, type World } from './world.ts'

const MINUTE_MS = 60_000
const ORDERS = 60_000

export interface Showcase extends World {
  /** Has a table `events`, and a stream of its own. */
  readonly other: DatabaseSync
  readonly pendingExport: string
  /** Lets the load of `orders`, and imports, go on. */
  readonly goOn: () => void
}

/** All that the page can show at once, from real databases: an hour of syncs, a load under way, a failure, exports, imports, two streams, and a peer that is not there. */
export async function makeShowcase(options: Partial<HandlerOptions> = {}): Promise<Showcase> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-show-'))
  const path = join(folder, 'shop.db')
  const other = makeShop(path)
  const clock = { behindMs: 0 }
  const open = new AbortController()
  const replicator = makeReplicator({ folder, path, clock, open: open.signal })
  const source = sqliteChanges({ path }, { tables: ['events', 'customers'] })
  await source.install()
  const events = new ChangeStream({ source })
  const propagator = new Propagator({
    source: sqliteChanges({ path }, { tables: ['customers'] }), origin: 'here',
    peers: [httpPeer({ url: 'http://127.0.0.1:9/propagate', token: SECRETS.peer, name: 'warehouse' })],
  })
  const sources = { shop: nodeSqliteSource({ path }), sqlite: ({ database }: { readonly database?: string | undefined }) => nodeSqliteSource({ path: database ?? path }) }
  const holder: { importer?: AnyImporter } = {}
  const importer = heldImporter(() => holder.importer ?? unreachable(), open.signal)
  const world = await makeWorld({ basePath: '/data', replicator, propagator, sources, exports: { runs: false, waitMs: 0 }, importer, ...options }, { events })
  holder.importer = world.importer
  await pastSyncs({ replicator, clock, other })
  await replicator.start()
  other.exec("INSERT INTO customers VALUES (9001, 'Ida', 'ida@example.org')")
  await propagator.flush({ budgetMs: 200 }).catch(() => undefined)
  const pendingExport = await makeDumps(world)
  return {
    ...world, replicator, propagator, other, pendingExport,
    goOn: () => open.abort(),
    [Symbol.asyncDispose]: async () => {
      open.abort()
      for (const one of [propagator, replicator, events]) await one[Symbol.asyncDispose]()
      await world[Symbol.asyncDispose]()
      other.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function unreachable(): never {
  throw new Error('The world is not made yet.')
}

interface Clock {
  behindMs: number
}

function makeReplicator({ folder, path, clock, open }: { readonly folder: string; readonly path: string; readonly clock: Clock; readonly open: AbortSignal }): Replicator {
  const source = nodeSqliteSource({ path })
  const runtime: Runtime = { ...systemRuntime(), now: () => Date.now() - clock.behindMs }
  return new Replicator({
    target: nodeSqliteTarget({ path: join(folder, 'replica.db') }), runtime, slice: { rows: 4_000 }, jitter: 0,
    replications: [
      { name: 'customers', source, sourceTable: 'customers', syncIntervalMinutes: 5 },
      { name: 'events', source, sourceTable: 'events', syncIntervalMinutes: 2 },
      { name: 'orders', source: gatedSource(source, { pages: 5, open, estimatedRows: ORDERS }), sourceTable: 'orders', syncIntervalMinutes: 30 },
      { name: 'invoices', source, sourceTable: 'invoices', syncIntervalMinutes: 15 },
    ],
  })
}

/** An hour of syncs, with the clock put back. */
async function pastSyncs({ replicator, clock, other }: { readonly replicator: Replicator; readonly clock: Clock; readonly other: DatabaseSync }): Promise<void> {
  for (let minutes = 58; minutes > 1; minutes -= 2) {
    clock.behindMs = minutes * MINUTE_MS
    const rows = 40 + Math.round(35 * Math.sin(minutes / 7)) + (minutes % 3) * 9
    other.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows}) INSERT INTO events (kind, amount) SELECT 'paid', i * 1.25 FROM n`)
    await replicator.syncNow('events')
    if (minutes % 10 !== 8) continue
    other.exec(`INSERT INTO customers (name, mail) VALUES ('Ada ${minutes}', 'ada@example.org')`)
    await replicator.syncNow('customers')
    if (minutes < 30) await replicator.syncNow('invoices').catch(() => undefined)
  }
  clock.behindMs = 0
}

/** One of SQL and one of several files, both complete; an import that something is in the way of; an export that is half done. */
async function makeDumps({ exporter, app, ask, folder }: World): Promise<string> {
  app.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000) INSERT INTO notes SELECT i, 'note ' || i FROM n`)
  const small = { partBytes: 4_096, maxStatementBytes: 1_024 } as const
  const [first, second] = [await exporter.start({ fileName: 'earlier' }), await exporter.start({ ...small, format: 'csv' })]
  for (const { id } of [first, second]) await exporter.finish(id)
  // In the way of the import.
  const target = new DatabaseSync(join(folder, 'imported.db'))
  target.exec('CREATE TABLE users (id)')
  target.close()
  await ask('/import', { as: 'admin', json: { exportId: second.id } })
  const { id } = await exporter.start(small)
  for (let step = 0; step < 3; step += 1) await exporter.step(id, { budget: { bytes: 16_000 } })
  return id
}

function makeShop(path: string): DatabaseSync {
  const database = new DatabaseSync(path)
  database.exec(`
    PRAGMA journal_mode = WAL;
    CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, mail TEXT);
    CREATE TABLE events (id INTEGER PRIMARY KEY, kind TEXT, amount);
    CREATE TABLE orders (id INTEGER PRIMARY KEY, title TEXT);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400) INSERT INTO customers SELECT i, 'customer ' || i, 'c' || i || '@example.org' FROM n;
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ORDERS}) INSERT INTO orders SELECT i, 'order ' || i FROM n;
  `)
  return database
}

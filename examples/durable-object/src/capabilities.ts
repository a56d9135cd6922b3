import { durableObjectChanges, durableObjectSqlite, durableObjectStateStore, durableObjectTarget, r2Storage } from '@tidemark/cloudflare'
import { ChangeStream, Exporter, httpPeer, Propagator, Replicator } from '@tidemark/core'
import { bearerTokens, createHandler, type Authorize, type Handler } from '@tidemark/http'
import { postgresSource } from '@tidemark/postgres'
import type { Environment, ObjectContext } from './environment.ts'

/** There is one object of a name, so that one that was evicted takes back at once what it held. */
const INSTANCE = 'replica'

const DEFAULT_KEPT_CHANGES = 100_000
const DAY_MINUTES = 1_440

export interface Capabilities {
  readonly authorize: Authorize
  readonly handler: Handler
  readonly replicator: Replicator
  readonly exporter: Exporter
  readonly propagator: Propagator
  /** Called after writes, so that nobody waits for the next look at the log. */
  readonly notify: () => void
  /** Forgets changes beyond those that are to be kept: followers do it too, and there may be none. */
  readonly purge: () => Promise<void>
}

const NOTES = 'notes'
const COPY = 'replica'

/** All that an object does besides its own. It connects to nothing yet. Errors: `CONFIG_INVALID`. */
export function capabilitiesOf(context: ObjectContext, environment: Environment): Capabilities {
  const { storage } = context
  // Nobody has to follow; who comes back for changes that are gone is told so.
  const retention = { maxEvents: Number(environment.KEPT_CHANGES ?? DEFAULT_KEPT_CHANGES), whenFull: 'discard' } as const
  const authorize = bearerTokens({ read: environment.READ_TOKEN, operate: environment.OPERATE_TOKEN })
  // One log. The copy is there once it is loaded, and until then there is no feed of it: notes don't wait for that.
  const notes = durableObjectChanges(storage, { tables: [NOTES], retention })
  const changes = durableObjectChanges(storage, { tables: [NOTES, COPY], retention })
  const replicator = replicatorOf(context, environment)
  const exporter = new Exporter({ source: durableObjectSqlite(context), storage: r2Storage(environment.BUCKET), state: durableObjectStateStore(storage), instance: INSTANCE })
  const propagator = new Propagator({ source: notes, origin: INSTANCE, tables: [NOTES], peers: [peerOf(environment)] })
  const handler = createHandler({
    authorize, replicator, exporter, propagator,
    streams: new ChangeStream({ source: changes, instance: INSTANCE }),
    basePath: '/data',
    // The alarm goes on with what is not done in this time.
    exports: { runs: false, waitMs: 5_000 },
    waitUntil: (work) => context.waitUntil(work),
  })
  return {
    authorize, handler, replicator, exporter, propagator,
    notify: () => {
      for (const source of [notes, changes]) source.notify()
    },
    purge: async () => {
      if (!(await notes.status()).isInstalled) return
      await using connection = await notes.connect()
      while (await connection.purge());
    },
  }
}

function replicatorOf({ storage }: ObjectContext, environment: Environment): Replicator {
  const { HYPERDRIVE, DATABASE_URL = '', SOURCE_TABLE, TRACKING_COLUMN, SYNC_INTERVAL_MINUTES, RECONCILE_INTERVAL_MINUTES = DAY_MINUTES } = environment
  // Hyperdrive may change the connection between two statements.
  const source = HYPERDRIVE === undefined ? postgresSource({ url: DATABASE_URL }) : postgresSource({ url: HYPERDRIVE.connectionString, prepare: false })
  return new Replicator({
    target: durableObjectTarget(storage), instance: INSTANCE, slice: { rows: 5_000 },
    replications: [{
      name: 'replica', source, sourceTable: SOURCE_TABLE, targetTable: COPY, trackingColumn: TRACKING_COLUMN,
      syncIntervalMinutes: Number(SYNC_INTERVAL_MINUTES), reconcile: { intervalMinutes: Number(RECONCILE_INTERVAL_MINUTES) },
    }],
  })
}

/** Another object of this Worker. With a URL alone it is whoever answers there. */
function peerOf({ PEERS, PEER_TOKEN }: Environment): ReturnType<typeof httpPeer> {
  const peer = PEERS.get(PEERS.idFromName('main'))
  return httpPeer({ url: 'https://peer/propagate', token: PEER_TOKEN, name: 'peer', fetch: (url, init) => peer.fetch(new Request(url, init)) })
}

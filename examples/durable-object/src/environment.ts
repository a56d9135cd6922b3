import type { AlarmStorage, DurableObjectStorage, R2Bucket } from '@tidemark/cloudflare'

interface Namespace {
  idFromName(name: string): unknown
  get(id: unknown): { fetch(request: Request): Promise<Response> }
}

/** The bindings of `wrangler.jsonc`, and the secrets. */
export interface Environment {
  readonly REPLICAS: Namespace
  readonly PEERS: Namespace
  readonly BUCKET: R2Bucket
  /** Goes before `DATABASE_URL`. */
  readonly HYPERDRIVE?: { readonly connectionString: string } | undefined
  readonly DATABASE_URL?: string | undefined
  readonly READ_TOKEN: string
  readonly OPERATE_TOKEN: string
  /** By which the peer knows the replica. */
  readonly PEER_TOKEN: string
  readonly SOURCE_TABLE: string
  readonly TRACKING_COLUMN: string
  readonly SYNC_INTERVAL_MINUTES: string
  /** Minutes between two passes that find rows which PostgreSQL has deleted. Default 1440. */
  readonly RECONCILE_INTERVAL_MINUTES?: string | undefined
  /** How many changes are kept for clients of the feed that come back. Default 100,000. */
  readonly KEPT_CHANGES?: string | undefined
  /** How long one alarm works on each capability, in milliseconds. Default 10,000. */
  readonly SLICE_MS?: string | undefined
}

/** What of an object's `ctx` is used. */
export interface ObjectContext {
  readonly storage: DurableObjectStorage & AlarmStorage
  waitUntil(work: Promise<unknown>): void
}

import type { D1Database, D1DatabaseSession, DurableObjectStorage, R2Bucket } from '@cloudflare/workers-types'
import { d1Changes } from '../d1-changes.ts'
import { d1PropagationTarget } from '../d1-propagation-target.ts'
import { d1Sqlite } from '../d1-sqlite.ts'
import { d1StateStore } from '../d1-state-store.ts'
import { durableObjectChanges } from '../durable-object-changes.ts'
import { durableObjectPropagationTarget } from '../durable-object-propagation-target.ts'
import { durableObjectSqlite } from '../durable-object-sqlite.ts'
import { durableObjectStateStore } from '../durable-object-state-store.ts'
import { r2Storage } from '../storage/r2-storage.ts'

/** Compiles as long as what Cloudflare's own types describe is accepted. Never called. */
export function acceptsCloudflareTypes(storage: DurableObjectStorage, database: D1Database, session: D1DatabaseSession, bucket: R2Bucket): readonly unknown[] {
  const options = { tables: ['t'] }
  return [durableObjectChanges(storage, options), durableObjectStateStore(storage), d1Changes(database, options), d1Changes(session, options), d1StateStore(database), r2Storage(bucket), durableObjectSqlite({ storage }), d1Sqlite(database), d1Sqlite(session), durableObjectPropagationTarget(storage), d1PropagationTarget(database), d1PropagationTarget(session)]
}

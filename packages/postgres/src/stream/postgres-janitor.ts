import { TidemarkError, type AbortOptions } from '@tidemark/core/adapter'
import type { PostgresConfig } from '../postgres-config.ts'
import { PostgresSession } from '../postgres-session.ts'
import { findOrphans, type PostgresOrphan, type SlotInventory } from './find-orphans.ts'
import { dropPublication } from './publication.ts'
import { OBJECT_IN_USE } from './replication-slot.ts'

export interface PostgresJanitorOptions {
  /** Slots of this database that some stream still reads or will read, also those that are stopped just now. What is not named here and was made by Tidemark is an orphan. */
  readonly inUse: readonly string[]
}

/** Finds and removes what streams have left in one database. */
export interface PostgresJanitor {
  list(options?: AbortOptions): Promise<readonly PostgresOrphan[]>
  /** Drops what `list` would give, each only if it is so still, and gives what it dropped. */
  drop(options?: AbortOptions): Promise<readonly PostgresOrphan[]>
}

const INVENTORY = `SELECT pg_catalog.json_build_object(
  'publications', coalesce((SELECT pg_catalog.json_agg(pg_catalog.json_build_object('name', pubname, 'comment', pg_catalog.obj_description(oid, 'pg_publication')) ORDER BY pubname) FROM pg_catalog.pg_publication), '[]'),
  'slots', coalesce((SELECT pg_catalog.json_agg(pg_catalog.json_build_object('name', slot_name, 'plugin', plugin, 'temporary', temporary, 'active', active,
    'retained', pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), restart_lsn),
    'inactiveSince', pg_catalog.trunc(EXTRACT(epoch FROM (pg_catalog.to_jsonb(s) ->> 'inactive_since')::pg_catalog.timestamptz) * 1000)::pg_catalog.text))
    FROM pg_catalog.pg_replication_slots s WHERE database = pg_catalog.current_database()), '[]'))`

/** Everything that makes it ours and unused is looked at again by the statement that drops. */
const DROP = `SELECT pg_catalog.pg_drop_replication_slot(s.slot_name) FROM pg_catalog.pg_replication_slots s
WHERE s.slot_name = $1::pg_catalog.text AND s.database = pg_catalog.current_database() AND s.plugin = 'pgoutput' AND NOT s.temporary AND NOT s.active
  AND EXISTS (SELECT 1 FROM pg_catalog.pg_publication p WHERE pg_catalog.obj_description(p.oid, 'pg_publication') ~ ('^managed by tidemark for slot ' || s.slot_name || '($|; dropped)'))`

/**
 * For streams that were given up without `destroy()`. A slot is taken for Tidemark's by the publication that was made with it, never by its
 * name; see docs/decisions/0033. A stream that begins for the first time while this runs has to be named in `inUse`.
 *
 * Errors: `CONFIG_INVALID` at once; `SOURCE_*`.
 */
export function postgresJanitor(config: PostgresConfig & PostgresJanitorOptions): PostgresJanitor {
  const { inUse } = config
  if (!Array.isArray(inUse)) throw new TidemarkError('CONFIG_INVALID', 'The janitor has wrong options.', { issues: [{ path: 'inUse', message: 'Must list the slots that are in use; empty when none is.' }] })
  return {
    list: (options = {}) => withSession(config, (session) => list(session, inUse, options)),
    drop: (options = {}) => withSession(config, async (session) => {
      const dropped: PostgresOrphan[] = []
      for (const orphan of await list(session, inUse, options)) if (await drop(session, orphan, options)) dropped.push(orphan)
      return dropped
    }),
  }
}

async function withSession<T>(config: PostgresConfig, work: (session: PostgresSession) => Promise<T>): Promise<T> {
  await using session = new PostgresSession(config)
  return await work(session)
}

async function list(session: PostgresSession, inUse: readonly string[], options: AbortOptions): Promise<readonly PostgresOrphan[]> {
  const [row] = await session.query({ text: INVENTORY, signal: options.signal })
  // The statement above builds exactly this shape.
  return findOrphans(JSON.parse(row?.[0] ?? '') as SlotInventory, inUse)
}

/** The slot first: a publication that is left over is found again, a slot without one is not. */
async function drop(session: PostgresSession, { slot, hasSlot, publications }: PostgresOrphan, options: AbortOptions): Promise<boolean> {
  if (hasSlot && !await dropIfUnused(session, slot, options)) return false
  for (const publication of publications) await dropPublication(session, { publication, slot, ...options })
  return true
}

async function dropIfUnused(session: PostgresSession, slot: string, options: AbortOptions): Promise<boolean> {
  try {
    return (await session.query({ text: DROP, parameters: [slot], signal: options.signal })).length > 0
  } catch (error) {
    // Somebody has begun to read it between the look and the drop.
    if (error instanceof TidemarkError && error.detail === OBJECT_IN_USE) return false
    throw error
  }
}

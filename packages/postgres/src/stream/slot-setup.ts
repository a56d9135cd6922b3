import { TidemarkError, type AbortOptions } from '@tidemark/core/adapter'
import type { PostgresSession } from '../postgres-session.ts'
import { openReplication } from './open-replication.ts'
import { ensurePublication } from './publication.ts'
import { describePublished, type PublishedTable } from './published-table.ts'
import { createSlot, dropSlot, readSlot, type GapReason, type SlotState } from './replication-slot.ts'
import { readServerFacts, type ServerFacts } from './server-facts.ts'
import type { StreamSettings } from './stream-settings.ts'

/** Publication and slot as they stand, ready to be read. */
export interface SlotSetup {
  readonly facts: ServerFacts
  readonly slot: SlotState
  /** Why the slot had to be made: what was before it is not kept. */
  readonly made: GapReason | undefined
  readonly isPublicationNew: boolean
}

/** Everything that is looked at before anything is made. Errors: as {@link readServerFacts} and {@link describePublished}. */
export async function describeAll(session: PostgresSession, settings: StreamSettings, options: AbortOptions): Promise<readonly PublishedTable[]> {
  await readServerFacts(session, settings.slot, options)
  const tables: PublishedTable[] = []
  for (const ref of settings.tables) tables.push(await describePublished(session, ref, options))
  await readSlot(session, settings.slot, options)
  const { instance } = await openReplication(session, options)
  await instance.close()
  return tables
}

/**
 * Makes what is missing. The publication comes first: what was written before it can't be decoded, and a slot without it is of no use.
 */
export async function setUpSlot(session: PostgresSession, settings: StreamSettings, { tables, ...options }: AbortOptions & { readonly tables: readonly PublishedTable[] }): Promise<SlotSetup> {
  const facts = await readServerFacts(session, settings.slot, options)
  // One that is temporary is made by the connection that streams it.
  const found = settings.isTemporary ? TEMPORARY : await readSlot(session, settings.slot, options)
  const isPublicationNew = await ensurePublication(session, { publication: settings.publication, tables, ...options })
  if (found !== undefined && !found.isLost && (settings.isTemporary || !isPublicationNew)) return { facts, slot: found, made: undefined, isPublicationNew }
  if (found !== undefined) await dropSlot(session, settings.slot, options)
  const slot = await create(session, settings.slot, options)
  return { facts, slot, made: found?.isLost === true ? 'slot-lost' : 'slot-missing', isPublicationNew }
}

const TEMPORARY: SlotState = { confirmed: 0n, isLost: false, activePid: undefined }

async function create(session: PostgresSession, slot: string, options: AbortOptions): Promise<SlotState> {
  try {
    return await createSlot(session, slot, options)
  } catch (error) {
    // Another process was a moment faster, with the same name: its slot is as good.
    const found = error instanceof TidemarkError && error.detail === '42710' ? await readSlot(session, slot, options) : undefined
    if (found === undefined) throw error
    return found
  }
}

import { TidemarkError, type AbortOptions } from '@tidemark/core/adapter'
import { mapPostgresError } from '../errors.ts'
import { PostgresSession } from '../postgres-session.ts'
import { quoteIdentifier } from '../quote.ts'
import type { SqlSession } from '../sql-session.ts'
import type { Lsn } from './lsn.ts'
import { ask, openReplication } from './open-replication.ts'
import { ensurePublication, markPublication } from './publication.ts'
import { describePublished, type PublishedTable } from './published-table.ts'
import { createSlot, dropSlot, readSlot, type CreateSlotRequest, type GapReason, type SlotState } from './replication-slot.ts'
import { readServerFacts, unavailable, type ServerFacts } from './server-facts.ts'
import type { StreamSettings } from './stream-settings.ts'

/** Publication and slot as they stand, ready to be read. */
export interface SlotSetup {
  readonly facts: ServerFacts
  readonly slot: SlotState
  /** Why the slot had to be made: what was before it is not kept. */
  readonly made: GapReason | undefined
  readonly isPublicationNew: boolean
  /** What is missing before this place was given up with a slot that kept too much. */
  readonly droppedBefore: Lsn | undefined
}

/** Everything that is looked at before anything is made. Errors: as {@link readServerFacts} and {@link describePublished}. */
export async function describeAll(session: PostgresSession, settings: StreamSettings, options: AbortOptions): Promise<readonly PublishedTable[]> {
  const tables = await describeTables(session, settings, options)
  const { instance } = await openReplication(session, options)
  await instance.close()
  return tables
}

/** The same without a connection that could stream. */
export async function describeTables(session: SqlSession, settings: StreamSettings, options: AbortOptions): Promise<readonly PublishedTable[]> {
  requireVersion(await readServerFacts(session, settings.slot, options), settings)
  const tables: PublishedTable[] = []
  for (const ref of settings.tables) tables.push(await describePublished(session, ref, options))
  await readSlot(session, settings.slot, options)
  return tables
}

export interface SetUpRequest extends AbortOptions {
  readonly tables: readonly PublishedTable[]
  /** What the slot stands for can't be decoded any more: there was no publication when it was written. Default false. */
  readonly isUndecodable?: boolean | undefined
}

/**
 * Makes what is missing. The publication comes first: what was written before it can't be decoded, and a slot without it is of no use.
 */
export async function setUpSlot(session: SqlSession, settings: StreamSettings, { tables, isUndecodable = false, ...options }: SetUpRequest): Promise<SlotSetup> {
  const { slot, publication, failover } = settings
  const facts = await readServerFacts(session, slot, options)
  requireVersion(facts, settings)
  // One that is temporary is made by the connection that streams it.
  const found = settings.isTemporary ? undefined : await readSlot(session, slot, options)
  const published = await ensurePublication(session, { publication, slot, tables, ...options })
  if (settings.retentionPolicy === 'drop-slot' && !published.isOurs) throw notOurs(publication)
  const isPublicationNew = published.isNew
  if (settings.isTemporary) return { facts, slot: TEMPORARY, made: undefined, droppedBefore: undefined, isPublicationNew }
  const kept = found !== undefined && !found.isLost && !isPublicationNew && !isUndecodable ? found : undefined
  if (found !== undefined && kept === undefined) await dropSlot(session, slot, options)
  const state = await withFailover(session, settings, { found: kept ?? await create(session, { slot, failover, ...options }), ...options })
  const droppedBefore = published.dropped === 'open' ? state.confirmed : published.dropped
  // Only once the slot is there: a start that ends before has the reason still.
  if (published.dropped === 'open') await markPublication(session, { publication, slot, dropped: droppedBefore, ...options })
  return { facts, slot: state, made: kept === undefined ? reasonOf(found) : undefined, droppedBefore, isPublicationNew }
}

const TEMPORARY: SlotState = { confirmed: 0n, isLost: false, activePid: undefined, failover: false }

function reasonOf(found: SlotState | undefined): GapReason {
  return found?.isLost === true ? 'slot-lost' : 'slot-missing'
}

async function create(session: SqlSession, request: CreateSlotRequest): Promise<SlotState> {
  try {
    return await createSlot(session, request)
  } catch (error) {
    // Another process was a moment faster, with the same name: its slot is as good.
    const found = error instanceof TidemarkError && error.detail === '42710' ? await readSlot(session, request.slot, request) : undefined
    if (found === undefined) throw error
    return found
  }
}

/** What an option needs of the server. */
function requireVersion({ major }: ServerFacts, { failover, origin }: StreamSettings): void {
  if (failover && major < FAILOVER_MAJOR) throw tooOld('failover', `PostgreSQL ${major} has no slots that outlive a failover.`, FAILOVER_MAJOR)
  if (origin === 'none' && major < ORIGIN_MAJOR) throw tooOld('origin', `PostgreSQL ${major} can't leave out what came from another server.`, ORIGIN_MAJOR)
}

function tooOld(option: string, message: string, major: number): TidemarkError {
  return new TidemarkError('SERVER_UNSUPPORTED', message, { detail: option, remedy: `Use PostgreSQL ${major} or later, or leave \`${option}\` out.` })
}

/** A slot that was there before may have to be told; what the server says of it then is what counts. */
async function withFailover(session: SqlSession, { slot, failover }: StreamSettings, { found, ...options }: AbortOptions & { readonly found: SlotState }): Promise<SlotState> {
  if (!failover) return found
  const before = await readSlot(session, slot, options)
  // Only a log sender can alter a slot.
  if (before?.failover === false && before.activePid === undefined && session instanceof PostgresSession) await alterSlot(session, slot, options)
  const after = await readSlot(session, slot, options)
  // One that another process reads is told by that, or by the next start.
  if (after?.failover === true || after?.activePid !== undefined) return { ...found, failover: after.failover }
  throw unavailable('failover', 'The server did not take the replication slot for one that outlives a failover.', 'Leave `failover` out, or see ALTER_REPLICATION_SLOT in the server\'s manual.')
}

async function alterSlot(session: PostgresSession, slot: string, options: AbortOptions): Promise<void> {
  const { instance } = await openReplication(session, options)
  try {
    await ask(instance, `ALTER_REPLICATION_SLOT ${quoteIdentifier(slot)} ( FAILOVER true )`, { ...options, timeoutMs: session.queryTimeoutMs })
  } catch (error) {
    throw mapPostgresError(error)
  } finally {
    await instance.close()
  }
}

/** Since then `FAILOVER` is known. */
const FAILOVER_MAJOR = 17
/** Since then `pgoutput` has the option. */
const ORIGIN_MAJOR = 16

/** Nothing of the server's says whose slot it is but the publication that was made with it. */
function notOurs(publication: string): TidemarkError {
  return new TidemarkError('LOG_NOT_OWNED', `The publication "${publication}" was not made by Tidemark for this slot: the slot may be another's, and is not dropped.`, {
    detail: 'publication', remedy: 'Leave `publication` out, so that Tidemark makes its own, or set `retentionPolicy: \'alert\'`.',
  })
}

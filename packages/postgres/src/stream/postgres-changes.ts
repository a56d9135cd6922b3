import { TidemarkError, type AbortOptions, type ChangeConnection, type ChangeSource, type ChangeSourceCapabilities, type ConfigIssue, type MessageSelection } from '@tidemark/core/adapter'
import { addressOf } from '../connect-target.ts'
import { parseTableName } from '../parse-table-name.ts'
import type { PostgresConfig } from '../postgres-config.ts'
import { PostgresSession } from '../postgres-session.ts'
import { PostgresChangeConnection } from './postgres-change-connection.ts'
import { dropPublication } from './publication.ts'
import { dropSlot } from './replication-slot.ts'
import { RetentionWatch } from './retention-watch.ts'
import type { SlotStatus } from './slot-status.ts'
import type { StreamSettings } from './stream-settings.ts'
import { streamingIssues, streamingSettings, type StreamingOptions } from './streaming/streaming-settings.ts'

/** What a user chooses about a stream of changes, beside how to connect. */
export interface PostgresChangesOptions {
  /** The replication slot: lower-case letters, digits and underscores. One stream reads it at a time. Made where it is missing. */
  readonly slot: string
  /** Tables to capture, as `users`, `public.users` or `"odd.name"`. May be none where `messages` is given. */
  readonly tables: readonly string[]
  /** Default: the slot's name. Made where it is missing; one that Tidemark made follows `tables`, to another only tables are added. */
  readonly publication?: string | undefined
  /** `auto`: subscribers without a checkpoint first get the rows that are there, as a stream with `snapshot: 'initial'` has it. Default `none`. */
  readonly snapshot?: 'auto' | 'none' | undefined
  /** What follows when changes are missing, unless the stream says so itself: the subscriber ends, or gets a new snapshot. Default `fail`. */
  readonly onGap?: 'fail' | 'resnapshot' | undefined
  /** Logical name of the source: part of event ids and checkpoints. Default `postgres`. */
  readonly name?: string | undefined
  /**
   * How long one snapshot is read from before a later one is taken, in milliseconds. Meanwhile the log waits, and the server can't clean
   * up what the snapshot sees. Default 30,000.
   */
  readonly snapshotAgeMs?: number | undefined
  /**
   * A slot that goes with its connection, so that nothing is ever left at the server to keep the log for. Changes begin when it is opened; a
   * connection that breaks is a gap. For live subscribers. A publication that was made for it goes at the end. Default `false`.
   */
  readonly temporary?: boolean | undefined
  /**
   * How much of its log the server may keep for the slot, in bytes. From half of it on, as from half of the server's own
   * `max_slot_wal_keep_size`, the event `retention` warns. Default: what the server allows.
   */
  readonly maxRetainedBytes?: number | undefined
  /**
   * What follows when it keeps more than `maxRetainedBytes`: only the event, or the slot is dropped, once the event has told so. What was not read is
   * lost then: a `gap` with the reason `slot-dropped`. Default `alert`. Looked at with each heartbeat of a stream that is at work.
   */
  readonly retentionPolicy?: 'alert' | 'drop-slot' | undefined
  /** Whether standbys keep the slot too, so that the stream can go on after a failover. Needs PostgreSQL 17. Default false. */
  readonly failover?: boolean | undefined
  /**
   * `none`: only what was written at this server itself, not what a replication brought to it: changes whose `tx.origin` is set. The server leaves
   * them out. Needs PostgreSQL 16. Snapshots have the rows of any origin. Default `any`.
   */
  readonly origin?: 'none' | 'any' | undefined
  /**
   * How long a snapshot waits for transactions that write when it is taken, in milliseconds. Then `TIMEOUT`, with `detail` `snapshot`, and it is
   * tried again. Default 120,000, as `queryTimeoutMs`.
   */
  readonly snapshotWaitMs?: number | undefined
  /**
   * Whether the server sends transactions that are larger than its `logical_decoding_work_mem` while they go on, instead of keeping them on its disk
   * and sending them once they are committed. They are delivered as ever: as a whole, when and in the order in which they are committed, and what is
   * rolled back is not. Until then they are here, in memory and in a spool. Errors: `SPOOL_FULL`, `SPOOL_FAILED`. Default `false`.
   */
  readonly streaming?: boolean | StreamingOptions | undefined
  /**
   * Also what `pg_logical_emit_message` writes into the log: all messages of this database, or those whose prefix is named. A subscriber gets them where it asks
   * for them too. They count in `tx.sequence`, so that the ids of changes beside them are others with the option than without. Default: none.
   */
  readonly messages?: MessageSelection | undefined
  /**
   * What becomes of a large value that an update left as it was, which the server does not send: it is named in `unavailable`, or read from the table by its row's key,
   * as it is by then. Where the row was changed again meanwhile, that is newer than the change; where it is gone, the value stays unavailable. Slices have at most 256 changes
   * then. Default `unavailable`.
   */
  readonly unchangedToast?: 'unavailable' | 'reread' | undefined
}

/** A change source on a PostgreSQL server whose slot can also be looked at and removed. */
export interface PostgresChanges extends ChangeSource {
  /** What the server keeps for the slot, also while nobody reads it, and since the last call, how fast that grows. Made for a timer: a slot that nobody looks after fills the disk. */
  slotStatus(options?: AbortOptions): Promise<SlotStatus>
  /** Drops slot and publication, if Tidemark made that. Errors: `LEASE_HELD` while somebody reads the slot. */
  drop(options?: AbortOptions): Promise<void>
}

const CAPABILITIES: ChangeSourceCapabilities = {
  resumes: true, rereads: false, seesAllWriters: true, changes: 'every', transactions: 'exact', before: 'full', keylessTables: true, snapshots: true, schemaChanges: true, messages: false,
}

/** The stream wakes its reader; this is how often it is looked at while a snapshot waits for it. */
const POLL_INTERVAL_MS = 100

/**
 * Changes of PostgreSQL 14 and later from its log, by a replication slot and the built-in plugin `pgoutput`: every client's, also while
 * nobody listens. See docs/spec/change-stream.md. Opens nothing by itself.
 *
 * Errors: `CONFIG_INVALID` at once; `connect`: `LOG_UNAVAILABLE`, `LOG_NOT_OWNED`, `TABLE_UNKNOWN`, `TABLE_NOT_CAPTURABLE`, `SOURCE_*`.
 */
export function postgresChanges(config: PostgresConfig & PostgresChangesOptions): PostgresChanges {
  const settings = toSettings(config)
  const retention = new RetentionWatch(settings)
  return {
    name: settings.name,
    connector: 'postgresql',
    address: addressOf(config),
    defaults: { snapshot: config.snapshot === 'auto' ? 'initial' : 'none', onGap: config.onGap },
    capabilities: { ...CAPABILITIES, resumes: !settings.isTemporary, messages: settings.messages !== undefined },
    pollIntervalMs: POLL_INTERVAL_MS,
    connect: (options = {}) => connect(config, settings, options),
    slotStatus: (options = {}) => withSession(config, (session) => retention.look(session, options)),
    drop: (options = {}) => withSession(config, async (session) => {
      await dropSlot(session, settings.slot, options)
      await dropPublication(session, { publication: settings.publication, slot: settings.slot, ...options })
    }),
  }
}

async function withSession<T>(config: PostgresConfig, work: (session: PostgresSession) => Promise<T>): Promise<T> {
  await using session = new PostgresSession(config)
  return await work(session)
}

async function connect(config: PostgresConfig, settings: StreamSettings, options: AbortOptions): Promise<ChangeConnection> {
  const session = new PostgresSession(config)
  try {
    return await PostgresChangeConnection.open(session, settings, options)
  } catch (error) {
    await session[Symbol.asyncDispose]()
    throw error
  }
}

function toSettings(config: PostgresConfig & PostgresChangesOptions): StreamSettings {
  const issues = optionIssues(config)
  if (issues.length > 0) throw new TidemarkError('CONFIG_INVALID', 'The change source has wrong options.', { issues })
  return {
    name: config.name ?? 'postgres',
    slot: config.slot,
    publication: config.publication ?? config.slot,
    tables: config.tables.map((table) => parseTableName(table, config.defaultSchema ?? 'public')),
    snapshotAgeMs: config.snapshotAgeMs ?? 30_000,
    isTemporary: config.temporary ?? false,
    maxRetainedBytes: config.maxRetainedBytes,
    retentionPolicy: config.retentionPolicy ?? 'alert',
    failover: config.failover ?? false,
    origin: config.origin ?? 'any',
    messages: config.messages,
    unchangedToast: config.unchangedToast ?? 'unavailable',
    snapshotWaitMs: config.snapshotWaitMs ?? config.queryTimeoutMs ?? 120_000,
    streaming: streamingSettings(config.streaming),
    now: () => Date.now(),
  }
}

export function optionIssues({ slot, tables, messages, unchangedToast, publication, name, snapshot, onGap, snapshotAgeMs, maxRetainedBytes, retentionPolicy, temporary, failover, snapshotWaitMs, streaming }: PostgresChangesOptions): readonly ConfigIssue[] {
  const issues: ConfigIssue[] = []
  if (!/^[a-z0-9_]{1,63}$/.test(slot)) issues.push({ path: 'slot', message: 'Must be 1 to 63 lower-case letters, digits or underscores.' })
  issues.push(...wantedIssues({ tables, messages, unchangedToast }), ...streamingIssues(streaming))
  if (publication !== undefined && (publication === '' || publication.includes('\0'))) issues.push({ path: 'publication', message: 'Must be a name without NUL.' })
  if (name !== undefined && !/^[\w.-]{1,63}$/.test(name)) issues.push({ path: 'name', message: 'Must be 1 to 63 letters, digits, dots, dashes or underscores.' })
  if (snapshot !== undefined && snapshot !== 'auto' && snapshot !== 'none') issues.push({ path: 'snapshot', message: 'Must be "auto" or "none".' })
  if (onGap !== undefined && onGap !== 'fail' && onGap !== 'resnapshot') issues.push({ path: 'onGap', message: 'Must be "fail" or "resnapshot".' })
  if (snapshotAgeMs !== undefined && !(snapshotAgeMs >= 1 && Number.isFinite(snapshotAgeMs))) issues.push({ path: 'snapshotAgeMs', message: 'Must be at least 1.' })
  if (maxRetainedBytes !== undefined && !(maxRetainedBytes >= 1 && Number.isFinite(maxRetainedBytes))) issues.push({ path: 'maxRetainedBytes', message: 'Must be at least 1.' })
  if (retentionPolicy === 'drop-slot' && maxRetainedBytes === undefined) issues.push({ path: 'retentionPolicy', message: 'Needs `maxRetainedBytes` to drop the slot by.' })
  if (snapshotWaitMs !== undefined && !(snapshotWaitMs >= 1 && Number.isFinite(snapshotWaitMs))) issues.push({ path: 'snapshotWaitMs', message: 'Must be at least 1.' })
  if (temporary === true && (failover === true || retentionPolicy === 'drop-slot')) issues.push({ path: 'temporary', message: 'Goes with its connection: neither `failover` nor `drop-slot` is for it.' })
  return issues
}

function wantedIssues({ tables, messages, unchangedToast }: Pick<PostgresChangesOptions, 'tables' | 'messages' | 'unchangedToast'>): readonly ConfigIssue[] {
  const issues: ConfigIssue[] = []
  if (!Array.isArray(tables) || (tables.length === 0 && messages === undefined)) issues.push({ path: 'tables', message: 'Must name at least one table.' })
  if (!isSelection(messages)) issues.push({ path: 'messages', message: 'Must be true or { prefixes: […] }, with a prefix at least.' })
  if (unchangedToast !== undefined && unchangedToast !== 'unavailable' && unchangedToast !== 'reread') issues.push({ path: 'unchangedToast', message: 'Must be "unavailable" or "reread".' })
  return issues
}

function isSelection(messages: MessageSelection | undefined): boolean {
  if (messages === undefined || messages === true) return true
  return typeof messages === 'object' && Array.isArray(messages.prefixes) && messages.prefixes.length > 0 && messages.prefixes.every((prefix: unknown) => typeof prefix === 'string')
}

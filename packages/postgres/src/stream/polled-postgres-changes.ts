import { TidemarkError, type AbortOptions, type ChangeSourceCapabilities, type ConfigIssue } from '@tidemark/core/adapter'
import { ExecutorSession, type PostgresExecutor } from '../executor-session.ts'
import { parseTableName } from '../parse-table-name.ts'
import type { PollSettings } from './poll-settings.ts'
import { PolledChangeConnection } from './polled-change-connection.ts'
import { optionIssues, type PostgresChanges, type PostgresChangesOptions } from './postgres-changes.ts'
import { dropPublication } from './publication.ts'
import { dropSlot } from './replication-slot.ts'
import { RetentionWatch } from './retention-watch.ts'

export interface PolledPostgresChangesOptions extends Omit<PostgresChangesOptions, 'snapshot' | 'onGap' | 'snapshotAgeMs' | 'snapshotWaitMs' | 'temporary' | 'retentionPolicy' | 'failover' | 'origin' | 'unchangedToast' | 'streaming'> {
  /** Runs one statement; see {@link PostgresExecutor}. The application's: it is never closed. */
  readonly execute: PostgresExecutor
  /** For status and errors, without credentials. Default `postgres://(by executor)`. */
  readonly address?: string | undefined
  /** Schema of table names without one. Default `public`. */
  readonly defaultSchema?: string | undefined
  /** Between two looks while changes come, in milliseconds. Default 1,000. */
  readonly pollIntervalMs?: number | undefined
  /** Between two looks while none come: each is half as long again after the one before. Default 30,000. */
  readonly maxPollIntervalMs?: number | undefined
  /** Rows of one look. Default 10,000. */
  readonly maxPollRows?: number | undefined
  /** Bytes of one look, before base64; one change alone is never too much. Default 4 MiB. */
  readonly maxPollBytes?: number | undefined
  /** For one statement, in milliseconds. Default 120,000. */
  readonly queryTimeoutMs?: number | undefined
}

const CAPABILITIES: ChangeSourceCapabilities = {
  resumes: true, rereads: false, seesAllWriters: true, changes: 'every', transactions: 'exact', before: 'full', keylessTables: true, snapshots: false, schemaChanges: true, messages: false,
}

/**
 * The changes of `postgresChanges` for places that have no replication connection: a slot that is looked at by plain SQL, from time to time. Same events, same
 * checkpoints. Has no snapshots. A transaction that is larger than a look is read by the server once a look. Leases are rows of `public.tidemark_leases` in the source.
 *
 * Errors: `CONFIG_INVALID` at once; `connect`: as `postgresChanges`.
 */
export function polledPostgresChanges(options: PolledPostgresChangesOptions): PostgresChanges {
  const settings = toSettings(options)
  const retention = new RetentionWatch(settings)
  const session = new ExecutorSession(options.execute, options.queryTimeoutMs ?? 120_000)
  return {
    name: settings.name,
    connector: 'postgresql',
    address: options.address ?? 'postgres://(by executor)',
    capabilities: { ...CAPABILITIES, messages: settings.messages !== undefined },
    pollIntervalMs: settings.pollIntervalMs,
    connect: (connecting: AbortOptions = {}) => PolledChangeConnection.open(session, settings, connecting),
    slotStatus: (asking = {}) => retention.look(session, asking),
    drop: async (dropping = {}) => {
      await dropSlot(session, settings.slot, dropping)
      await dropPublication(session, { publication: settings.publication, slot: settings.slot, ...dropping })
    },
  }
}

function toSettings(options: PolledPostgresChangesOptions): PollSettings {
  const issues = [...optionIssues(options), ...pollIssues(options)]
  if (issues.length > 0) throw new TidemarkError('CONFIG_INVALID', 'The change source has wrong options.', { issues })
  const pollIntervalMs = options.pollIntervalMs ?? 1_000
  return {
    name: options.name ?? 'postgres',
    slot: options.slot,
    publication: options.publication ?? options.slot,
    tables: options.tables.map((table) => parseTableName(table, options.defaultSchema ?? 'public')),
    snapshotAgeMs: 0,
    isTemporary: false,
    origin: 'any',
    snapshotWaitMs: 0,
    streaming: undefined,
    messages: options.messages,
    unchangedToast: 'unavailable',
    maxRetainedBytes: options.maxRetainedBytes,
    retentionPolicy: 'alert',
    failover: false,
    now: () => Date.now(),
    pollIntervalMs,
    maxPollIntervalMs: Math.max(pollIntervalMs, options.maxPollIntervalMs ?? 30_000),
    maxPollRows: options.maxPollRows ?? 10_000,
    maxPollBytes: options.maxPollBytes ?? 4 * 1024 * 1024,
  }
}

function pollIssues(options: PolledPostgresChangesOptions): readonly ConfigIssue[] {
  const issues: ConfigIssue[] = []
  if (typeof options.execute !== 'function') issues.push({ path: 'execute', message: 'Must be a function.' })
  for (const path of ['pollIntervalMs', 'maxPollIntervalMs', 'maxPollRows', 'maxPollBytes', 'queryTimeoutMs'] as const) {
    const value = options[path]
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= 1)) issues.push({ path, message: 'Must be a whole number, at least 1.' })
  }
  return issues
}

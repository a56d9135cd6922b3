import type { DatabaseSync } from 'node:sqlite'
import { mainTable } from '@tidemark/sqlite'
import { TidemarkError, type ConfigIssue, type UnrepresentablePolicy } from '@tidemark/core/adapter'

export interface SessionChangesOptions {
  /** Tables of `main` to capture; each needs a primary key. Letter case does not matter, as in SQLite. */
  readonly tables: readonly string[]
  /** Logical name: part of every event's id and of every checkpoint. Default `sqlite`. */
  readonly name?: string | undefined
  /** Greatest time between two looks at what was written outside of `transaction`, in milliseconds. Default 500. */
  readonly pollIntervalMs?: number | undefined
  /** What changes that nobody has read yet may take in memory. Beyond, they are let go of, which is a gap. Default 64 MiB. */
  readonly maxBufferedBytes?: number | undefined
  /** What becomes of a text whose bytes are no text. Default `error`, which stops the stream there. Keys are always `error`. */
  readonly onUnrepresentable?: UnrepresentablePolicy | undefined
}

export interface SessionSettings {
  readonly tables: readonly string[]
  readonly name: string
  readonly pollIntervalMs: number
  readonly maxBufferedBytes: number
  readonly policy: UnrepresentablePolicy
}

const DEFAULT_POLL_INTERVAL_MS = 500
const DEFAULT_BUFFERED_BYTES = 64 * 1024 * 1024

/** Errors: `CONFIG_INVALID` with every fault, `TABLE_NOT_CAPTURABLE` for a table of another schema. */
export function sessionSettings(options: SessionChangesOptions): SessionSettings {
  const settings = {
    tables: options.tables.map(mainTable),
    name: options.name ?? 'sqlite',
    pollIntervalMs: options.pollIntervalMs ?? DEFAULT_POLL_INTERVAL_MS,
    maxBufferedBytes: options.maxBufferedBytes ?? DEFAULT_BUFFERED_BYTES,
    policy: options.onUnrepresentable ?? 'error',
  }
  const issues = issuesOf(settings)
  if (issues.length > 0) throw new TidemarkError('CONFIG_INVALID', `The options of sessionChanges have faults: ${issues.map(({ path }) => path).join(', ')}.`, { issues })
  return settings
}

function issuesOf({ tables, name, pollIntervalMs, maxBufferedBytes }: SessionSettings): readonly ConfigIssue[] {
  const issues: ConfigIssue[] = []
  if (tables.length === 0) issues.push({ path: 'tables', message: 'names no table' })
  for (const [index, table] of tables.entries()) {
    if (tables.findIndex((other) => other.toLowerCase() === table.toLowerCase()) < index) issues.push({ path: `tables[${index}]`, message: 'is named twice' })
  }
  if (name === '') issues.push({ path: 'name', message: 'is empty' })
  if (!(pollIntervalMs > 0)) issues.push({ path: 'pollIntervalMs', message: 'is not above 0' })
  if (!(maxBufferedBytes > 0)) issues.push({ path: 'maxBufferedBytes', message: 'is not above 0' })
  return issues
}

/** What a runtime's node:sqlite must have. Errors: `NOT_SUPPORTED`. */
export function requireSessions(database: DatabaseSync): void {
  const { isTransaction, createSession } = database as Partial<DatabaseSync> // absent in older runtimes
  if (typeof createSession === 'function' && typeof isTransaction === 'boolean') return
  throw new TidemarkError('NOT_SUPPORTED', 'The runtime\'s node:sqlite has no sessions, or does not tell whether a transaction is open.', {
    remedy: 'Use Node 22.16, Deno 2.9 or Bun 1.4 or newer, or the trigger log: sqliteChanges(db).',
  })
}

import { TidemarkError, type AbortOptions, type ChangeConnection, type ChangeSource, type ChangeSourceCapabilities, type ConnectChangesOptions, type Unsubscribe } from '@tidemark/core/adapter'
import { alterCaptured } from './alter-captured.ts'
import { readCaptureStatus, type CaptureStatus } from './capture-status.ts'
import { mainTable } from './main-table.ts'
import { logNames } from './log-names.ts'
import type { RetentionLimit } from './log-retention.ts'
import { LogSession, type LogDrivers } from './log-session.ts'
import type { ReplacePolicy } from './note-plan.ts'
import { SqliteChangeConnection } from './sqlite-change-connection.ts'
import type { SqliteChangeSettings } from './sqlite-change-settings.ts'
import { uninstallCapture } from './uninstall-capture.ts'
import { COUNTED, keptWatch } from './schema-watch.ts'
import type { HostForm, TextPolicy } from './value-reading.ts'

/** What a user chooses about a change log. */
export interface SqliteChangesOptions {
  /**
   * Tables to capture, as `users`, `main.users` or `"odd.name"`. Those captured before stay captured. Default: these, and those that whoever reads the source names; at
   * least one there must be.
   */
  readonly tables?: readonly string[] | undefined
  /** Logical name of the source: part of event ids and checkpoints. Default `sqlite`. */
  readonly name?: string | undefined
  /** Prefix of the log's tables in the database, a plain name. Default `tidemark`. */
  readonly log?: string | undefined
  /** Greatest time between two looks at the log, in milliseconds. Default 100. */
  readonly pollIntervalMs?: number | undefined
  /**
   * How far rows that REPLACE removes are captured. `auto`: exactly on tables with more than one unique key; on the others REPLACE
   * gives an insert of a key that exists. `exact`: on all, for about the price of capturing itself. Default `auto`.
   */
  readonly replace?: ReplacePolicy | undefined
  /** Default: as many changes are kept as consumers need. */
  readonly retention?: Partial<RetentionLimit> | undefined
  /** `bigint` gives every integer as bigint, so that no column has two types. Default `auto`: numbers in the safe range. */
  readonly integers?: 'auto' | 'bigint' | undefined
  /** A text that is no valid text: an error, or with U+FFFD in place of what is none. Default `error`. */
  readonly onInvalidText?: TextPolicy | undefined
}

/** What the host knows about the database. */
export interface SqliteChangesHost extends LogDrivers {
  /** Path or address without credentials. */
  readonly address: string
  readonly textForm: HostForm
  /** Columns that a table may have. SQLite's default is 2,000. */
  readonly maxColumns: number
  /** Longest row, in bytes. SQLite's default is 1,000,000,000. */
  readonly maxRowBytes: number
  /** Calls the listener when the file changes, where the host can tell. */
  readonly watch?: ((listener: () => void) => Unsubscribe) | undefined
  /** Whether `PRAGMA schema_version` is refused. Default false. */
  readonly hidesSchemaVersion?: boolean | undefined
  /**
   * Whether a reader can see what a transaction of the application may still take back, as where all of a process shares one
   * connection. Default false.
   */
  readonly seesUncommitted?: boolean | undefined
  /** For tests. Default: the clock. */
  readonly now?: (() => number) | undefined
}

/** A change source on a SQLite database that can also be prepared, looked at and removed. */
export interface SqliteChanges extends ChangeSource {
  /** Makes the log and the triggers, or brings them in line with the tables. `connect` does so by itself. */
  install(options?: AbortOptions): Promise<void>
  /** Takes the triggers off the tables named; without tables off all, and the log with them: nothing is left in the schema. */
  uninstall(options?: AbortOptions & { readonly tables?: readonly string[] | undefined }): Promise<void>
  status(options?: AbortOptions): Promise<CaptureStatus>
  /**
   * Runs statements that change captured tables, in one transaction with what that means for capturing. Needed where SQLite refuses a
   * statement because of the triggers, which is DROP COLUMN, and for a table that is made anew and renamed; good for all.
   */
  alter(statements: string | readonly string[], options?: AbortOptions): Promise<void>
  /** Says that this process has written: readers look at once. */
  notify(): void
}

const CAPABILITIES: ChangeSourceCapabilities = {
  resumes: true, rereads: true, seesAllWriters: true, changes: 'every', transactions: 'merged', before: 'full', keylessTables: true, snapshots: true, schemaChanges: true, messages: false,
}

/** Below this, two images of a row may not fit into one. */
const SMALL_ROW_BYTES = 100_000_000

/**
 * Changes of a SQLite database by triggers that write into a log beside the tables: every connection's and process's, also while nobody
 * listens. See docs/spec/sqlite-capture.md.
 *
 * Errors: `CONFIG_INVALID` at once; the methods and `connect`: `TABLE_UNKNOWN`, `TABLE_NOT_CAPTURABLE`, `LOG_NOT_OWNED`, `STATE_NEWER`, `SOURCE_*`.
 */
export function sqliteChanges(host: SqliteChangesHost, options: SqliteChangesOptions = {}): SqliteChanges {
  const settings = toSettings(host, options)
  const listeners = new Set<() => void>()
  const notify = (): void => {
    for (const listener of listeners) listener()
  }
  const onWake = (listener: () => void): Unsubscribe => subscribe(listeners, listener, host.watch)
  const withSession = async <T>(work: (session: LogSession) => Promise<T>): Promise<T> => {
    await using session = new LogSession(host)
    return await work(session)
  }
  return {
    name: settings.name,
    connector: 'sqlite',
    address: host.address,
    capabilities: CAPABILITIES,
    pollIntervalMs: options.pollIntervalMs ?? 100,
    connect: (connectOptions = {}) => connect(host, settings, { ...connectOptions, onWake }),
    install: async (installOptions = {}) => {
      await using connection = await connect(host, settings, { ...installOptions, onWake })
      await connection.head(installOptions)
    },
    uninstall: ({ tables, ...abort } = {}) => withSession((session) => session.write((transaction) => uninstallCapture(transaction, settings.names, tables?.map(mainTable)), abort)),
    status: (abort = {}) => withSession((session) => readCaptureStatus(session, settings, abort)),
    alter: (statements, abort = {}) => withSession((session) => alterCaptured(session, settings, { statements: [statements].flat(), ...abort })),
    notify,
  }
}

async function connect(
  host: SqliteChangesHost, settings: SqliteChangeSettings, { tables = [], ...options }: ConnectChangesOptions & { readonly onWake: (listener: () => void) => Unsubscribe },
): Promise<ChangeConnection> {
  const session = new LogSession(host)
  try {
    const wanted = [...new Set([...settings.tables, ...tables.map(mainTable)])]
    return await SqliteChangeConnection.open(session, { ...settings, tables: wanted }, options)
  } catch (error) {
    await session[Symbol.asyncDispose]()
    throw error
  }
}

function subscribe(listeners: Set<() => void>, listener: () => void, watch: SqliteChangesHost['watch']): Unsubscribe {
  // One entry per call, also for a listener that is given twice.
  const entry = (): void => listener()
  listeners.add(entry)
  const unwatch = watch?.(entry)
  return () => {
    listeners.delete(entry)
    unwatch?.()
  }
}

function toSettings(host: SqliteChangesHost, options: SqliteChangesOptions): SqliteChangeSettings {
  const issues = optionIssues(options)
  if (issues.length > 0) throw new TidemarkError('CONFIG_INVALID', 'The change source has wrong options.', { issues })
  const names = logNames(options.log ?? 'tidemark')
  return {
    name: options.name ?? 'sqlite',
    names,
    tables: (options.tables ?? []).map(mainTable),
    replace: options.replace ?? 'auto',
    retention: { maxEvents: options.retention?.maxEvents, whenFull: options.retention?.whenFull ?? 'keep' },
    keepsBigints: options.integers === 'bigint',
    onInvalidText: options.onInvalidText ?? 'error',
    textForm: host.textForm,
    maxColumns: host.maxColumns,
    hasSmallRows: host.maxRowBytes < SMALL_ROW_BYTES,
    watch: host.hidesSchemaVersion === true ? keptWatch(names) : COUNTED,
    trustsOwnPositions: host.seesUncommitted !== true,
    epoch: () => crypto.randomUUID().replaceAll('-', '').slice(0, 12),
    now: host.now ?? (() => Date.now()),
  }
}

function optionIssues(options: SqliteChangesOptions): { readonly path: string; readonly message: string }[] {
  const { tables, name, pollIntervalMs, retention } = options
  const issues: { readonly path: string; readonly message: string }[] = []
  if (tables !== undefined && (!Array.isArray(tables) || tables.length === 0)) issues.push({ path: 'tables', message: 'Must name at least one table.' })
  else tables?.forEach((table, index) => {
    if (typeof table !== 'string' || table === '' || table.includes('\0')) issues.push({ path: `tables[${index}]`, message: 'Must be a name without NUL.' })
  })
  if (name !== undefined && !/^[\w.-]{1,63}$/.test(name)) issues.push({ path: 'name', message: 'Must be 1 to 63 letters, digits, dots, dashes or underscores.' })
  if (pollIntervalMs !== undefined && !(pollIntervalMs >= 1 && Number.isFinite(pollIntervalMs))) issues.push({ path: 'pollIntervalMs', message: 'Must be at least 1.' })
  const maxEvents = retention?.maxEvents
  if (maxEvents !== undefined && !(Number.isInteger(maxEvents) && maxEvents >= 1)) issues.push({ path: 'retention.maxEvents', message: 'Must be a whole number of at least 1.' })
  return issues
}

import type { RetryOptions } from '../engine/run-steps.ts'
import type { SliceBudget } from '../engine/step.ts'
import type { SourceDialect } from '../dialect/source.ts'
import type { ColumnOverride } from '../dialect/table.ts'
import type { TargetDialect } from '../dialect/target.ts'
import type { Logger } from '../log/logger.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { SchemaPolicy } from './schema-drift.ts'

/** Any table, any column: what a `Replicator` without a `DB` type accepts. */
export type AnyTables = Record<string, Record<string, unknown>>

/** One table to keep copied. `Table` and `Column` are narrowed by the caller's Kysely `DB` type. */
export interface Replication<Table extends string = string, Column extends string = string> {
  /** Unique; keeps its checkpoint across restarts and changes of the other options. */
  readonly name: string
  readonly source: SourceDialect
  /** `users`, `public.users` or `"odd.name"."Users"`; a view is fine. */
  readonly sourceTable: Table
  /** Default: the source table's name without its schema. */
  readonly targetTable?: string | undefined
  /**
   * The column that grows with every insert, or with every insert and update. Only a column that updates also set,
   * such as `updated_at`, lets updates be seen between reconciles. Default `id`.
   */
  readonly trackingColumn?: Column | undefined
  /** `full` copies the whole table each time; needed where there is no key. Default `incremental`. */
  readonly mode?: 'incremental' | 'full' | undefined
  /** Columns that identify a row, where the table declares no primary key. They must be unique and never NULL. */
  readonly key?: readonly Column[] | undefined
  /** Copy only these columns; the key is always copied. Default: all, also those added later. */
  readonly columns?: readonly Column[] | undefined
  /** How columns are stored, where it should differ from the catalogue. */
  readonly types?: { readonly [Name in Column]?: ColumnOverride | undefined } | undefined
  /** Minutes from the end of one sync to the next. Default 60. */
  readonly syncIntervalMinutes?: number | undefined
  /** A cron expression in UTC, instead of an interval; `manual` for `syncNow` only. */
  readonly schedule?: string | undefined
  /** Whether it is scheduled by `start()`. Default true, or as `pause` and `resume` left it. */
  readonly isActive?: boolean | undefined
  /**
   * Rows whose tracking value is NULL can't be seen by a cursor. `error` stops; `include` reads all of them at every
   * sync; `exclude` leaves them to the initial load and to reconciles. Default `error`.
   */
  readonly nullTracking?: 'error' | 'include' | 'exclude' | undefined
  /** What to do when a column is dropped, renamed or retyped, or the key changes. Default `stop`. */
  readonly schemaPolicy?: SchemaPolicy | undefined
  /** The pass that finds deleted and silently changed rows; `false` turns it off. Default: once a day. */
  readonly reconcile?: ReconcileOptions | false | undefined
  /** Keep rows that the source deleted, marked with the time in this extra column. Default: they are removed. */
  readonly softDelete?: { readonly column: string } | undefined
  /**
   * What secondary unique constraints become. `index` (default) keeps their speed without their veto: two rows that
   * swap a unique value pass through a state in which both have it. `unique` enforces them, `none` leaves them out.
   */
  readonly secondaryUniques?: 'index' | 'unique' | 'none' | undefined
  /**
   * Least age, in milliseconds, at which a cursor value can settle. Raise it where values are drawn long before the row is
   * written: sequences with CACHE, ids made by the application, clocks of several machines. Default 250.
   */
  readonly settleGraceMs?: number | undefined
}

export interface ReconcileOptions {
  /** Minutes between the starts of two reconciles. Default 1440. */
  readonly intervalMinutes?: number | undefined
  /** Time one scheduled sync may spend on it, in milliseconds; the rest follows with the next. Default 10,000. */
  readonly budgetMs?: number | undefined
}

/** Narrows table and column names to those of a Kysely `DB` type; without one, any name is fine. */
export type ReplicationOf<DB> = string extends keyof DB
  ? Replication
  : { [Table in keyof DB & string]: Replication<Table | `${string}.${Table}`, keyof DB[Table] & string> }[keyof DB & string]

export interface ReplicatorOptions<DB = AnyTables> {
  readonly target: TargetDialect
  readonly replications?: readonly ReplicationOf<DB>[] | undefined
  /** Default: the host's clock and timers. */
  readonly runtime?: Runtime | undefined
  /** Default: silent. */
  readonly logger?: Logger | undefined
  /** Prefix of Tidemark's own tables in the target. Default `tidemark_`. */
  readonly tablePrefix?: string | undefined
  /** Tables that sync side by side. Default 4. */
  readonly concurrency?: number | undefined
  /** How much one transaction takes. Default 2,000 ms, 100,000 rows, 16 MB. */
  readonly slice?: Partial<SliceBudget> | undefined
  /** Default: 6 attempts, from 500 ms to 5 minutes, full jitter. */
  readonly retry?: Partial<RetryOptions> | undefined
  /** Run log caps. Default 30 days, 10,000 entries. */
  readonly logs?: { readonly maxAgeDays?: number | undefined; readonly maxEntries?: number | undefined } | undefined
  /**
   * Stable identity of this worker. With it a restarted process takes its own lease back at once; without it (random)
   * a crashed worker's lease has to run out first.
   */
  readonly instance?: string | undefined
  /** How long a crashed worker keeps others out, in milliseconds. Default 10,000. */
  readonly leaseTtlMs?: number | undefined
  /** Share of an interval by which starts are spread, 0 to 1. Default 0.1. */
  readonly jitter?: number | undefined
}

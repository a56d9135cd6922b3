import * as v from 'valibot'
import type { RetryOptions } from '../engine/run-steps.ts'
import type { SliceBudget } from '../engine/step.ts'
import { shapeIssues } from '../errors/shape-issues.ts'
import type { ConfigIssue } from '../errors/tidemark-error.ts'
import type { RunLogLimits } from '../state/ledger.ts'
import type { ReplicatorOptions } from './replicator-options.ts'
import { configError } from './resolve-replication.ts'

/** The replicator's own options with every default filled in. */
export interface ReplicatorSettings {
  readonly tablePrefix: string
  readonly concurrency: number
  readonly slice: SliceBudget
  readonly retry: RetryOptions
  readonly logs: RunLogLimits
  readonly instance: string
  readonly leaseTtlMs: number
  readonly jitter: number
}

const MS_PER_DAY = 86_400_000
const DEFAULT_SLICE: SliceBudget = { ms: 2_000, rows: 100_000, bytes: 16_000_000 }
const DEFAULT_RETRY: RetryOptions = { attempts: 6, baseMs: 500, maxMs: 300_000 }

const count = v.pipe(v.number(), v.integer('Must be a whole number.'), v.minValue(1, 'Must be at least 1.'))
const positive = v.pipe(v.number(), v.finite('Must be finite.'), v.gtValue(0, 'Must be greater than 0.'))
const settingsSchema = v.strictObject({
  target: v.custom((value) => typeof value === 'object' && value !== null && 'connect' in value, 'Must be a target, such as nodeSqliteTarget({ path }).'),
  tablePrefix: v.optional(v.pipe(v.string(), v.regex(/^[A-Za-z_][A-Za-z0-9_]{0,30}$/, 'Must be a plain identifier of at most 31 characters.'))),
  concurrency: v.optional(count),
  slice: v.optional(v.strictObject({ ms: v.optional(positive), rows: v.optional(count), bytes: v.optional(count) })),
  retry: v.optional(v.strictObject({ attempts: v.optional(count), baseMs: v.optional(positive), maxMs: v.optional(positive) })),
  logs: v.optional(v.strictObject({ maxAgeDays: v.optional(positive), maxEntries: v.optional(count) })),
  instance: v.optional(v.pipe(v.string(), v.minLength(1, 'Must not be empty.'))),
  leaseTtlMs: v.optional(count),
  // Checked on their own.
  replications: v.optional(v.unknown()),
  runtime: v.optional(v.unknown()),
  logger: v.optional(v.unknown()),
  jitter: v.optional(v.pipe(v.number(), v.minValue(0, 'Must be from 0 to 1.'), v.maxValue(1, 'Must be from 0 to 1.'))),
})

/** The replicator's options beside its replications, which are checked on their own. */
export type OwnOptions = Omit<ReplicatorOptions, 'replications'>

/** What is wrong with the replicator's own options. */
export function settingsIssues(options: OwnOptions): readonly ConfigIssue[] {
  return shapeIssues(settingsSchema, options)
}

/** Errors: `CONFIG_INVALID`. */
export function resolveSettings(options: OwnOptions): ReplicatorSettings {
  const issues = settingsIssues(options)
  if (issues.length > 0) throw configError(issues)
  return {
    tablePrefix: options.tablePrefix ?? 'tidemark_',
    concurrency: options.concurrency ?? 4,
    slice: { ...DEFAULT_SLICE, ...options.slice },
    retry: { ...DEFAULT_RETRY, ...options.retry },
    logs: { maxAgeMs: (options.logs?.maxAgeDays ?? 30) * MS_PER_DAY, maxEntries: options.logs?.maxEntries ?? 10_000 },
    instance: options.instance ?? crypto.randomUUID(),
    leaseTtlMs: options.leaseTtlMs ?? 10_000,
    jitter: options.jitter ?? 0.1,
  }
}

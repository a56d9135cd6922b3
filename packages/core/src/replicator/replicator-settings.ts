import * as v from 'valibot'
import type { RetryOptions } from '../engine/run-steps.ts'
import type { SliceBudget } from '../engine/step.ts'
import { configError, faultsBelow, toIssues, type Fault } from '../errors/fault.ts'
import { count, logger, positive, retry, runtime, text } from '../options/option-shapes.ts'
import { shapeFaults } from '../errors/shape-issues.ts'
import { having, standardSchema, type StandardSchema } from '../errors/standard-schema.ts'
import type { RunLogLimits } from '../state/ledger.ts'
import { replicationListFaults } from './replication-faults.ts'
import { replicationShape } from './replication-schema.ts'
import type { ReplicatorOptions } from './replicator-options.ts'

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

const DEFAULT_PREFIX = 'tidemark_'

export const replicatorShape = v.strictObject({
  target: having<ReplicatorOptions['target']>(['connect'], 'Must be a target, such as nodeSqliteTarget({ path }).'),
  tablePrefix: v.optional(v.pipe(v.string(), v.regex(/^[A-Za-z_][A-Za-z0-9_]{0,30}$/, 'Must be a plain identifier of at most 31 characters.'))),
  concurrency: v.optional(count),
  slice: v.optional(v.strictObject({ ms: v.exactOptional(positive), rows: v.exactOptional(count), bytes: v.exactOptional(count) })),
  retry: v.optional(retry),
  logs: v.optional(v.strictObject({ maxAgeDays: v.optional(positive), maxEntries: v.optional(count) })),
  instance: v.optional(text),
  leaseTtlMs: v.optional(count),
  runtime, logger,
  jitter: v.optional(v.pipe(v.number(), v.minValue(0, 'Must be from 0 to 1.'), v.maxValue(1, 'Must be from 0 to 1.'))),
  // Last, so that faults come in an order that people read.
  replications: v.optional(v.array(replicationShape)),
})

/** The replicator's options, whatever it knows of tables. */
type AnyOptions = Omit<ReplicatorOptions, 'replications'> & { readonly replications?: unknown }

/** What is wrong with the options of a replicator, with those of its replications too. */
export function replicatorFaults(options: unknown): readonly Fault[] {
  const shape = shapeFaults(replicatorShape, options)
  const { replications, tablePrefix = DEFAULT_PREFIX } = (options ?? {}) as Partial<ReplicatorOptions> // only looked at as far as its shape is right
  const isRight = (...names: readonly string[]): boolean => !shape.some(({ path }) => path.length < 2 && (path[0] === undefined || names.includes(String(path[0]))))
  if (!isRight('replications', 'tablePrefix') || replications === undefined) return shape
  const faulty = new Set(shape.flatMap(({ path: [option, index] }) => (option === 'replications' && typeof index === 'number' ? [index] : [])))
  return [...shape, ...faultsBelow(['replications'], replicationListFaults(replications, tablePrefix, faulty))]
}

/** Validates all options of a `Replicator`, as its constructor does. */
export const replicatorOptionsSchema: StandardSchema<ReplicatorOptions> = standardSchema(replicatorFaults)

/** Errors: `CONFIG_INVALID` with every fault found. */
export function resolveSettings(options: AnyOptions): ReplicatorSettings {
  const faults = replicatorFaults(options)
  if (faults.length > 0) throw configError(toIssues(faults))
  return {
    tablePrefix: options.tablePrefix ?? DEFAULT_PREFIX,
    concurrency: options.concurrency ?? 4,
    slice: { ...DEFAULT_SLICE, ...options.slice },
    retry: { ...DEFAULT_RETRY, ...options.retry },
    logs: { maxAgeMs: (options.logs?.maxAgeDays ?? 30) * MS_PER_DAY, maxEntries: options.logs?.maxEntries ?? 10_000 },
    instance: options.instance ?? crypto.randomUUID(),
    leaseTtlMs: options.leaseTtlMs ?? 10_000,
    jitter: options.jitter ?? 0.1,
  }
}

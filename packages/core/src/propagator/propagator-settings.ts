import * as v from 'valibot'
import type { SliceLimit } from '../dialect/change-source.ts'
import type { PropagationTarget } from '../dialect/propagation-target.ts'
import { configError, toIssues, type Fault } from '../errors/fault.ts'
import { backoff, callable, count, duration, logger, positive, runtime, text } from '../options/option-shapes.ts'
import { shapeFaults } from '../errors/shape-issues.ts'
import { having, standardSchema, type StandardSchema } from '../errors/standard-schema.ts'
import { TidemarkError } from '../errors/tidemark-error.ts'
import type { BackoffOptions } from '../util/backoff.ts'
import type { Peer } from './peer.ts'
import { conflictEntries } from './conflict-entries.ts'
import type { PropagatorOptions } from './propagator-options.ts'

/** The options with every default filled in. */
export interface PropagatorSettings {
  readonly origin: string
  readonly tables: readonly string[] | undefined
  readonly snapshot: boolean
  readonly relay: boolean
  readonly takesOver: boolean
  readonly timeoutMs: number
  readonly retry: BackoffOptions
  readonly breaker: { readonly failures: number; readonly cooldownMs: number }
  readonly askAgainMs: number
  readonly batch: SliceLimit
  readonly stopGraceMs: number
  readonly leaseTtlMs: number
}

const name = v.pipe(v.string(), v.regex(/^[\w.-]{1,63}$/, 'Must be 1 to 63 letters, digits, dots, dashes or underscores.'))

export const propagatorShape = v.strictObject({
  ...conflictEntries,
  source: having<PropagatorOptions['source']>(['connect', 'capabilities'], 'Must be a source of changes, such as sqliteChanges(db).'),
  origin: name,
  peers: v.pipe(v.array(having<Peer>(['name', 'send', 'close'], 'Must be a peer, such as httpPeer({ url, token }).')), v.minLength(1, 'Must have a peer.')),
  tables: v.optional(v.pipe(v.array(text), v.minLength(1, 'Must name a table; leave it out for all.'))),
  snapshot: v.optional(v.boolean()),
  relay: v.optional(v.boolean()),
  takesOver: v.optional(v.boolean()),
  target: v.optional(having<PropagationTarget>(['connect', 'address'], 'Must be a target, such as nodeSqlitePropagationTarget({ path }).')),
  timeoutMs: v.optional(positive),
  retry: v.optional(backoff),
  breaker: v.optional(v.strictObject({ failures: v.optional(count), cooldownMs: v.optional(positive) })),
  askAgainMs: v.optional(positive),
  deadLetter: v.optional(callable<NonNullable<PropagatorOptions['deadLetter']>>()),
  batch: v.optional(v.strictObject({ rows: v.optional(count), bytes: v.optional(count) })),
  stopGraceMs: v.optional(duration),
  leaseTtlMs: v.optional(count),
  runtime, logger,
})

/** What is wrong with the options of a propagator. */
export function propagatorFaults(options: unknown): readonly Fault[] {
  const shape = shapeFaults(propagatorShape, options)
  return shape.length > 0 ? shape : meaningFaults(options as PropagatorOptions) // what the shape has let through
}

/** Validates all options of a `Propagator`, as its constructor does. */
export const propagatorOptionsSchema: StandardSchema<PropagatorOptions> = standardSchema(propagatorFaults)

/** Errors: `CONFIG_INVALID` with every fault found, `NOT_SUPPORTED` for a source that can't be read again. */
export function resolvePropagatorSettings(options: PropagatorOptions): PropagatorSettings {
  const faults = propagatorFaults(options)
  if (faults.length > 0) throw configError(toIssues(faults))
  const { rereads, resumes, snapshots } = options.source.capabilities
  if (!rereads || !resumes || !snapshots) {
    throw new TidemarkError('NOT_SUPPORTED', 'Changes can only be propagated from a log that outlives the process and can be read again.', { remedy: 'Use sqliteChanges.' })
  }
  return {
    origin: options.origin,
    tables: options.tables,
    snapshot: options.snapshot ?? true,
    relay: options.relay ?? true,
    takesOver: options.takesOver ?? false,
    timeoutMs: options.timeoutMs ?? 10_000,
    retry: { baseMs: 100, maxMs: 30_000, ...options.retry },
    breaker: { failures: options.breaker?.failures ?? 5, cooldownMs: options.breaker?.cooldownMs ?? 30_000 },
    askAgainMs: options.askAgainMs ?? 30_000,
    batch: { events: options.batch?.rows ?? 2_048, bytes: options.batch?.bytes ?? 524_288 },
    stopGraceMs: options.stopGraceMs ?? 5_000,
    leaseTtlMs: options.leaseTtlMs ?? 10_000,
  }
}

function meaningFaults(options: PropagatorOptions): readonly Fault[] {
  const { conflicts = 'single-writer', target } = options
  const needsTarget = conflicts !== 'single-writer' && target === undefined
  return [...nameFaults(options), ...needsTarget ? [{ path: ['target'], message: 'Must be given where several instances write.' }] : []]
}

function nameFaults({ peers, origin }: PropagatorOptions): readonly Fault[] {
  const names = peers.map((peer) => peer.name)
  return names.flatMap((peer, index): readonly Fault[] => {
    if (names.indexOf(peer) < index) return [{ path: ['peers', index, 'name'], message: `Must be unique; another peer is named "${peer}".` }]
    return peer === origin ? [{ path: ['peers', index, 'name'], message: 'Must not be the name of this instance.' }] : []
  })
}

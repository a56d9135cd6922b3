import * as v from 'valibot'
import type { SliceLimit } from '../dialect/change-source.ts'
import { shapeIssues } from '../errors/shape-issues.ts'
import { TidemarkError, type ConfigIssue } from '../errors/tidemark-error.ts'
import type { BackoffOptions } from '../util/backoff.ts'
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

const count = v.pipe(v.number(), v.integer('Must be a whole number.'), v.minValue(1, 'Must be at least 1.'))
const positive = v.pipe(v.number(), v.finite('Must be finite.'), v.gtValue(0, 'Must be greater than 0.'))
const name = v.pipe(v.string(), v.regex(/^[\w.-]{1,63}$/, 'Must be 1 to 63 letters, digits, dots, dashes or underscores.'))
const shaped = (keys: readonly string[], message: string): v.GenericSchema => v.custom((value) => typeof value === 'object' && value !== null && keys.every((key) => key in value), message)

const schema = v.strictObject({
  ...conflictEntries,
  source: shaped(['connect', 'capabilities'], 'Must be a source of changes, such as sqliteChanges(db).'),
  origin: name,
  peers: v.pipe(v.array(shaped(['name', 'send'], 'Must be a peer, such as httpPeer({ url, token }).')), v.minLength(1, 'Must have a peer.')),
  tables: v.optional(v.pipe(v.array(v.pipe(v.string(), v.minLength(1, 'Must not be empty.'))), v.minLength(1, 'Must name a table; leave it out for all.'))),
  snapshot: v.optional(v.boolean()),
  relay: v.optional(v.boolean()),
  takesOver: v.optional(v.boolean()),
  target: v.optional(shaped(['connect', 'address'], 'Must be a target, such as nodeSqlitePropagationTarget({ path }).')),
  timeoutMs: v.optional(positive),
  retry: v.optional(v.strictObject({ baseMs: v.optional(positive), maxMs: v.optional(positive) })),
  breaker: v.optional(v.strictObject({ failures: v.optional(count), cooldownMs: v.optional(positive) })),
  askAgainMs: v.optional(positive),
  deadLetter: v.optional(v.custom((value) => typeof value === 'function', 'Must be a function.')),
  batch: v.optional(v.strictObject({ rows: v.optional(count), bytes: v.optional(count) })),
  stopGraceMs: v.optional(v.pipe(v.number(), v.finite('Must be finite.'), v.minValue(0, 'Must not be negative.'))),
  leaseTtlMs: v.optional(count),
  runtime: v.optional(shaped(['now', 'sleep'], 'Must be a runtime.')),
  logger: v.optional(shaped(['warn', 'error'], 'Must be a logger.')),
})

/** Errors: `CONFIG_INVALID` with every fault found, `NOT_SUPPORTED` for a source that can't be read again. */
export function resolvePropagatorSettings(options: PropagatorOptions): PropagatorSettings {
  const shape = shapeIssues(schema, options)
  const issues = shape.length > 0 ? shape : issuesOf(options)
  if (issues.length > 0) {
    const list = issues.map(({ path, message }) => `${path}: ${message}`).join(' ')
    throw new TidemarkError('CONFIG_INVALID', `The options have ${issues.length} fault${issues.length === 1 ? '' : 's'}. ${list}`, { issues })
  }
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

function issuesOf(options: PropagatorOptions): readonly ConfigIssue[] {
  const { conflicts = 'single-writer', target } = options
  const needsTarget = conflicts !== 'single-writer' && target === undefined
  return [...nameIssues(options), ...needsTarget ? [{ path: 'target', message: 'Must be given where several instances write.' }] : []]
}

function nameIssues({ peers, origin }: PropagatorOptions): readonly ConfigIssue[] {
  const names = peers.map((peer) => peer.name)
  return names.flatMap((peer, index) => {
    if (names.indexOf(peer) < index) return [{ path: `peers.${index}.name`, message: `Must be unique; another peer is named "${peer}".` }]
    return peer === origin ? [{ path: `peers.${index}.name`, message: 'Must not be the name of this instance.' }] : []
  })
}

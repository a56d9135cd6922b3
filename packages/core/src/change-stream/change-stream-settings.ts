import * as v from 'valibot'
import type { ChangeSource, SliceLimit } from '../dialect/change-source.ts'
import type { RetryOptions } from '../engine/run-steps.ts'
import { shapeIssues } from '../errors/shape-issues.ts'
import { TidemarkError, type ConfigIssue } from '../errors/tidemark-error.ts'
import type { LagBudget } from './lag-watch.ts'
import type { ChangeStreamOptions, LiveBudget, SubscribeOptions } from './change-stream-options.ts'

/** The stream's options with every default filled in. */
export interface ChangeStreamSettings {
  readonly sources: readonly ChangeSource[]
  readonly name: string
  readonly snapshot: 'initial' | 'none'
  readonly onGap: 'fail' | 'resnapshot'
  readonly batch: SliceLimit
  readonly bufferBytes: number
  readonly retry: RetryOptions
  readonly heartbeatIntervalMs: number
  readonly stopGraceMs: number
  readonly instance: string
  readonly leaseTtlMs: number
}

const MIB = 1_048_576
const DEFAULT_BATCH: SliceLimit = { events: 2_048, bytes: MIB }
const DEFAULT_RETRY: RetryOptions = { attempts: 5, baseMs: 100, maxMs: 30_000 }
const DEFAULT_BUDGET: LagBudget = { bytes: 16 * MIB, events: 8_192, graceMs: 30_000 }

const count = v.pipe(v.number(), v.integer('Must be a whole number.'), v.minValue(1, 'Must be at least 1.'))
const positive = v.pipe(v.number(), v.finite('Must be finite.'), v.gtValue(0, 'Must be greater than 0.'))
const text = v.pipe(v.string(), v.minLength(1, 'Must not be empty.'))
const snapshot = v.optional(v.picklist(['initial', 'none']))
const retry = v.optional(v.strictObject({ attempts: v.optional(count), baseMs: v.optional(positive), maxMs: v.optional(positive) }))
const source = v.custom((value) => typeof value === 'object' && value !== null && 'connect' in value && 'capabilities' in value,
  'Must be a source of changes, such as sqliteChanges(db).')
const store = v.custom((value) => typeof value === 'object' && value !== null && 'get' in value && 'set' in value, 'Must be a state store.')
const callable = v.custom((value) => typeof value === 'function', 'Must be a function.')

const streamSchema = v.strictObject({
  source: v.optional(source),
  sources: v.optional(v.pipe(v.array(source), v.minLength(1, 'Must have a source.'))),
  name: v.optional(text),
  snapshot,
  checkpoints: v.optional(store),
  onGap: v.optional(v.picklist(['fail', 'resnapshot'])),
  batch: v.optional(v.strictObject({ events: v.optional(count), bytes: v.optional(count) })),
  buffer: v.optional(v.strictObject({ bytes: v.optional(count) })),
  retry,
  heartbeatIntervalMs: v.optional(positive),
  stopGraceMs: v.optional(v.pipe(v.number(), v.finite('Must be finite.'), v.minValue(0, 'Must not be negative.'))),
  instance: v.optional(text),
  leaseTtlMs: v.optional(count),
  runtime: v.optional(v.unknown()),
  logger: v.optional(v.unknown()),
})

const selection = {
  tables: v.optional(v.pipe(v.array(text), v.minLength(1, 'Must name a table; leave it out for all.'))),
  ops: v.optional(v.pipe(v.array(v.picklist(['insert', 'update', 'delete', 'truncate'])), v.minLength(1, 'Must name an op; leave it out for all.'))),
  source: v.optional(text),
  snapshot,
  from: v.nullish(text),
  startAt: v.optional(text),
  maxBufferedBytes: v.optional(count),
  maxBufferedEvents: v.optional(count),
  graceMs: v.optional(v.pipe(v.number(), v.finite('Must be finite.'), v.minValue(0, 'Must not be negative.'))),
}

const liveSchema = v.object({ ...selection, id: v.optional(text) })
const subscribeSchema = v.object({
  ...selection,
  id: text,
  durable: v.optional(v.boolean()),
  retry,
  onError: v.optional(v.picklist(['stop', 'dead-letter'])),
  deadLetter: v.optional(callable),
})

/** Errors: `CONFIG_INVALID` with every fault found. */
export function resolveStreamSettings(options: ChangeStreamOptions): ChangeStreamSettings {
  const issues = [...shapeIssues(streamSchema, options), ...sourceIssues(options)]
  if (issues.length > 0) throw invalid(issues)
  return {
    sources: options.sources ?? (options.source === undefined ? [] : [options.source]),
    name: options.name ?? 'default',
    snapshot: options.snapshot ?? 'none',
    onGap: options.onGap ?? 'fail',
    batch: { ...DEFAULT_BATCH, ...options.batch },
    bufferBytes: options.buffer?.bytes ?? 16 * MIB,
    retry: { ...DEFAULT_RETRY, ...options.retry },
    heartbeatIntervalMs: options.heartbeatIntervalMs ?? 10_000,
    stopGraceMs: options.stopGraceMs ?? 1_000,
    instance: options.instance ?? crypto.randomUUID(),
    leaseTtlMs: options.leaseTtlMs ?? 10_000,
  }
}

/** Errors: `CONFIG_INVALID` with every fault found. */
export function checkLive(options: LiveBudget, issues: readonly ConfigIssue[]): void {
  const all = [...shapeIssues(liveSchema, options), ...issues]
  if (all.length > 0) throw invalid(all)
}

/** Errors: `CONFIG_INVALID` with every fault found. */
export function checkSubscribe(options: SubscribeOptions, issues: readonly ConfigIssue[]): void {
  const deadLetters = options.onError === 'dead-letter' && options.deadLetter === undefined
    ? [{ path: 'deadLetter', message: 'Must be given where `onError` is "dead-letter".' }]
    : []
  const all = [...shapeIssues(subscribeSchema, options), ...deadLetters, ...issues]
  if (all.length > 0) throw invalid(all)
}

export function budgetOf({ maxBufferedBytes, maxBufferedEvents, graceMs }: LiveBudget): LagBudget {
  return {
    bytes: maxBufferedBytes ?? DEFAULT_BUDGET.bytes,
    events: maxBufferedEvents ?? DEFAULT_BUDGET.events,
    graceMs: graceMs ?? DEFAULT_BUDGET.graceMs,
  }
}

function sourceIssues({ source, sources }: ChangeStreamOptions): readonly ConfigIssue[] {
  if (source === undefined && sources === undefined) return [{ path: 'source', message: 'Must be given, or `sources`.' }]
  if (source !== undefined && sources !== undefined) return [{ path: 'sources', message: 'Must not be given beside `source`.' }]
  if (!Array.isArray(sources)) return []
  const names = sources.map((entry: unknown) => (typeof entry === 'object' && entry !== null && 'name' in entry ? entry.name : undefined))
  return names.flatMap((name, index) => (name !== undefined && names.indexOf(name) < index
    ? [{ path: `sources.${index}.name`, message: `Must be unique; another source is named "${String(name)}".` }]
    : []))
}

function invalid(issues: readonly ConfigIssue[]): TidemarkError {
  const list = issues.map((issue) => `${issue.path}: ${issue.message}`).join(' ')
  return new TidemarkError('CONFIG_INVALID', `The options have ${issues.length} fault${issues.length === 1 ? '' : 's'}. ${list}`, { issues })
}

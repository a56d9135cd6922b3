import * as v from 'valibot'
import type { AnyChangeTables } from '../change/change-event.ts'
import type { LogMessage } from '../change/log-message.ts'
import type { ChangeSource, SliceLimit } from '../dialect/change-source.ts'
import type { RetryOptions } from '../engine/run-steps.ts'
import { configError, toIssues, type Fault } from '../errors/fault.ts'
import { callable, count, duration, logger, positive, retry, runtime, text } from '../options/option-shapes.ts'
import { shapeFaults, shapeIssues } from '../errors/shape-issues.ts'
import { having, standardSchema, type StandardSchema } from '../errors/standard-schema.ts'
import type { ConfigIssue } from '../errors/tidemark-error.ts'
import type { StateStore } from '../state/state-store.ts'
import type { LagBudget } from './lag-watch.ts'
import type { ChangeStreamOptions, LiveBudget, LiveOptions, SubscribeOptions } from './change-stream-options.ts'

/** The stream's options with every default filled in. */
export interface ChangeStreamSettings {
  readonly sources: readonly ChangeSource[]
  readonly name: string
  /** `undefined`: as each source has it. */
  readonly snapshot: 'initial' | 'none' | undefined
  readonly onGap: 'fail' | 'resnapshot' | undefined
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

const snapshot = v.optional(v.picklist(['initial', 'none']))
const source = having<ChangeSource>(['connect', 'capabilities'], 'Must be a source of changes, such as sqliteChanges(db).')

export const changeStreamShape = v.strictObject({
  source: v.optional(source),
  sources: v.optional(v.pipe(v.array(source), v.minLength(1, 'Must have a source.'))),
  name: v.optional(text),
  snapshot,
  checkpoints: v.optional(having<StateStore>(['get', 'set'], 'Must be a state store.')),
  onGap: v.optional(v.picklist(['fail', 'resnapshot'])),
  batch: v.optional(v.strictObject({ events: v.exactOptional(count), bytes: v.exactOptional(count) })),
  buffer: v.optional(v.strictObject({ bytes: v.optional(count) })),
  retry: v.optional(retry),
  heartbeatIntervalMs: v.optional(positive),
  stopGraceMs: v.optional(duration),
  instance: v.optional(text),
  leaseTtlMs: v.optional(count),
  runtime, logger,
})

const selection = {
  tables: v.optional(v.array(text)),
  messages: v.optional(v.union([v.literal(true), v.strictObject({ prefixes: v.pipe(v.array(v.string()), v.minLength(1, 'Must name a prefix; `true` is for all.')) })], 'Must be true or { prefixes: […] }.')),
  ops: v.optional(v.pipe(v.array(v.picklist(['insert', 'update', 'delete', 'truncate'])), v.minLength(1, 'Must name an op; leave it out for all.'))),
  source: v.optional(text),
  snapshot,
  from: v.nullish(text),
  startAt: v.optional(text),
  maxBufferedBytes: v.optional(count),
  maxBufferedEvents: v.optional(count),
  graceMs: v.optional(duration),
}

const liveSchema = v.object({ ...selection, id: v.optional(text) })
const subscribeSchema = v.object({
  ...selection,
  id: text,
  durable: v.optional(v.boolean()),
  retry: v.optional(retry),
  onError: v.optional(v.picklist(['stop', 'dead-letter'])),
  deadLetter: v.optional(callable<NonNullable<SubscribeOptions['deadLetter']>>()),
})

/** What is wrong with the options of a stream. */
export function changeStreamFaults(options: unknown): readonly Fault[] {
  const shape = shapeFaults(changeStreamShape, options)
  return typeof options === 'object' && options !== null ? [...shape, ...sourceFaults(options)] : shape
}

/** Validates all options of a `ChangeStream`, as its constructor does. */
export const changeStreamOptionsSchema: StandardSchema<ChangeStreamOptions> = standardSchema(changeStreamFaults)

/** Errors: `CONFIG_INVALID` with every fault found. */
export function resolveStreamSettings(options: ChangeStreamOptions): ChangeStreamSettings {
  const faults = changeStreamFaults(options)
  if (faults.length > 0) throw configError(toIssues(faults))
  return {
    sources: options.sources ?? (options.source === undefined ? [] : [options.source]),
    name: options.name ?? 'default',
    snapshot: options.snapshot,
    onGap: options.onGap,
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
export function checkLive(options: LiveOptions<string, LogMessage>, issues: readonly ConfigIssue[]): void {
  const all = [...emptyIssues(options), ...shapeIssues(liveSchema, options), ...issues]
  if (all.length > 0) throw configError(all)
}

/** Errors: `CONFIG_INVALID` with every fault found. */
export function checkSubscribe(options: SubscribeOptions<AnyChangeTables, string, LogMessage>, issues: readonly ConfigIssue[]): void {
  const deadLetters = options.onError === 'dead-letter' && options.deadLetter === undefined
    ? [{ path: 'deadLetter', message: 'Must be given where `onError` is "dead-letter".' }]
    : []
  const all = [...emptyIssues(options), ...shapeIssues(subscribeSchema, options), ...deadLetters, ...issues]
  if (all.length > 0) throw configError(all)
}

/** Without tables a subscriber gets messages, or nothing at all. */
function emptyIssues({ tables, messages }: Pick<LiveOptions<string, LogMessage>, 'tables' | 'messages'>): readonly ConfigIssue[] {
  const isNothing = Array.isArray(tables) && tables.length === 0 && messages === undefined
  return isNothing ? [{ path: 'tables', message: 'Must name a table; leave it out for all.' }] : []
}

export function budgetOf({ maxBufferedBytes, maxBufferedEvents, graceMs }: LiveBudget): LagBudget {
  return {
    bytes: maxBufferedBytes ?? DEFAULT_BUDGET.bytes,
    events: maxBufferedEvents ?? DEFAULT_BUDGET.events,
    graceMs: graceMs ?? DEFAULT_BUDGET.graceMs,
  }
}

function sourceFaults({ source: one, sources }: ChangeStreamOptions): readonly Fault[] {
  if (one === undefined && sources === undefined) return [{ path: ['source'], message: 'Must be given, or `sources`.' }]
  if (one !== undefined && sources !== undefined) return [{ path: ['sources'], message: 'Must not be given beside `source`.' }]
  if (!Array.isArray(sources)) return []
  const names = sources.map((entry: unknown) => (typeof entry === 'object' && entry !== null && 'name' in entry ? entry.name : undefined))
  return names.flatMap((name, index) => (name !== undefined && names.indexOf(name) < index
    ? [{ path: ['sources', index, 'name'], message: `Must be unique; another source is named "${String(name)}".` }]
    : []))
}

import { silentLogger, type Logger, type Receiver, type SourceDialect, type StandardSchema, type StateStore } from '@tidemark/core'
import { configError, having, memoryStateStore, shapeIssues, standardShape } from '@tidemark/core/adapter'
import * as v from 'valibot'
import type { Authorize } from './access/authorize.ts'
import type { Limit } from './access/limit.ts'
import type { AnyChangeStream, AnyExporter, AnyImporter, AnyPropagator, AnyReplicator } from './capabilities.ts'
import type { HandlerOptions } from './handler-options.ts'
import type { SourceConfig } from './replication/source-config.ts'
import type { BodyLimits } from './requests/read-json.ts'
import type { UpgradeWebSocket } from './sockets/socket-host.ts'
import type { HandlerTelemetry } from './telemetry/handler-telemetry.ts'

/** The options with every default filled in. */
export interface HandlerSettings extends BodyLimits {
  readonly authorize: Authorize
  readonly limit: Limit | undefined
  readonly replicator: AnyReplicator | undefined
  readonly exporter: AnyExporter | undefined
  readonly importer: AnyImporter | undefined
  readonly streams: ReadonlyMap<string, AnyChangeStream>
  readonly propagator: AnyPropagator | undefined
  readonly receiver: Receiver | undefined
  /** Without a slash at its end; empty for none. */
  readonly basePath: string
  readonly sources: NonNullable<HandlerOptions['sources']>
  readonly exportWaitMs: number
  readonly runsExports: boolean
  readonly importWaitMs: number
  readonly runsImports: boolean
  readonly importState: StateStore
  readonly maxFeeds: number
  readonly heartbeatMs: number
  readonly recheckMs: number
  readonly webSockets: UpgradeWebSocket | undefined
  readonly maxUnansweredBytes: number
  readonly waitUntil: (work: Promise<unknown>) => void
  readonly telemetry: HandlerTelemetry | undefined
  readonly logger: Logger
}

/** Of the one stream that has none. */
const ONLY = 'default'

/** A timer of more begins anew at once. */
const MAX_TIMER_MS = 2_147_483_647

const count = v.pipe(v.number(), v.integer('Must be a whole number.'), v.minValue(1, 'Must be at least 1.'))
const duration = v.pipe(v.number(), v.finite('Must be finite.'), v.minValue(0, 'Must not be negative.'))
const callable = <T>(): v.GenericSchema<T, T> => v.custom<T>((value) => typeof value === 'function', 'Must be a function.')
const member = <T>(...members: readonly string[]): v.GenericSchema<T, T> => having<T>(members, `Must have ${members.join(', ')}.`)
const stream = member<AnyChangeStream>('live', 'listSources')

export const handlerShape = v.strictObject({
  authorize: v.custom<Authorize>((value) => typeof value === 'function', 'Must be a function that says who may do what, such as bearerTokens({ admin: { env: \'ADMIN_TOKEN\' } }).'),
  limit: v.optional(callable<Limit>()),
  replicator: v.optional(member<AnyReplicator>('on', 'status', 'syncNow', 'logs')),
  exporter: v.optional(member<AnyExporter>('on', 'status', 'list', 'export', 'download')),
  importer: v.optional(member<AnyImporter>('status', 'run', 'step', 'looksComplete')),
  streams: v.optional(v.union([stream, v.record(v.string(), stream)], 'Must be a ChangeStream, or several by name.')),
  propagator: v.optional(member<AnyPropagator>('status', 'flush')),
  receiver: v.optional(callable<Receiver>()),
  basePath: v.optional(v.pipe(v.string(), v.regex(/^(\/[A-Za-z0-9._~-]+)*\/?$/, 'Must be a path of letters, digits, `.`, `_`, `~` and `-`, such as /data.'), v.check((path) => !/\/\.{1,2}(\/|$)/.test(path), 'Must not have . or .. in it.'))),
  sources: v.optional(v.record(v.string(), v.union([callable<(config: SourceConfig) => SourceDialect>(), member<SourceDialect>('connect', 'parseTable')], 'Must be a source, or a function that makes one.'))),
  exports: v.optional(v.strictObject({ waitMs: v.optional(duration), runs: v.optional(v.boolean()) })),
  imports: v.optional(v.strictObject({ waitMs: v.optional(duration), runs: v.optional(v.boolean()), state: v.optional(member<StateStore>('get', 'set', 'list', 'delete')) })),
  changes: v.optional(v.strictObject({ maxFeeds: v.optional(count), heartbeatMs: v.optional(count), recheckMs: v.optional(v.pipe(count, v.maxValue(MAX_TIMER_MS, 'Must be at most 24 days.'))), webSockets: v.optional(callable<UpgradeWebSocket>()), maxUnansweredBytes: v.optional(count) })),
  maxBodyBytes: v.optional(count),
  bodyTimeoutMs: v.optional(count),
  waitUntil: v.optional(callable<NonNullable<HandlerOptions['waitUntil']>>()),
  telemetry: v.optional(member<HandlerTelemetry>('during', 'routed', 'failed')),
  logger: v.optional(member<Logger>('warn', 'error')),
})

/** Validates all options of `createHandler`, as it does. */
export const handlerOptionsSchema: StandardSchema<HandlerOptions> = standardShape(handlerShape)

/** Errors: `CONFIG_INVALID` with every fault found. */
export function resolveHandlerSettings(options: HandlerOptions): HandlerSettings {
  const issues = shapeIssues(handlerShape, options)
  if (issues.length > 0) throw configError(issues)
  return {
    authorize: options.authorize,
    limit: options.limit,
    replicator: options.replicator,
    exporter: options.exporter,
    importer: options.importer,
    streams: streamsOf(options.streams),
    propagator: options.propagator,
    receiver: options.receiver,
    basePath: (options.basePath ?? '').replace(/\/$/, ''),
    sources: options.sources ?? {},
    exportWaitMs: options.exports?.waitMs ?? 20_000,
    runsExports: options.exports?.runs ?? true,
    importWaitMs: options.imports?.waitMs ?? 20_000,
    runsImports: options.imports?.runs ?? true,
    importState: options.imports?.state ?? memoryStateStore(),
    maxFeeds: options.changes?.maxFeeds ?? 256,
    heartbeatMs: options.changes?.heartbeatMs ?? 15_000,
    recheckMs: options.changes?.recheckMs ?? 60_000,
    webSockets: options.changes?.webSockets,
    maxUnansweredBytes: options.changes?.maxUnansweredBytes ?? 1_048_576,
    maxBodyBytes: options.maxBodyBytes ?? 65_536,
    bodyTimeoutMs: options.bodyTimeoutMs ?? 10_000,
    waitUntil: options.waitUntil ?? (() => undefined),
    telemetry: options.telemetry,
    logger: options.logger ?? silentLogger,
  }
}

function streamsOf(streams: HandlerOptions['streams']): ReadonlyMap<string, AnyChangeStream> {
  if (streams === undefined) return new Map()
  return new Map(isStream(streams) ? [[ONLY, streams]] : Object.entries(streams))
}

function isStream(streams: NonNullable<HandlerOptions['streams']>): streams is AnyChangeStream {
  return typeof streams.live === 'function'
}

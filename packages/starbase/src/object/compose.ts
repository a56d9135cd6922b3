import { durableObjectChanges, durableObjectPropagationTarget, durableObjectSqlite, durableObjectStateStore, durableObjectTarget } from '@tidemark/cloudflare'
import { ChangeStream, createReceiver, Importer, Propagator, Replicator, silentLogger, TidemarkError, type Exporter, type Logger } from '@tidemark/core'
import { createHandler, type Handler, type HandlerOptions } from '@tidemark/http'
import type { SqliteChanges } from '@tidemark/sqlite'
import type { ObjectContext } from '../object-contract.ts'
import { InstanceExporter } from './instance-exporter.ts'
import type { ExportSettings, TidemarkOptions } from './tidemark-options.ts'

/** Of a change log, and, with an underscore, of every other table of ours. */
const NAME = 'tmp_tidemark'
const PREFIX = `${NAME}_`

/** By default; a peer that needs what is gone gets its rows anew. */
const RETENTION = { maxEvents: 100_000, whenFull: 'discard' } as const

/** The one worker that there is: made anew, it goes on at once. */
const INSTANCE = 'starbase'

/** The capabilities of an instance. */
export interface Composition {
  readonly handler: Handler
  readonly replicator: Replicator | undefined
  readonly exporter: Exporter | undefined
  readonly changes: SqliteChanges | undefined
  readonly stream: ChangeStream | undefined
  readonly propagator: Propagator | undefined
  /** How long one alarm works on dumps, in milliseconds. */
  readonly sliceMs: number
  /** How long one alarm works on copies, in milliseconds. */
  readonly replicateMs: number
  readonly logger: Logger
}

/** Errors: `CONFIG_INVALID`. */
export function compose(context: ObjectContext, options: TidemarkOptions, authorize: HandlerOptions['authorize']): Composition {
  checkTimes(options)
  const { exports, logger = silentLogger } = options
  const { sources, sliceMs: replicateMs = 10_000, ...replication } = options.replication ?? {}
  const replicator = options.replication === undefined ? undefined : new Replicator({ ...replication, target: durableObjectTarget(context.storage), tablePrefix: PREFIX, instance: INSTANCE, logger })
  const changes = options.changes === undefined && options.propagation === undefined ? undefined : durableObjectChanges(context.storage, { retention: RETENTION, ...options.changes, log: NAME })
  const stream = changes === undefined || options.changes === undefined ? undefined : new ChangeStream({ source: changes, instance: INSTANCE, logger })
  const propagator = changes === undefined || options.propagation === undefined ? undefined : new Propagator({ ...options.propagation, source: changes, logger })
  const receiver = options.receiver === undefined ? undefined : createReceiver({ ...options.receiver, target: durableObjectPropagationTarget(context.storage, { tablePrefix: PREFIX }), log: NAME, logger })
  const state = durableObjectStateStore(context.storage, { tablePrefix: PREFIX })
  const source = durableObjectSqlite(context)
  const exporter = exports === undefined ? undefined : new InstanceExporter({ ...withoutTimes(exports), source, state, instance: INSTANCE, logger })
  const importer = exports === undefined ? undefined : new Importer({ source: exports.storage, target: source, encryption: exports.encryption, formats: exports.formats, compressions: exports.compressions, logger })
  const handler = createHandler({
    authorize, replicator, sources, exporter, importer, propagator, receiver, logger,
    streams: stream,
    // An alarm goes on with dumps; a load goes on when it is asked for again.
    exports: { runs: false, waitMs: exports?.waitMs },
    imports: { runs: false, waitMs: exports?.waitMs, state },
    waitUntil: (work) => context.waitUntil(work),
  })
  return { handler, replicator, exporter, changes, stream, propagator, logger, replicateMs, sliceMs: exports?.sliceMs ?? 10_000 }
}

/** Those are not the exporter's. */
function withoutTimes({ waitMs: _waitMs, sliceMs: _sliceMs, ...options }: ExportSettings): Omit<ExportSettings, 'waitMs' | 'sliceMs'> {
  return options
}

/** Else an alarm would be the first to find out. */
function checkTimes({ replication, exports }: TidemarkOptions): void {
  const times = { 'replication.sliceMs': replication?.sliceMs, 'exports.sliceMs': exports?.sliceMs }
  const issues = Object.entries(times).flatMap(([path, ms]) => (ms === undefined || (Number.isFinite(ms) && ms > 0) ? [] : [{ path, message: 'Must be a number above 0.' }]))
  if (issues.length > 0) throw new TidemarkError('CONFIG_INVALID', `The options have ${issues.length} fault${issues.length === 1 ? '' : 's'}. ${issues.map(({ path, message }) => `${path}: ${message}`).join(' ')}`, { issues })
}

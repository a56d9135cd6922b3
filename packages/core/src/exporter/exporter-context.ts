import { builtInFormats } from '../dump/built-in-formats.ts'
import { DumpKeys } from '../dump/encryption/dump-keys.ts'
import { gzip } from '../dump/gzip.ts'
import { Emitter } from '../events/emitter.ts'
import { configError } from '../errors/fault.ts'
import { shapeIssues } from '../errors/shape-issues.ts'
import { silentLogger } from '../log/logger.ts'
import { systemRuntime } from '../runtime/system-runtime.ts'
import { RequestKeys } from '../state/request-keys.ts'
import { makeSecret, type Secret } from '../util/secret.ts'
import type { ExportContext } from './export-context.ts'
import type { ExportEvents } from './export-events.ts'
import type { ExportState } from './export-state.ts'
import { ExportStore } from './export-store.ts'
import type { ExporterOptions, ExportRetry } from './exporter-options.ts'
import { exporterShape } from './export-shapes.ts'

const DEFAULT_RETRY: ExportRetry = { attempts: 8, baseMs: 500, maxMs: 300_000 }

/** Errors: `CONFIG_INVALID` with every fault found. */
export function exporterContext(options: ExporterOptions, secrets: ReadonlyMap<string, Secret>): ExportContext {
  const issues = shapeIssues(exporterShape, options)
  if (issues.length > 0) throw configError(issues)
  const logger = options.logger ?? silentLogger
  const runtime = options.runtime ?? systemRuntime()
  const formats = [...options.formats ?? [], ...builtInFormats]
  const compressions = [gzip, ...options.compressions ?? []]
  const { callbacks } = options
  return {
    source: options.source,
    storage: options.storage,
    store: new ExportStore(options.state, runtime),
    requestKeys: new RequestKeys({ store: options.state, runtime, prefix: 'export-key/' }),
    runtime,
    logger,
    emitter: new Emitter<ExportEvents>((_error, event) => logger.warn({ event }, 'A listener failed.')),
    retry: { ...DEFAULT_RETRY, ...options.retry },
    keys: new DumpKeys(options.encryption),
    callbacks,
    downloadSecret: makeSecret(options.downloadSecret ?? '', 'downloadSecret'),
    callbackSecret: (state) => callbackSecret(state, options, secrets),
    formats,
    compressions,
    formatOf: ({ format }) => formats.find(({ name }) => name === format),
    compressionOf: ({ compression }) => compressions.find(({ name }) => name === compression),
  }
}

/** The request's own as long as this process knows it, then its reference, then the exporter's. */
function callbackSecret({ id, callback }: ExportState, { callbacks }: ExporterOptions, secrets: ReadonlyMap<string, Secret>): Secret {
  const own = secrets.get(id)
  if (own !== undefined) return own
  if (callback?.secretEnv !== undefined) return makeSecret({ env: callback.secretEnv }, 'callback.secret')
  return makeSecret(callbacks?.secret ?? '', 'callbacks.secret')
}

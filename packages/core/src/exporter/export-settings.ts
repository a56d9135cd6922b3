import type { Consistency, ExportCapabilities, ExportTableSelection } from '../dialect/export-source.ts'
import { configError } from '../errors/fault.ts'
import { shapeIssues } from '../errors/shape-issues.ts'
import type { ConfigIssue } from '../errors/tidemark-error.ts'
import type { StorageCapabilities } from '../storage/object-storage.ts'
import { checkCallbackUrl } from './callback/check-callback-url.ts'
import type { ExportContext } from './export-context.ts'
import type { ExportRequest } from './export-request.ts'
import { exportRequestShape } from './export-shapes.ts'
import type { ExportSpec } from './export-state.ts'

const MAX_STATEMENT_BYTES = 100_000
const MAX_CONCURRENCY = 4
const DEFAULT_BUDGET_MS = 20_000

/** The request with every default filled in. Errors: `CONFIG_INVALID` with every fault found, `CALLBACK_REFUSED`. */
export function resolveRequest(context: ExportContext, request: ExportRequest): ExportSpec {
  const issues = [...shapeIssues(exportRequestShape, request)]
  if (issues.length === 0) issues.push(...combinationIssues(context, request))
  if (issues.length > 0) throw configError(issues, 'request')
  if (request.callback !== undefined) checkCallbackUrl(request.callback.url, context.callbacks?.allowedOrigins ?? [])
  const { source, keys } = context
  const layout = request.layout ?? 'single'
  return {
    format: request.format ?? 'sql',
    layout,
    selection: {
      tables: request.tables?.map((entry): ExportTableSelection => (typeof entry === 'string' ? { name: entry } : entry)),
      exclude: (request.exclude ?? []).filter((entry) => typeof entry === 'string'),
      excludePatterns: (request.exclude ?? []).filter((entry) => entry instanceof RegExp).map((pattern) => pattern.source),
      content: request.content ?? 'all',
    },
    consistency: consistencyOf(request, source.exports),
    partBytes: request.partBytes,
    render: { maxStatementBytes: request.maxStatementBytes ?? MAX_STATEMENT_BYTES, keepRowids: request.keepRowids ?? false },
    compression: request.compression,
    keyId: (request.encrypt ?? true) ? keys.keyId : undefined,
    concurrency: layout === 'directory' ? Math.min(request.concurrency ?? MAX_CONCURRENCY, source.exports.readers) : 1,
    budget: { ms: request.budget?.ms ?? DEFAULT_BUDGET_MS, bytes: request.budget?.bytes ?? Number.MAX_SAFE_INTEGER },
    pauseMs: request.pauseMs ?? 0,
    fileName: request.fileName ?? `dump_${timestamp(context.runtime.now())}`,
    ttlMs: request.ttlMs,
  }
}

function combinationIssues(context: ExportContext, request: ExportRequest): readonly ConfigIssue[] {
  return [...formatIssues(context, request), ...layoutIssues(context, request), ...partIssues(context.storage.capabilities, request), ...consistencyIssues(context, request)]
}

function formatIssues(context: ExportContext, { format = 'sql', content }: ExportRequest): readonly ConfigIssue[] {
  if (format === 'sql') return context.source.exports.rendersSql ? [] : [{ path: 'format', message: 'This source renders no SQL.' }]
  const faults: ConfigIssue[] = []
  if (context.formatOf({ format }) === undefined) faults.push({ path: 'format', message: `Needs the format "${format}" among the exporter's \`formats\`.` })
  if (content === 'schema') faults.push({ path: 'content', message: 'Definitions are SQL: use format "sql".' })
  return faults
}

function layoutIssues(context: ExportContext, request: ExportRequest): readonly ConfigIssue[] {
  const { layout = 'single', format = 'sql', compression, encrypt } = request
  const faults: ConfigIssue[] = []
  if (compression !== undefined && context.compressionOf({ compression }) === undefined) faults.push({ path: 'compression', message: `No compression "${compression}" is among the exporter's.` })
  if (encrypt === true && context.keys.keyId === undefined) faults.push({ path: 'encrypt', message: 'Needs `encryption` on the exporter.' })
  if (layout === 'directory') return faults
  // Many readers take only the first of several compressed pieces in a row, some without a word.
  if (compression !== undefined) faults.push({ path: 'compression', message: 'Needs layout "directory".' })
  // A key was given so that nothing lies there in clear: only who says so gets that.
  if (encrypt ?? context.keys.keyId !== undefined) faults.push({ path: 'encrypt', message: 'Needs layout "directory", or must be false.' })
  if (context.formatOf({ format })?.appends === false) faults.push({ path: 'layout', message: `Must be "directory" for ${format}.` })
  return faults
}

function partIssues({ minPartBytes, maxPartBytes }: StorageCapabilities, { partBytes, layout = 'single', maxStatementBytes = MAX_STATEMENT_BYTES }: ExportRequest): readonly ConfigIssue[] {
  if (partBytes === undefined) return []
  const least = Math.max(layout === 'single' ? minPartBytes : 1, maxStatementBytes + 2)
  if (partBytes < least) return [{ path: 'partBytes', message: `Must be at least ${least}: a part of this storage, and a statement.` }]
  return partBytes > maxPartBytes ? [{ path: 'partBytes', message: `Must be at most ${maxPartBytes}.` }] : []
}

function consistencyIssues({ source, storage }: ExportContext, request: ExportRequest): readonly ConfigIssue[] {
  const { consistency = 'auto', layout = 'single', format = 'sql' } = request
  if (consistency === 'auto' ? consistencyOf(request, source.exports) === 'fuzzy' : !source.exports.consistencies.includes(consistency)) {
    return [{ path: 'consistency', message: `This source can: ${source.exports.consistencies.join(', ')}.` }]
  }
  // A part of exact size is cut in the middle of a row, whose rest must be the same when it is asked for again.
  if (consistency === 'fuzzy' && layout === 'single' && format !== 'sql' && storage.capabilities.equalParts) {
    return [{ path: 'layout', message: 'Must be "directory" for a fuzzy export to a storage whose parts are all of one size.' }]
  }
  return []
}

/** `fuzzy` is what a source has left when it can do nothing better; only who asks for it gets it. */
function consistencyOf({ consistency = 'auto' }: ExportRequest, { consistencies }: ExportCapabilities): Consistency {
  return consistency === 'auto' ? consistencies[0] ?? 'fuzzy' : consistency
}

function timestamp(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')
}

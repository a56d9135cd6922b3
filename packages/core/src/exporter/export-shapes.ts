import * as v from 'valibot'
import { DUMP_FORMATS, type DumpFormatName } from '../dump/manifest.ts'
import { compressions, encryption, formats } from '../dump/dump-shapes.ts'
import { count, duration, logger, positive, retry, runtime, secret, text } from '../options/option-shapes.ts'
import { having, standardShape, type StandardSchema } from '../errors/standard-schema.ts'
import type { CallbackFetch } from './callback/callback-options.ts'
import type { ExportRequest } from './export-request.ts'
import type { ExporterOptions } from './exporter-options.ts'

const table = v.union([text, v.strictObject({ name: text, where: v.optional(text), limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))) })], 'Must be a name, or { name, where, limit }.')
const flag = v.optional(v.boolean('Must be true or false.'))
const format: readonly DumpFormatName[] = DUMP_FORMATS

export const exportRequestShape = v.strictObject({
  format: v.optional(v.picklist(format, `Must be one of ${format.join(', ')}.`)),
  layout: v.optional(v.picklist(['single', 'directory'])),
  tables: v.optional(v.pipe(v.array(table), v.minLength(1, 'Must name a table; leave it out for all.'))),
  exclude: v.optional(v.array(v.union([text, v.instance(RegExp)], 'Must be a name or a regular expression.'))),
  content: v.optional(v.picklist(['all', 'schema', 'data'])),
  consistency: v.optional(v.picklist(['auto', 'snapshot', 'corrected', 'fuzzy'])),
  partBytes: v.optional(count),
  maxStatementBytes: v.optional(v.pipe(count, v.minValue(1_000, 'Must be at least 1,000.'))),
  keepRowids: flag,
  compression: v.optional(text),
  encrypt: flag,
  concurrency: v.optional(count),
  budget: v.optional(v.strictObject({ ms: v.optional(positive), bytes: v.optional(count) })),
  pauseMs: v.optional(duration),
  callback: v.optional(v.strictObject({ url: text, secret: v.optional(secret) })),
  fileName: v.optional(v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/, 'Must be letters, digits, `.`, `_` and `-`.'))),
  ttlMs: v.optional(duration),
})

/**
 * Validates the shape of an {@link ExportRequest}. What depends on the exporter, such as whether its source can give a snapshot, only `start` can say.
 */
export const exportRequestSchema: StandardSchema<ExportRequest> = standardShape(exportRequestShape)

export const exporterShape = v.strictObject({
  source: having<ExporterOptions['source']>(['exports', 'connectExport'], 'Must be a source of exports, such as nodeSqlite({ path }).'),
  storage: having<ExporterOptions['storage']>(['put', 'createUpload'], 'Must be a storage, such as fsStorage(folder).'),
  state: having<ExporterOptions['state']>(['get', 'set', 'list'], 'Must be a state store.'),
  formats, compressions, encryption,
  callbacks: v.optional(v.strictObject({
    allowedOrigins: v.array(text, 'Must be a list of origins.'),
    secret: v.optional(secret),
    timeoutMs: v.optional(positive),
    fetch: v.optional(v.custom<CallbackFetch>((value) => typeof value === 'function', 'Must be a function.')),
  })),
  downloadSecret: v.optional(secret),
  retry: v.optional(retry),
  instance: v.optional(text),
  leaseTtlMs: v.optional(count),
  runtime, logger,
})

/** Validates all options of an `Exporter`, as its constructor does. */
export const exporterOptionsSchema: StandardSchema<ExporterOptions> = standardShape(exporterShape)

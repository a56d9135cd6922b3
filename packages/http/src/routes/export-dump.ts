import type { ExportRequest, StandardSchema } from '@tidemark/core'
import { standardShape, toTidemarkError } from '@tidemark/core/adapter'
import * as v from 'valibot'
import { jsonAnswer } from '../answers/json-answer.ts'
import { acceptedAnswer, acceptedShape } from '../exports/export-answer.ts'
import { downloadAnswer } from '../exports/download-answer.ts'
import type { HandlerContext } from '../handler-context.ts'
import { wantsAnswerAtOnce } from '../requests/wants-answer-at-once.ts'
import { defineRoute, needed, type RouteAnswer } from '../route.ts'
import { idempotencyShape, nameShape, positiveNumber, wholeNumber } from './shapes.ts'

const format = v.picklist(['sql', 'csv', 'csv-guarded', 'ndjson', 'parquet'])
const layout = v.picklist(['single', 'directory'])
const callbackUrl = v.pipe(v.string(), v.minLength(1, 'Must not be empty.'), v.maxLength(2_048, 'Must have at most 2,048 characters.'))

const dumpQuery = v.strictObject({ callbackUrl: v.optional(callbackUrl), format: v.optional(format), layout: v.optional(layout) })

/** All that an `ExportRequest` has, but for conditions, which are SQL, patterns, and secrets. */
export const dumpShape = v.strictObject({
  callbackUrl: v.optional(callbackUrl),
  format: v.optional(format),
  layout: v.optional(layout),
  tables: v.optional(v.array(v.union([nameShape, v.strictObject({ name: nameShape, limit: v.optional(wholeNumber) })], 'Must be a name, or { name, limit }.'))),
  exclude: v.optional(v.array(nameShape)),
  content: v.optional(v.picklist(['all', 'schema', 'data'])),
  consistency: v.optional(v.picklist(['auto', 'snapshot', 'corrected', 'fuzzy'])),
  partBytes: v.optional(wholeNumber), maxStatementBytes: v.optional(wholeNumber), concurrency: v.optional(wholeNumber),
  keepRowids: v.optional(v.boolean()), encrypt: v.optional(v.boolean()),
  compression: v.optional(nameShape), fileName: v.optional(nameShape),
  pauseMs: v.optional(wholeNumber), ttlMs: v.optional(positiveNumber),
})

/** What is sent to `POST /export/dump`. */
export interface DumpBody extends Omit<ExportRequest, 'callback' | 'budget' | 'exclude' | 'tables'> {
  readonly callbackUrl?: string | undefined
  readonly tables?: readonly (string | { readonly name: string; readonly limit?: number | undefined })[] | undefined
  readonly exclude?: readonly string[] | undefined
}

/** Validates it before it is sent, as the route does. */
export const dumpBodySchema: StandardSchema<DumpBody> = standardShape(dumpShape)

const answers: Readonly<Record<number, RouteAnswer>> = {
  200: { description: 'A small export: the file itself, or the manifest of one that has several.', contentType: 'application/octet-stream' },
  202: { description: 'It takes longer, or the request said `Prefer: respond-async`. `Location` is its status.', schema: acceptedShape },
}

export const dumpRoute = defineRoute({
  method: 'POST', path: '/export/dump', scope: 'operate', id: 'startExport',
  summary: 'Begins an export; a small one is answered with its file',
  query: dumpQuery,
  headers: idempotencyShape,
  body: dumpShape,
  answers,
  handle: ({ query, body, ...call }) => dump({ ...call, wanted: { ...body, ...query } }),
})

/** As the prior designs had it; it begins something, so that pages of other sites may not ask for it. */
export const getDumpRoute = defineRoute({
  method: 'GET', path: '/export/dump', scope: 'operate', id: 'getExport',
  summary: 'The same, for clients that only have GET',
  query: dumpQuery,
  headers: idempotencyShape,
  answers,
  handle: ({ query, ...call }) => dump({ ...call, wanted: query }),
})

interface DumpCall {
  readonly request: Request
  readonly headers: v.InferOutput<typeof idempotencyShape>
  readonly wanted: v.InferOutput<typeof dumpShape>
  readonly context: HandlerContext
}

async function dump({ request, headers, wanted, context }: DumpCall): Promise<Response> {
  const exporter = needed(context.exporter, 'exporter')
  const { callbackUrl: url, ...rest } = wanted
  const exportRequest: ExportRequest = url === undefined ? rest : { ...rest, callback: { url } }
  const waitMs = wantsAnswerAtOnce(request) ? 0 : context.exportWaitMs
  const { status, download } = await exporter.export(exportRequest, { waitMs, idempotencyKey: headers['idempotency-key'] })
  if (download === undefined) {
    runOn(status.exportId, context)
    return jsonAnswer(acceptedAnswer(status), 202, { location: `${context.basePath}/export/status/${status.exportId}` })
  }
  // Only the callback, if there is one, is left to do.
  if (url !== undefined) runOn(status.exportId, context)
  const answer = await downloadAnswer({ request: new Request(request.url), open: () => Promise.resolve(download) })
  answer.headers.set('content-location', `${context.basePath}/export/download/${status.exportId}`)
  return answer
}

/** What becomes of it is in its status. A process that was killed holds its lease for a while: that is waited for. */
function runOn(id: string, { exporter, runsExports, exportsRunning, closing, waitUntil, logger }: HandlerContext): void {
  if (!runsExports || exporter === undefined || exportsRunning.has(id)) return
  exportsRunning.add(id)
  const run = exporter.finish(id, { signal: closing, takesOver: true }).catch((error: unknown) => logger.warn({ code: toTidemarkError(error).code }, 'An export has not ended well here.'))
  waitUntil(run.then(() => void exportsRunning.delete(id)))
}

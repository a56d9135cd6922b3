import * as v from 'valibot'
import { jsonAnswer } from '../answers/json-answer.ts'
import type { HandlerContext } from '../handler-context.ts'
import type { ImportJobs } from '../imports/import-jobs.ts'
import { importAnswer, importShape } from '../imports/import-answer.ts'
import { wantsAnswerAtOnce } from '../requests/wants-answer-at-once.ts'
import { defineRoute, needed } from '../route.ts'
import { doneShape, exportParams, idempotencyShape, idShape, limitShape } from './shapes.ts'

const DEFAULT_LIMIT = 50

export const importRoute = defineRoute({
  method: 'POST', path: '/import', scope: 'admin', id: 'startImport',
  summary: 'Loads a dump of the storage into the target, or goes on with it; a small one is waited for',
  headers: idempotencyShape,
  body: v.strictObject({ exportId: idShape }),
  answers: {
    200: { description: 'It is complete, now or since before.', schema: importShape },
    202: { description: 'It takes longer, or the request said `Prefer: respond-async`. `Location` is its status.', schema: importShape },
  },
  handle: async ({ request, body: { exportId }, headers: { 'idempotency-key': key }, context }) => {
    const jobs = jobsOf(context)
    if (key !== undefined) await jobs.claim(key, exportId)
    const standing = await jobs.load(exportId, wantsAnswerAtOnce(request) ? 0 : context.importWaitMs)
    if (standing.note.status === 'completed') return jsonAnswer(importAnswer(standing))
    return jsonAnswer(importAnswer(standing), 202, { 'location': `${context.basePath}/import/status/${exportId}`, 'retry-after': '5' })
  },
})

export const importStatusRoute = defineRoute({
  method: 'GET', path: '/import/status/:exportId', scope: 'read', id: 'importStatus', head: true,
  summary: 'An import as it stands',
  params: exportParams,
  answers: { 200: { description: 'How far it has come, or how it ended.', schema: importShape } },
  handle: async ({ params: { exportId }, context }) => jsonAnswer(importAnswer(await jobsOf(context).status(exportId))),
})

export const importListRoute = defineRoute({
  method: 'GET', path: '/import', scope: 'read', id: 'imports', head: true,
  summary: 'Imports, newest first',
  query: v.strictObject({ limit: v.optional(limitShape) }),
  answers: { 200: { description: 'At most `limit` of them; 50 by default.', schema: v.object({ imports: v.array(importShape) }) } },
  handle: async ({ query: { limit = DEFAULT_LIMIT }, context }) => {
    const all = await jobsOf(context).list()
    return jsonAnswer({ imports: all.slice(0, limit).map(importAnswer) })
  },
})

export const stopImportRoute = defineRoute({
  method: 'POST', path: '/import/stop/:exportId', scope: 'admin', id: 'stopImport',
  summary: 'Stops an import after the slice at hand; what is loaded stays, and it goes on when it is asked for again',
  params: exportParams,
  answers: { 200: { description: 'It is stopped; one that had ended before stays as it is.', schema: importShape } },
  handle: async ({ params: { exportId }, context }) => jsonAnswer(importAnswer(await jobsOf(context).stop(exportId))),
})

export const forgetImportRoute = defineRoute({
  method: 'DELETE', path: '/import/:exportId', scope: 'admin', id: 'forgetImport',
  summary: 'Stops an import, and forgets how it stands, so that the dump can be loaded anew; what is loaded stays',
  params: exportParams,
  answers: { 200: { description: 'It is forgotten here.', schema: doneShape } },
  handle: async ({ params: { exportId }, context }) => {
    await jobsOf(context).forget(exportId)
    return jsonAnswer({ success: true, message: 'The import is forgotten.' })
  },
})

function jobsOf({ importer, imports }: HandlerContext): ImportJobs {
  needed(importer, 'importer')
  return imports
}

import { TidemarkError } from '@tidemark/core'
import * as v from 'valibot'
import { jsonAnswer } from '../answers/json-answer.ts'
import { downloadAnswer } from '../exports/download-answer.ts'
import { acceptedAnswer, acceptedShape, exportAnswer, exportShape } from '../exports/export-answer.ts'
import { defineRoute, needed } from '../route.ts'
import { doneShape, exportParams, idShape, limitShape, nameShape } from './shapes.ts'

const DEFAULT_LIMIT = 50

export const exportStatusRoute = defineRoute({
  method: 'GET', path: '/export/status/:exportId', scope: 'read', id: 'exportStatus', head: true,
  summary: 'An export as it stands',
  params: exportParams,
  answers: { 200: { description: 'How far it has come, or how it ended.', schema: exportShape } },
  handle: async ({ params: { exportId }, context }) => jsonAnswer(exportAnswer(await needed(context.exporter, 'exporter').status(exportId))),
})

export const exportListRoute = defineRoute({
  method: 'GET', path: '/export', scope: 'read', id: 'exports', head: true,
  summary: 'Exports, newest first',
  query: v.strictObject({ limit: v.optional(limitShape), before: v.optional(idShape) }),
  answers: {
    200: {
      description: 'At most `limit` of them, 50 by default, that are older than the export `before`. `next` is the `before` of the next page, and is there when there is one.',
      schema: v.object({ exports: v.array(exportShape), next: v.optional(v.string()) }),
    },
  },
  handle: async ({ query: { limit = DEFAULT_LIMIT, before }, context }) => {
    // One more tells whether there is a next page.
    const found = await needed(context.exporter, 'exporter').list({ limit: limit + 1, before })
    const exports = found.slice(0, limit)
    return jsonAnswer({ exports: exports.map(exportAnswer), next: found.length > limit ? exports.at(-1)?.exportId : undefined })
  },
})

export const downloadRoute = defineRoute({
  method: 'GET', path: '/export/download/:exportId', scope: 'operate', id: 'downloadExport', head: true,
  summary: 'The dump, with Range; `path` is an object of one that has several, as its manifest names it',
  params: exportParams,
  query: v.strictObject({ path: v.optional(nameShape) }),
  answers: {
    200: { description: 'All of it.', contentType: 'application/octet-stream' },
    202: { description: 'The export is not complete yet.', schema: acceptedShape },
    206: { description: 'The range that was asked for.', contentType: 'application/octet-stream' },
    304: { description: 'It is what the client has.' },
  },
  handle: async ({ request, params: { exportId }, query: { path }, context }) => {
    const exporter = needed(context.exporter, 'exporter')
    const status = await exporter.status(exportId)
    if (status.status === 'pending' || status.status === 'processing') return jsonAnswer(acceptedAnswer(status), 202, { 'retry-after': '5' })
    if (status.status === 'failed') {
      throw new TidemarkError('EXPORT_NOT_READY', `The export has failed: ${status.error?.code ?? 'INTERNAL'}.`, { detail: 'failed', remedy: status.error?.remedy })
    }
    return downloadAnswer({ request, open: (range) => exporter.download(exportId, { range, path }) })
  },
})

export const cancelRoute = defineRoute({
  method: 'POST', path: '/export/cancel/:exportId', scope: 'operate', id: 'cancelExport',
  summary: 'Ends an export that has not ended, and removes what it wrote',
  params: exportParams,
  answers: { 200: { description: 'It has ended; one that had ended before stays as it is.', schema: exportShape } },
  handle: async ({ params: { exportId }, context }) => jsonAnswer(exportAnswer(await needed(context.exporter, 'exporter').cancel(exportId))),
})

export const deleteExportRoute = defineRoute({
  method: 'DELETE', path: '/export/:exportId', scope: 'admin', id: 'deleteExport',
  summary: 'Ends an export, and deletes what it wrote',
  params: exportParams,
  answers: { 200: { description: 'Nothing is left of it.', schema: doneShape } },
  handle: async ({ params: { exportId }, context }) => {
    const exporter = needed(context.exporter, 'exporter')
    await exporter.cancel(exportId)
    await exporter.delete(exportId)
    return jsonAnswer({ success: true, message: 'The export is deleted.' })
  },
})

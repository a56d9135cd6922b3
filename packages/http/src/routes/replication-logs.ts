import { ERRORS, type RunLogEntry } from '@tidemark/core'
import * as v from 'valibot'
import { isoTime } from '../answers/iso-time.ts'
import { jsonAnswer } from '../answers/json-answer.ts'
import { defineRoute, needed } from '../route.ts'
import { isoTime as isoTimeShape, limitShape, nameShape, wholeNumber } from './shapes.ts'

const DEFAULT_LIMIT = 50

const logShape = v.object({
  config_name: v.string(),
  status: v.picklist(['success', 'error']),
  records_processed: wholeNumber,
  error_message: v.nullable(v.string()),
  sync_duration_ms: v.number(),
  created_at: isoTimeShape,
  errorCode: v.nullable(v.string()),
  remedy: v.nullable(v.string()),
})

export const logsRoute = defineRoute({
  method: 'GET', path: '/data-replication/logs', scope: 'read', id: 'replicationLogs', head: true,
  summary: 'Past syncs, newest first',
  query: v.strictObject({ limit: v.optional(limitShape), name: v.optional(nameShape) }),
  answers: { 200: { description: 'At most `limit` of them; 50 by default.', schema: v.object({ logs: v.array(logShape) }) } },
  handle: async ({ query: { limit = DEFAULT_LIMIT, name }, context }) => {
    const logs = await needed(context.replicator, 'replicator').logs({ limit, name })
    return jsonAnswer({ logs: logs.map(logOf) })
  },
})

function logOf({ name, status, rows, errorCode, errorMessage, durationMs, atMs }: RunLogEntry): v.InferOutput<typeof logShape> {
  return {
    config_name: name,
    status,
    records_processed: rows,
    error_message: errorMessage ?? null,
    sync_duration_ms: durationMs,
    created_at: isoTime(atMs),
    errorCode: errorCode ?? null,
    remedy: remedyOf(errorCode),
  }
}

/** An entry may be of a newer version, with a code that this one does not have. */
function remedyOf(code: string | undefined): string | null {
  return code !== undefined && Object.hasOwn(ERRORS, code) ? ERRORS[code as keyof typeof ERRORS].remedy : null // looked up right before
}

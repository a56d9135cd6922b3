import { ANSWER_HEADERS } from '../answers/answer-headers.ts'
import { collectMetrics } from '../metrics/collect.ts'
import { exposition } from '../metrics/exposition.ts'
import { defineRoute } from '../route.ts'

const TEXT_FORMAT = 'text/plain; version=0.0.4; charset=utf-8'

export const metricsRoute = defineRoute({
  method: 'GET', path: '/metrics', scope: 'read', id: 'metrics', head: true,
  summary: 'Metrics in the text format of Prometheus',
  answers: { 200: { description: 'All of them.', contentType: 'text/plain' } },
  handle: async ({ context }) => new Response(exposition(await collectMetrics(context)), { headers: { ...ANSWER_HEADERS, 'content-type': TEXT_FORMAT } }),
})

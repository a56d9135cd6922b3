import { ANSWER_HEADERS } from '../answers/answer-headers.ts'
import { PAGE_HTML, PAGE_POLICY } from '../page/status-page.ts'
import { defineRoute } from '../route.ts'

export const pageRoute = defineRoute({
  method: 'GET', path: '/', scope: 'read', id: 'statusPage', head: true,
  // It is an address that people pass on, with whatever is added to it on the way.
  anyQuery: true,
  summary: 'The status page: one file that asks these routes and nobody else',
  answers: { 200: { description: 'HTML.', contentType: 'text/html' } },
  handle: () => new Response(PAGE_HTML, { headers: { ...ANSWER_HEADERS, 'content-security-policy': PAGE_POLICY, 'content-type': 'text/html; charset=utf-8' } }),
})

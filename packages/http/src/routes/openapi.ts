import { jsonAnswer } from '../answers/json-answer.ts'
import document from '../openapi/openapi.json' with { type: 'json' }
import { defineRoute } from '../route.ts'

export const openapiRoute = defineRoute({
  method: 'GET', path: '/openapi.json', scope: 'read', id: 'openapi', head: true,
  summary: 'This document',
  answers: { 200: { description: 'OpenAPI 3.1.', contentType: 'application/json' } },
  handle: () => jsonAnswer(document),
})

import { ANSWER_HEADERS } from './answer-headers.ts'

export function jsonAnswer(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), { status, headers: { ...ANSWER_HEADERS, 'content-type': 'application/json' } })
}

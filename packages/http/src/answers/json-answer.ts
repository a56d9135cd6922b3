import { ANSWER_HEADERS } from './answer-headers.ts'

export function jsonAnswer(body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers: { ...ANSWER_HEADERS, ...headers, 'content-type': 'application/json' } })
}

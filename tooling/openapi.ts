import { writeFileSync } from 'node:fs'
import { makeOpenapi } from '../packages/http/src/openapi/make-openapi.ts'
import { routes } from '../packages/http/src/routes.ts'

export const OPENAPI = 'packages/http/src/openapi/openapi.json'

/** The document of the HTTP handler's routes. `node --conditions=tidemark-source tooling/openapi.ts` writes it. */
export function openapiText(): string {
  return `${JSON.stringify(makeOpenapi(routes), undefined, 2)}\n`
}

if (import.meta.main) writeFileSync(OPENAPI, openapiText())

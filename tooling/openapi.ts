import { writeFileSync } from 'node:fs'
import { makeOpenapi } from '../packages/http/src/openapi/make-openapi.ts'
import { makeOpenapiTypes } from '../packages/http/src/openapi/make-openapi-types.ts'
import { routes } from '../packages/http/src/routes.ts'

export const OPENAPI = 'packages/http/src/openapi/openapi.json'
export const OPENAPI_TYPES = 'packages/http/src/client/openapi-types.ts'

/** The document of the HTTP handler's routes. `node --conditions=tidemark-source tooling/openapi.ts` writes it, and the client's types. */
export function openapiText(): string {
  return `${JSON.stringify(makeOpenapi(routes), undefined, 2)}\n`
}

/** The same as types. */
export function openapiTypesText(): Promise<string> {
  return makeOpenapiTypes(makeOpenapi(routes))
}

if (import.meta.main) {
  writeFileSync(OPENAPI, openapiText())
  writeFileSync(OPENAPI_TYPES, await openapiTypesText())
}

import openapiTS, { astToString, type OpenAPI3 } from 'openapi-typescript'

/** The types of a document, for clients. Made when it changes, and kept beside the client. */
export async function makeOpenapiTypes(document: unknown): Promise<string> {
  // Not `immutable`: the client takes readonly lists for objects. A document that is given is changed.
  const types = astToString(await openapiTS(structuredClone(document) as OpenAPI3)) // as `makeOpenapi` makes it
  return `// Made of openapi.json by tooling/openapi.ts; not for changing by hand.\n/* oxlint-disable max-lines */\n${types}`
}

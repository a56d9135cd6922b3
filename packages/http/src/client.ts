// For who talks to a handler: no code of the server.
export { createClient, type ClientOptions, type ClientProblem, type TidemarkClient } from './client/create-client.ts'
export type { components, operations, paths } from './client/openapi-types.ts'

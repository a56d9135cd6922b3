import createFetchClient, { type Client } from 'openapi-fetch'
import type { components, paths } from './openapi-types.ts'

/** What a handler answers when something is wrong: decide by `code`. */
export type ClientProblem = components['schemas']['Problem']

/** The routes of a handler, typed: `client.GET('/export/status/{exportId}', { params: { path: { exportId } } })`. */
export type TidemarkClient = Client<paths>

export interface ClientOptions {
  /** Where the handler is, with its base path: `https://app.example/data`. */
  readonly baseUrl: string
  /** A function is asked at every request. */
  readonly token?: string | (() => string | Promise<string>) | undefined
  /** Default: the host's. */
  readonly fetch?: ((request: Request) => Promise<Response>) | undefined
}

/**
 * A client of a handler. Each call gives `{ data, error, response }`: `data` is what its route documents, `error` a {@link ClientProblem}. Throws only where no
 * answer came. For files give `parseAs: 'stream'`.
 */
export function createClient({ baseUrl, token, fetch }: ClientOptions): TidemarkClient {
  const client = createFetchClient<paths>({ baseUrl: baseUrl.replace(/\/$/, ''), ...(fetch === undefined ? {} : { fetch }) })
  if (token === undefined) return client
  client.use({
    onRequest: async ({ request }) => {
      request.headers.set('authorization', `Bearer ${typeof token === 'function' ? await token() : token}`)
      return request
    },
  })
  return client
}

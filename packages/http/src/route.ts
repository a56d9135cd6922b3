import { TidemarkError } from '@tidemark/core'
import * as v from 'valibot'
import type { Scope } from './access/scope.ts'
import type { HandlerContext } from './handler-context.ts'
import { checkShape, type Shape } from './requests/check-shape.ts'
import { readJson } from './requests/read-json.ts'
import { readQuery } from './requests/read-query.ts'

export type Method = 'GET' | 'POST' | 'DELETE'

/** What an answer is, for the OpenAPI document. */
export interface RouteAnswer {
  readonly description: string
  /** Of its JSON; absent where it has another type. */
  readonly schema?: Shape | undefined
  readonly contentType?: string | undefined
}

/** One route: the only place where its method, path, scope, input and answers are said. */
export interface Route {
  readonly method: Method
  /** As hono and OpenAPI both can have it: `/export/status/:exportId`. */
  readonly path: `/${string}`
  /** `peer`: the receiver asks for credentials itself. */
  readonly scope: Scope | 'peer'
  /** Name of the operation, for clients made from the document. */
  readonly id: string
  readonly summary: string
  readonly params?: Shape | undefined
  readonly query?: Shape | undefined
  /** By their names in lower case; others are not looked at. */
  readonly headers?: Shape | undefined
  readonly body?: Shape | undefined
  readonly answers: Readonly<Record<number, RouteAnswer>>
  /** Whether HEAD is answered, too. Never where an answer costs more than its headers. */
  readonly head: boolean
  /** What `authorize` is asked with, where credentials may come in another way than by a header. */
  readonly toAsk?: ((request: Request) => Request) | undefined
  readonly handle: (request: Request, params: Readonly<Record<string, string>>, context: HandlerContext) => Promise<Response>
}

/** What a route is given: its input, checked. */
export interface Call<Params, Query, Body, Headers> {
  readonly request: Request
  readonly params: Params
  readonly query: Query
  readonly body: Body
  readonly headers: Headers
  readonly context: HandlerContext
}

type OutputOf<S> = S extends Shape ? v.InferOutput<S> : Readonly<Record<string, never>>

interface RouteDefinition<Params, Query, Body, Headers> extends Pick<Route, 'method' | 'path' | 'scope' | 'id' | 'summary' | 'answers' | 'toAsk'> {
  readonly params?: Params
  readonly query?: Query
  readonly body?: Body
  readonly headers?: Headers
  readonly head?: boolean
  /** Whether parameters that it does not know are passed over. Default: they are refused, with the name that was meant. */
  readonly anyQuery?: boolean
  readonly handle: (call: Call<OutputOf<Params>, OutputOf<Query>, OutputOf<Body>, OutputOf<Headers>>) => Promise<Response> | Response
}

const noParameters = v.strictObject({})

/** A route whose handler gets what its schemas let through, typed by them. */
export function defineRoute<
  Params extends Shape | undefined = undefined, Query extends Shape | undefined = undefined, Body extends Shape | undefined = undefined, Headers extends Shape | undefined = undefined,
>(definition: RouteDefinition<Params, Query, Body, Headers>): Route {
  const { params: paramsShape, body: bodyShape, headers: headersShape, anyQuery = false } = definition
  const queryShape = definition.query ?? (anyQuery ? undefined : noParameters)
  return {
    ...definition,
    head: definition.head ?? false,
    handle: async (request, params, context) => {
      const input = {
        params: paramsShape === undefined ? {} : checkShape(paramsShape, params, 'path'),
        query: queryShape === undefined ? {} : checkShape(queryShape, readQuery(new URL(request.url)), 'query'),
        headers: headersShape === undefined ? {} : checkShape(headersShape, headersOf(request, headersShape), 'header'),
        body: bodyShape === undefined ? {} : checkShape(bodyShape, await readJson(request, context), 'body'),
      }
      // Each part is what its schema put out, or the empty object that stands for none.
      return definition.handle({ request, context, ...input } as Call<OutputOf<Params>, OutputOf<Query>, OutputOf<Body>, OutputOf<Headers>>)
    },
  }
}

/** Those that the shape names. */
function headersOf({ headers }: Request, shape: Shape): Readonly<Record<string, string>> {
  const names = 'entries' in shape && typeof shape.entries === 'object' ? Object.keys(shape.entries ?? {}) : []
  return Object.fromEntries(names.flatMap((name) => (headers.has(name) ? [[name, headers.get(name) ?? '']] : [])))
}

/** Errors: `ROUTE_UNKNOWN` for a capability that the handler was not given. */
export function needed<T>(capability: T | undefined, option: string): T {
  if (capability !== undefined) return capability
  throw new TidemarkError('ROUTE_UNKNOWN', `This handler was made without \`${option}\`.`, { detail: option, remedy: `Give \`${option}\` to createHandler.` })
}

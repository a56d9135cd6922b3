import { TidemarkError } from '@tidemark/core'
import { problemAnswer, type Scope } from '@tidemark/http'
import type { StarbaseAnswer, StarbaseApp, StarbaseContext, StarbasePlugin, StarbaseQuery } from '../plugin-contract.ts'
import type { StarbaseScope } from '../starbase-scope.ts'
import type { TidemarkStub } from '../tidemark-stub.ts'
import { checkPluginOptions } from './check-plugin-options.ts'

export interface PluginOptions {
  /** Of the instance's object, whose class is made by `withTidemark`. */
  readonly stub: TidemarkStub
  /** What those may do who have no admin token, but the client token or a JWT. Default: nothing. */
  readonly clients?: Scope | undefined
}

export interface PluginRoutes {
  readonly paths: readonly string[]
  /** Where only DELETE is answered. */
  readonly deleted?: readonly string[]
}

/** Routes of the instance that are answered by its object. Errors: the constructor throws `CONFIG_INVALID`. */
export abstract class RoutePlugin implements StarbasePlugin {
  readonly name: string
  readonly opts: { readonly requiresAuth: boolean }
  protected readonly stub: TidemarkStub
  readonly #clients: StarbaseScope
  readonly #routes: PluginRoutes

  constructor({ name, requiresAuth = true, ...routes }: PluginRoutes & { readonly name: string; readonly requiresAuth?: boolean }, options: PluginOptions) {
    checkPluginOptions(options)
    const { stub, clients } = options
    this.name = name
    this.opts = { requiresAuth }
    this.stub = stub
    this.#clients = clients ?? 'none'
    this.#routes = routes
  }

  async register(app: StarbaseApp): Promise<void> {
    const { paths, deleted = [] } = this.#routes
    for (const path of paths) app.all(path, (context) => this.answer(context))
    for (const path of deleted) app.delete(path, (context) => this.answer(context))
  }

  async beforeQuery({ sql, params }: StarbaseQuery): Promise<{ readonly sql: string; readonly params?: unknown[] }> {
    return params === undefined ? { sql } : { sql, params }
  }

  async afterQuery({ result }: StarbaseAnswer): Promise<unknown> {
    return result
  }

  protected async answer(context: StarbaseContext): Promise<Response> {
    const refused = notInternal(context)
    return refused ?? this.stub.tidemark(this.forwarded(context.req.raw), this.scopeOf(context))
  }

  protected scopeOf(context: StarbaseContext): StarbaseScope {
    return context.get('config')?.role === 'admin' ? 'admin' : this.#clients
  }

  /** The instance's token has been looked at, and goes no further. */
  protected forwarded(request: Request): Request {
    const headers = new Headers(request.headers)
    headers.delete('authorization')
    return new Request(request, { headers })
  }
}

/** Of another database, which the instance only passes queries on to, there is nothing here. */
export function notInternal(context: StarbaseContext): Response | undefined {
  if (context.get('dataSource')?.source === 'internal') return undefined
  return problemAnswer(new TidemarkError('REQUEST_INVALID', 'This is about the instance\'s own database alone.', { detail: 'x-starbase-source', remedy: 'Leave out X-Starbase-Source, or say `internal`.' }))
}

import { TidemarkError } from '@tidemark/core'
import { toTidemarkError } from '@tidemark/core/adapter'
import { Hono } from 'hono/tiny'
import { checkAccess } from './access/check-access.ts'
import { limitedBy } from './access/limit.ts'
import { ANSWER_HEADERS } from './answers/answer-headers.ts'
import { problemAnswer } from './answers/problem.ts'
import type { HandlerContext } from './handler-context.ts'
import type { HandlerOptions } from './handler-options.ts'
import { resolveHandlerSettings } from './handler-settings.ts'
import { ImportJobs } from './imports/import-jobs.ts'
import { Tally } from './metrics/tally.ts'
import type { Route } from './route.ts'
import { routes } from './routes.ts'

/**
 * A fetch handler. Disposing ends the feeds that are open, and leaves exports and imports that it runs to the next process that asks for them; the capabilities are not
 * stopped.
 */
export interface Handler extends Disposable {
  (request: Request): Promise<Response>
}

/** No route has such a path. */
const NOWHERE = '/.'

/**
 * Tidemark over HTTP: REST, a feed of changes, metrics and a status page, for whatever host speaks `fetch`.
 *
 * Never rejects: what goes wrong is an answer of `application/problem+json`.
 *
 * Errors: `CONFIG_INVALID` with every fault found; without `authorize` there is no handler.
 */
export function createHandler(options: HandlerOptions): Handler {
  const settings = resolveHandlerSettings(options)
  const closing = new AbortController()
  const context: HandlerContext = { ...settings, tally: new Tally(settings), imports: new ImportJobs({ ...settings, closing: closing.signal }), closing: closing.signal, feeds: new Set(), exportsRunning: new Set() }
  const app = makeApp(context)
  const handle = async (request: Request): Promise<Response> => (isBase(request, settings.basePath) ? toPage(settings.basePath) : app.fetch(request))
  const { telemetry } = settings
  return Object.assign(telemetry === undefined ? handle : (request: Request) => telemetry.during(request, handle), {
    [Symbol.dispose]: () => {
      context.tally[Symbol.dispose]()
      closing.abort()
    },
  })
}

function makeApp(context: HandlerContext): Hono {
  const app = new Hono({ getPath: (request) => pathOf(request, context.basePath) })
  for (const route of routes) {
    app.on(route.method, route.path, (c) => answer(route, { request: c.req.raw, params: c.req.param(), context }))
  }
  for (const path of new Set(routes.map((route) => route.path))) app.all(path, (c) => refused(c.req.raw, methodRefusal(path), context))
  app.notFound((c) => refused(c.req.raw, { error: new TidemarkError('ROUTE_UNKNOWN', 'There is no such route.') }, context))
  app.onError((error, c) => refused(c.req.raw, { error: toTidemarkError(error) }, context))
  return app
}

/** Not decoded: a slash or a dot that is written in another way is part of a name. Of the host's choice of `//` and `..` nothing is left by then. */
function pathOf(request: Request, basePath: string): string {
  const { pathname } = new URL(request.url)
  if (basePath === '') return pathname
  return pathname.startsWith(`${basePath}/`) ? pathname.slice(basePath.length) : NOWHERE
}

function isBase({ method, url }: Request, basePath: string): boolean {
  return basePath !== '' && (method === 'GET' || method === 'HEAD') && new URL(url).pathname === basePath
}

/** The page's own addresses are relative to a path that ends with a slash. */
function toPage(basePath: string): Response {
  return new Response(null, { status: 308, headers: { ...ANSWER_HEADERS, location: `${basePath}/` } })
}

interface Asked {
  readonly request: Request
  readonly params: Readonly<Record<string, string>>
  readonly context: HandlerContext
}

async function answer(route: Route, { request, params, context }: Asked): Promise<Response> {
  // hono answers HEAD with what GET does, which may be to begin something.
  context.telemetry?.routed(request, `${context.basePath}${route.path}`)
  if (request.method === 'HEAD' && !route.head) return refused(request, methodRefusal(route.path), context)
  try {
    const asked = { request: route.toAsk?.(request) ?? request, scope: route.scope, route: `${route.method} ${route.path}` }
    const limited = await limitedBy(context.limit, asked)
    if (limited !== undefined) return refused(request, limited, context)
    if (route.scope !== 'peer') await checkAccess(asked.request, { scope: route.scope, route: asked.route }, context.authorize)
    return await route.handle(request, params, context)
  } catch (cause) {
    return failure(request, toTidemarkError(cause), context)
  }
}

function failure(request: Request, error: TidemarkError, context: HandlerContext): Response {
  context.logger.warn({ code: error.code }, error.message)
  const headers = {
    ...(error.code === 'REQUEST_UNAUTHORIZED' ? { 'www-authenticate': context.authorize.challenge ?? 'Bearer' } : {}),
    ...(error.retryable ? { 'retry-after': '5' } : {}),
  }
  return refused(request, { error, headers }, context)
}

interface Refusal {
  readonly error: TidemarkError
  readonly headers?: Readonly<Record<string, string>> | undefined
}

function refused(request: Request, { error, headers }: Refusal, { telemetry }: HandlerContext): Response {
  telemetry?.failed(request, error.code)
  return problemAnswer(error, headers)
}

function methodRefusal(path: string): Refusal {
  const allowed = routes.filter((route) => route.path === path).flatMap((route) => (route.head ? [route.method, 'HEAD'] : [route.method]))
  const error = new TidemarkError('REQUEST_INVALID', 'This route has no such method.', { detail: 'method', remedy: `Use ${allowed.join(' or ')}.` })
  return { error, headers: { allow: allowed.join(', ') } }
}

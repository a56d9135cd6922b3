import { TidemarkError } from '@tidemark/core'
import type { Authorize } from './authorize.ts'
import type { Scope } from './scope.ts'

export interface Access {
  readonly scope: Scope
  /** `GET /changes`. */
  readonly route: string
}

/** Errors: `REQUEST_UNAUTHORIZED` for who may nothing, `REQUEST_FORBIDDEN` for who may not do this, or is sent here by another site's page. */
export async function checkAccess(request: Request, { scope, route }: Access, authorize: Authorize): Promise<void> {
  if (isChange(request, scope) && isFromElsewhere(request)) {
    throw new TidemarkError('REQUEST_FORBIDDEN', 'A page of another site may not do this.', { detail: 'cross-site', remedy: 'Send it from the status page, or from a program.' })
  }
  if (await mayDo(authorize, { request, scope, route })) return
  if (scope === 'read' || !(await mayDo(authorize, { request, scope: 'read', route }))) {
    throw new TidemarkError('REQUEST_UNAUTHORIZED', 'The request has no valid credentials.', { remedy: 'Send a token that this handler knows.' })
  }
  throw new TidemarkError('REQUEST_FORBIDDEN', `This needs the scope "${scope}".`, { detail: scope })
}

/** `true` and nothing else: a function that forgot to return, or returned an object, lets nobody in. */
export async function mayDo(authorize: Authorize, { request, scope, route }: Access & { readonly request: Request }): Promise<boolean> {
  const answer: unknown = await authorize(request, scope, route)
  return answer === true
}

/** What reading alone can't do: a browser sends credentials along with what other sites' pages ask for. */
function isChange(request: Request, scope: Scope): boolean {
  return scope !== 'read' || (request.method !== 'GET' && request.method !== 'HEAD')
}

/** Browsers say where a request comes from and let no page change that; what is no browser says nothing. */
function isFromElsewhere(request: Request): boolean {
  const site = request.headers.get('sec-fetch-site')
  if (site !== null) return site !== 'same-origin' && site !== 'none'
  const origin = request.headers.get('origin')
  return origin !== null && hostOf(origin) !== (request.headers.get('host') ?? hostOf(request.url))
}

function hostOf(url: string): string | undefined {
  try {
    return new URL(url).host
  } catch {
    return undefined
  }
}

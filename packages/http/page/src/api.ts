/** Relative to where this page is served, whatever its base path. */
async function call<T>(method: string, path: string, options: { readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> } = {}): Promise<T> {
  const { body, headers = {} } = options
  const answer = await fetch(path, {
    method,
    headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const value: unknown = await answer.json().catch(() => ({}))
  if (!answer.ok) throw new Problem(answer.status, value)
  return value as T // the page and the handler are of one version
}

/** What went wrong, and the way out, as the handler says it. */
export class Problem extends Error {
  readonly status: number

  constructor(status: number, problem: unknown) {
    const { code = `HTTP ${status}`, detail = '', remedy = '' } = problem as { readonly code?: string; readonly detail?: string; readonly remedy?: string } // each may be missing
    super(`${code}: ${detail} ${remedy}`.trim())
    this.status = status
  }
}

export function read<T>(path: string): Promise<T> {
  return call<T>('GET', path)
}

export function act<T>(path: string, method: 'POST' | 'DELETE' = 'POST'): Promise<T> {
  return call<T>(method, path)
}

/** Answered at once: how far it comes is in the list. */
export function beginExport(format: string): Promise<unknown> {
  return call('POST', 'export/dump', { body: { format }, headers: { prefer: 'respond-async' } })
}

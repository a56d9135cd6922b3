import type { ErrorReport, Issue } from './answers.ts'

/** Relative to where this page is served, whatever its base path. */
async function call<T>(method: string, path: string, options: { readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> } = {}): Promise<T> {
  const { body, headers = {} } = options
  const answer = await fetch(path, {
    method,
    headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  if (!answer.ok) throw await problemOf(answer)
  return await answer.json().catch(() => ({})) as T // the page and the handler are of one version
}

/** What went wrong, and the way out, as the handler says it. */
export class Problem extends Error {
  readonly status: number
  readonly report: ErrorReport
  readonly issues: readonly Issue[]

  constructor(status: number, problem: unknown) {
    const { code = `HTTP ${status}`, detail = '', remedy = '', issues = [] } = problem as { readonly code?: string; readonly detail?: string; readonly remedy?: string; readonly issues?: readonly Issue[] } // each may be missing
    super(`${code}: ${detail}`)
    this.status = status
    this.report = { code, message: detail, remedy }
    this.issues = issues
  }
}

export async function problemOf(answer: Response): Promise<Problem> {
  return new Problem(answer.status, await answer.json().catch(() => ({})))
}

export function read<T>(path: string): Promise<T> {
  return call<T>('GET', path)
}

export function act<T>(path: string, method: 'POST' | 'DELETE' = 'POST'): Promise<T> {
  return call<T>(method, path)
}

export function post<T>(path: string, body: unknown): Promise<T> {
  return call<T>('POST', path, { body })
}

/** Answered at once: how far it comes is in the list. */
export function begin(path: string, body: unknown): Promise<unknown> {
  return call('POST', path, { body, headers: { prefer: 'respond-async' } })
}

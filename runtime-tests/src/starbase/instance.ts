import { Miniflare } from 'miniflare'
import type { PeerFetchInit, PeerResponse } from '@tidemark/core'

export const TOKEN = 'ABC123'

/**
 * What a stock StarbaseDB instance (0.1.4) does with `POST /query`: each statement of a "transaction" is a call of its own to the Durable Object, which
 * runs it by `sql.exec`; the first that fails ends the request, and those before it stay. Beyond that, `x-cut` loses the instance before a statement.
 */
const SCRIPT = `
import { DurableObject } from 'cloudflare:workers'

export class Database extends DurableObject {
  async executeQuery(sql, params) {
    const { sql: storage } = this.ctx.storage
    return (params?.length ? storage.exec(sql, ...params) : storage.exec(sql)).toArray()
  }
}

const respond = (result, error, status) => new Response(JSON.stringify({ result, error }), { status, headers: { 'content-type': 'application/json' } })

export default {
  async fetch(request, env) {
    const token = request.headers.get('authorization')?.replace('Bearer ', '')
    if (!token) return respond(undefined, 'Unauthorized request', 401)
    if (token !== '${TOKEN}') return respond(undefined, 'Unauthorized request', 400)
    if (new URL(request.url).pathname !== '/query') return respond(undefined, 'Not found', 404)
    if (!request.headers.get('content-type')?.includes('application/json')) return respond(undefined, 'Content-Type must be application/json.', 400)
    const database = env.DATABASE.get(env.DATABASE.idFromName(request.headers.get('x-name')))
    const cut = Number(request.headers.get('x-cut') ?? Infinity)
    try {
      const { transaction } = await request.json()
      const results = []
      for (const [index, { sql, params }] of transaction.entries()) {
        if (index >= cut) throw new Error('Network connection lost.')
        results.push(await database.executeQuery(sql, params))
      }
      return respond(results, undefined, 200)
    } catch (error) {
      return respond(undefined, error?.message || 'An unexpected error occurred.', 500)
    }
  },
}
`

export interface Request extends PeerFetchInit {
  readonly url: string
}

export interface Instance extends AsyncDisposable {
  /** Of a database of this name, which is made with the first request. */
  send(name: string, request: Request, options?: { readonly cutBefore?: number }): Promise<PeerResponse>
  query(name: string, sql: string): Promise<readonly Readonly<Record<string, unknown>>[]>
}

export async function startInstance(): Promise<Instance> {
  const runtime = new Miniflare({ modules: true, script: SCRIPT, compatibilityDate: '2024-09-25', durableObjects: { DATABASE: { className: 'Database', useSQLite: true } } })
  await runtime.ready
  const send: Instance['send'] = async (name, { url, method, headers, body }, { cutBefore } = {}) => {
    const cut = cutBefore === undefined ? {} : { 'x-cut': String(cutBefore) }
    const response = await runtime.dispatchFetch(url, { method, headers: { ...headers, 'x-name': name, ...cut }, body })
    return { status: response.status, text: () => response.text() }
  }
  return {
    send,
    query: async (name, sql) => {
      const response = await send(name, { url: 'http://localhost/query', method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` }, body: JSON.stringify({ transaction: [{ sql }] }), redirect: 'manual', signal: new AbortController().signal })
      const text = await response.text()
      if (response.status !== 200) throw new Error(text)
      const { result } = JSON.parse(text) as { readonly result: readonly (readonly Readonly<Record<string, unknown>>[])[] } // as the instance writes it
      return result[0] ?? []
    },
    [Symbol.asyncDispose]: () => runtime.dispose(),
  }
}

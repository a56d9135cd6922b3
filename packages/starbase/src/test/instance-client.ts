import type { Miniflare } from 'miniflare'

interface Asked {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Default `admin`. */
  readonly token?: string
}

type Answer = Awaited<ReturnType<Miniflare['dispatchFetch']>>

/** One instance, as its users have it. */
export class InstanceClient {
  readonly #runtime: Miniflare
  readonly #url: string

  constructor(runtime: Miniflare, name: string) {
    this.#runtime = runtime
    this.#url = `https://${name}.example`
  }

  ask(path: string, { token = 'admin', headers = {}, ...init }: Asked = {}): Promise<Answer> {
    return this.#runtime.dispatchFetch(this.#url + path, { ...init, headers: token === '' ? headers : { authorization: `Bearer ${token}`, ...headers } })
  }

  async json(path: string, options: Asked = {}): Promise<unknown> {
    return (await this.ask(path, options)).json()
  }

  /** The rows as objects. */
  async query(sql: string, params?: readonly unknown[]): Promise<unknown> {
    const answer = await this.ask('/query', { method: 'POST', body: JSON.stringify({ sql, params }) })
    if (!answer.ok) throw new Error(await answer.text())
    return (await answer.json() as { readonly result: unknown }).result
  }
}

import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { Miniflare, type MiniflareOptions } from 'miniflare'

export interface ExampleOptions {
  readonly databaseUrl: string
  /** Where the objects' databases and the bucket are, so that they outlive the process. */
  readonly folder: string
}

const TOKENS = { READ_TOKEN: 'reads', OPERATE_TOKEN: 'operates', PEER_TOKEN: 'propagates' } as const

/** As wrangler bundles it, with its conditions and `nodejs_compat`. */
async function bundle(): Promise<string> {
  const entry = fileURLToPath(new URL('../index.ts', import.meta.url))
  const { outputFiles } = await build({
    entryPoints: [entry], bundle: true, format: 'esm', target: 'es2022', platform: 'neutral', mainFields: ['module', 'main'], write: false, sourcemap: 'inline',
    conditions: ['tidemark-source', 'workerd', 'worker', 'browser'], external: ['node:*', 'cloudflare:*'],
  })
  return outputFiles[0]?.text ?? ''
}

/** The example in workerd. */
export class Example implements AsyncDisposable {
  readonly #script: string
  readonly #options: ExampleOptions
  #variables: Readonly<Record<string, string>> = {}
  #runtime: Miniflare

  private constructor(script: string, options: ExampleOptions) {
    this.#script = script
    this.#options = options
    this.#runtime = this.#start()
  }

  static async start(options: ExampleOptions): Promise<Example> {
    const example = new Example(await bundle(), options)
    await example.#runtime.ready
    return example
  }

  /** Kills the process, whatever its objects are at, and starts another on what they had stored, with other variables from then on. */
  async restart(variables: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.#runtime.dispose()
    this.#variables = { ...this.#variables, ...variables }
    this.#runtime = this.#start()
    await this.#runtime.ready
  }

  fetch(path: string, init: { readonly method?: string; readonly body?: string; readonly headers?: Readonly<Record<string, string>> } = {}): ReturnType<Miniflare['dispatchFetch']> {
    const headers = { authorization: `Bearer ${TOKENS.OPERATE_TOKEN}`, ...init.headers }
    return this.#runtime.dispatchFetch(`http://example${path}`, { ...init, headers })
  }

  async json<T>(path: string, init: Parameters<Example['fetch']>[1] = {}): Promise<T> {
    const answer = await this.fetch(path, init)
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`)
    return await answer.json() as T // as the caller knows the route
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#runtime.dispose()
  }

  #start(): Miniflare {
    const { databaseUrl, folder } = this.#options
    return new Miniflare({
      modules: true, script: this.#script, compatibilityDate: '2026-07-01', compatibilityFlags: ['nodejs_compat'],
      durableObjects: { REPLICAS: { className: 'ReplicaObject', useSQLite: true }, PEERS: { className: 'PeerObject', useSQLite: true } },
      durableObjectsPersist: `${folder}/objects`, r2Buckets: ['BUCKET'], r2Persist: `${folder}/bucket`,
      bindings: { ...TOKENS, DATABASE_URL: databaseUrl, SOURCE_TABLE: 'public.products', TRACKING_COLUMN: 'updated_at', SYNC_INTERVAL_MINUTES: '0.002', SLICE_MS: '20', ...this.#variables },
    } as MiniflareOptions) // of one worker
  }
}

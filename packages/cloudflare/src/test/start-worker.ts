import { fileURLToPath } from 'node:url'
import { isBuiltin } from 'node:module'
import { build, type Plugin } from 'esbuild'
import { Miniflare, type MiniflareOptions } from 'miniflare'

/** Newer than everything that is used of the runtime; fixed, so that it does what it did. */
const COMPATIBILITY_DATE = '2026-07-01'

export interface StartedWorker extends AsyncDisposable {
  readonly runtime: Miniflare
  /** The text of an answer. Throws it where the status is none of success. */
  ask(path: string): Promise<string>
}

/** Where a driver needs Node's modules: the host's own, by `nodejs_compat`, and packages as they are built for Workers. */
export interface StartWorkerSettings {
  readonly usesNode?: boolean | undefined
}

/** The `worker` of a file of this folder, bundled from source as an application would bundle it: without Node's modules, unless it asks for them. */
export async function startWorker(file: string, options: Omit<MiniflareOptions, 'workers'>, { usesNode = false }: StartWorkerSettings = {}): Promise<StartedWorker> {
  const resolveDir = fileURLToPath(new URL('.', import.meta.url))
  // Workers have a default export, and this repository none.
  const contents = `export * from './${file}'; export { worker as default } from './${file}'`
  const { outputFiles } = await build({
    stdin: { contents, resolveDir }, bundle: true, format: 'esm', target: 'es2022', platform: 'neutral', mainFields: ['module', 'main'], write: false, sourcemap: 'inline',
    conditions: usesNode ? ['tidemark-source', 'workerd', 'worker', 'browser'] : ['tidemark-source'], external: usesNode ? ['cloudflare:*'] : [],
    plugins: usesNode ? [nodeModules] : [],
  })
  const script = outputFiles[0]?.text ?? ''
  const runtime = new Miniflare({ ...options, modules: true, script, compatibilityDate: COMPATIBILITY_DATE, compatibilityFlags: usesNode ? ['nodejs_compat'] : [] } as MiniflareOptions) // one worker's options, and those of all
  await runtime.ready
  return {
    runtime,
    ask: async (path) => {
      const response = await runtime.dispatchFetch(`http://worker${path}`)
      const text = await response.text()
      if (!response.ok) throw new Error(text)
      return text
    },
    [Symbol.asyncDispose]: () => runtime.dispose(),
  }
}

/** As wrangler does it: Node's modules by the names that workerd has, also for packages that `require` them. */
const nodeModules: Plugin = {
  name: 'node-modules',
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /.*/ }, ({ path, kind, namespace }) => {
      if (!isBuiltin(path)) return undefined
      const name = path.startsWith('node:') ? path : `node:${path}`
      return kind === 'require-call' && namespace !== 'required' ? { path: name, namespace: 'required' } : { path: name, external: true }
    })
    onLoad({ filter: /.*/, namespace: 'required' }, ({ path }) => ({ contents: `import * as builtin from '${path}'; module.exports = builtin.default ?? builtin` }))
  },
}

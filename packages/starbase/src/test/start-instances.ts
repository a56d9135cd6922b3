import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { kCurrentWorker, Miniflare } from 'miniflare'

/** Newer than everything that is used of the runtime; fixed, so that it does what it did. */
const COMPATIBILITY_DATE = '2026-07-01'

const CLASSES = { OBJECTS: 'StarbaseObjects', NORTHERN: 'NorthernObjects', COPYING: 'CopyingObjects', EVICTED: 'EvictedObjects', WRONG: 'WrongObjects' }

export type StartedInstances = Miniflare

/** The instances of `instance-worker.ts`, bundled as an application would bundle it: without Node's modules. */
export async function startInstances(): Promise<StartedInstances> {
  // Workers have a default export, and this repository none.
  const contents = `export * from './instance-worker.ts'; export { worker as default } from './instance-worker.ts'`
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: fileURLToPath(new URL('.', import.meta.url)) },
    bundle: true, format: 'esm', target: 'es2022', platform: 'neutral', conditions: ['tidemark-source'], mainFields: ['module', 'main'], external: ['cloudflare:workers'], write: false, sourcemap: 'inline',
  })
  const runtime = new Miniflare({
    modules: true, script: outputFiles[0]?.text ?? '', compatibilityDate: COMPATIBILITY_DATE,
    durableObjects: Object.fromEntries(Object.entries(CLASSES).map(([binding, className]) => [binding, { className, useSQLite: true }])),
    r2Buckets: ['BUCKET'],
    serviceBindings: { SELF: kCurrentWorker },
  })
  await runtime.ready
  return runtime
}

import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { kCurrentWorker, Miniflare } from 'miniflare'

/** Newer than everything that is used of the runtime; fixed, so that it does what it did. */
const COMPATIBILITY_DATE = '2026-07-01'

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
    durableObjects: { OBJECTS: { className: 'StarbaseObjects', useSQLite: true }, NORTHERN: { className: 'NorthernObjects', useSQLite: true }, COPYING: { className: 'CopyingObjects', useSQLite: true } },
    r2Buckets: ['BUCKET'],
    serviceBindings: { SELF: kCurrentWorker },
  })
  await runtime.ready
  return runtime
}

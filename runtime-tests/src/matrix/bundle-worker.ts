import { isBuiltin } from 'node:module'
import { build, type Plugin } from 'esbuild'

/** A Worker of one file, out of the installed packages, bundled as wrangler does it. Errors: those of esbuild. */
export async function bundleWorker(folder: string, contents: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: folder }, bundle: true, format: 'esm', target: 'es2024', platform: 'browser', conditions: ['workerd', 'worker', 'browser'], external: ['cloudflare:*'],
    define: { 'process.env.NODE_ENV': '"production"' }, plugins: [builtinModules], write: false, logLevel: 'silent',
  })
  return outputFiles[0]?.text ?? ''
}

/** Modules of Node are the runtime's own, also those that CommonJS requires by their short names. */
const builtinModules: Plugin = {
  name: 'builtin-modules',
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /.*/ }, ({ path, kind }) => {
      if (!isBuiltin(path)) return undefined
      const name = path.startsWith('node:') ? path : `node:${path}`
      return kind === 'require-call' ? { path: name, namespace: 'required-builtin' } : { path: name, external: true }
    })
    onLoad({ filter: /.*/, namespace: 'required-builtin' }, ({ path }) => ({ contents: `import * as builtin from '${path}'; module.exports = builtin.default ?? builtin` }))
  },
}

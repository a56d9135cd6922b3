import { readFileSync } from 'node:fs'
import { defineConfig, type Options } from 'tsup'

interface Manifest {
  readonly exports: Readonly<Record<string, { readonly 'tidemark-source': string }>>
  readonly bin?: Readonly<Record<string, string>>
}

/** One build for every package: ESM only, one entry per export, types beside the code. */
export function packageConfig(options: Options = {}): ReturnType<typeof defineConfig> {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest
  const entry = Object.values(manifest.exports).map((target) => target['tidemark-source'])
  return defineConfig({
    entry,
    format: 'esm',
    target: 'es2022',
    platform: 'neutral',
    // There is no 'sqlite' without it: the newer built-in modules have only the prefixed name.
    removeNodeProtocol: false,
    external: [/^node:/],
    dts: true,
    clean: true,
    sourcemap: true,
    splitting: true,
    treeshake: true,
    ...options,
  })
}

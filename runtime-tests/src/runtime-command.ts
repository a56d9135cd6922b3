import { createRequire } from 'node:module'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

export type RuntimeName = 'node' | 'bun' | 'deno'

/**
 * How a runtime runs a TypeScript file of this workspace, from source. Bun and Deno ship their binary in a package for each platform;
 * it is used from there, since no install script of theirs runs here.
 */
export function runtimeCommand(runtime: RuntimeName): readonly [command: string, ...args: string[]] {
  switch (runtime) {
    case 'node': return [process.execPath, '--conditions=tidemark-source', '--disable-warning=ExperimentalWarning']
    case 'bun': return [binary('bun', [`@oven/bun-${platform()}`], ['bin/bun', 'bin/bun.exe']), '--conditions=tidemark-source']
    case 'deno': return [binary('deno', [`@deno/${platform()}`, `@deno/${platform()}-glibc`], ['deno', 'deno.exe']), 'run', '--allow-all', '--quiet', '--node-modules-dir=manual', '--conditions=tidemark-source']
    default: return runtime satisfies never
  }
}

function platform(): string {
  const arch = process.arch === 'arm64' ? (process.platform === 'linux' ? 'arm64' : 'aarch64') : process.arch
  return `${process.platform === 'win32' ? 'windows' : process.platform}-${arch}`
}

function binary(owner: string, packages: readonly string[], files: readonly string[]): string {
  const require = createRequire(createRequire(import.meta.url).resolve(`${owner}/package.json`))
  const folders = packages.flatMap((name) => {
    try {
      return [dirname(require.resolve(`${name}/package.json`))]
    } catch {
      return []
    }
  })
  // Where an install script did run, Bun has moved its binary into its own package.
  const own = dirname(require.resolve('./package.json'))
  const found = [...folders.flatMap((folder) => files.map((file) => join(folder, file))), ...files.map((file) => join(own, file))].find((file) => existsSync(file))
  if (found === undefined) throw new Error(`No binary of ${owner} for ${platform()}: install the workspace anew, with optional dependencies.`)
  return found
}

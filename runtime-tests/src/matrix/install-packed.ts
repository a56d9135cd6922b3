import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { npmEnvironment } from './npm-environment.ts'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/** What an application of every kind brings itself, in the versions of this workspace. */
const BROUGHT = ['@hono/node-server', '@libsql/client', 'kysely', 'mysql2', 'postgres'] as const

/** Packs the built packages as they are published, and installs them with npm as an application does: from then on nothing of this workspace is used. */
export async function installPacked(folder: string): Promise<void> {
  const packed = join(folder, 'packed')
  mkdirSync(packed)
  await run('pnpm', ['-r', '--filter', './packages/*', 'pack', '--pack-destination', packed], { cwd: ROOT, shell: process.platform === 'win32' })
  const tarballs = readdirSync(packed).map((file): [string, string] => [packageOf(file), `file:${join(packed, file)}`])
  if (tarballs.length === 0) throw new Error('No package was packed.')
  const manifest = { name: 'application', private: true, type: 'module', dependencies: { ...Object.fromEntries(tarballs), ...versionsBrought() } }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest, null, 2))
  // No package of ours has an install script, and none of those that they need is allowed one: what works here works without a compiler.
  await run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'], { cwd: folder, env: npmEnvironment(), shell: process.platform === 'win32' })
}

/** `tidemark-core-0.1.0.tgz` has `@tidemark/core` in it, and `tidemark-0.1.0.tgz` has `tidemark`. */
function packageOf(file: string): string {
  const name = file.replace(/-\d+\.\d+\.\d+.*\.tgz$/, '')
  return name === 'tidemark' ? name : name.replace('tidemark-', '@tidemark/')
}

function versionsBrought(): Readonly<Record<string, string>> {
  const { dependencies } = createRequire(import.meta.url)('../../package.json') as { readonly dependencies: Readonly<Record<string, string>> } // this workspace's own
  return Object.fromEntries(BROUGHT.map((name) => [name, dependencies[name] ?? '']))
}

import { spawnSync } from 'node:child_process'
import { globSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Builds every package, packs it as it would be published, and checks the tarball: exports, types, ESM only. */
function main(): boolean {
  if (!pnpm(['-r', '--filter', './packages/*', 'run', 'build'])) return false
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-pack-'))
  try {
    const packages = globSync('packages/*/package.json').map((file) => join(file, '..'))
    return packages.map((directory) => checkPackage(directory, folder)).every(Boolean)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function checkPackage(directory: string, folder: string): boolean {
  process.stdout.write(`check ${directory}\n`)
  const destination = mkdtempSync(join(folder, 'package-'))
  if (!pnpm(['-C', directory, 'pack', '--pack-destination', destination])) return false
  const tarball = join(destination, readdirSync(destination)[0] ?? '')
  return pnpm(['exec', 'publint', 'run', tarball, '--strict']) && pnpm(['exec', 'attw', tarball, '--profile', 'esm-only', '--format', 'ascii'])
}

function pnpm(args: readonly string[]): boolean {
  const result = spawnSync('pnpm', [...args], { encoding: 'utf8' })
  if (result.status !== 0) process.stderr.write(`pnpm ${args.join(' ')}\n${result.stdout}${result.stderr}\n`)
  return result.status === 0
}

process.exitCode = main() ? 0 : 1

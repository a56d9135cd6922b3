import { existsSync } from 'node:fs'
import { runCommand } from './run-command.ts'

const INSTALL_TIMEOUT_MS = 10 * 60_000

/**
 * Installs a Debian package and returns undefined, or one sentence that says why this is not possible.
 *
 * Run level 1 keeps the package from starting a service of its own: every instance here is started by us.
 */
export async function installDebianPackage(name: string): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'packages are installed only as root'
  if (!existsSync('/usr/bin/apt-get')) return 'there is no apt-get'
  await aptGet(['update', '-q'])
  const policy = await runCommand('apt-cache', ['policy', name])
  if (!/Candidate: \d/.test(policy)) return `the configured sources have no package ${name}`
  await aptGet(['install', '-y', '-q', '--no-install-recommends', name])
  return undefined
}

async function aptGet(args: readonly string[]): Promise<void> {
  // Another starter of the same run may hold the lock.
  const options = { env: { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }, timeoutMs: INSTALL_TIMEOUT_MS }
  await runCommand('apt-get', ['-o', 'DPkg::Lock::Timeout=300', ...args], options)
}

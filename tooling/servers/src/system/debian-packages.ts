import { existsSync } from 'node:fs'
import { runCommand } from './run-command.ts'

const INSTALL_TIMEOUT_MS = 10 * 60_000

/**
 * Installs Debian packages and returns undefined, or one sentence that says why this is not possible.
 *
 * Run level 1 keeps them from starting services of their own: every instance here is started by us.
 */
export async function installDebianPackages(...names: readonly string[]): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'packages are installed only as root'
  if (!existsSync('/usr/bin/apt-get')) return 'there is no apt-get'
  await aptGet(['update', '-q'])
  for (const name of names) {
    const policy = await runCommand('apt-cache', ['policy', name])
    if (!/Candidate: \d/.test(policy)) return `the configured sources have no package ${name}`
  }
  await aptGet(['install', '-y', '-q', '--no-install-recommends', ...names])
  return undefined
}

async function aptGet(args: readonly string[]): Promise<void> {
  // Another starter of the same run may hold the lock.
  const options = { env: { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }, timeoutMs: INSTALL_TIMEOUT_MS }
  await runCommand('apt-get', ['-o', 'DPkg::Lock::Timeout=300', ...args], options)
}

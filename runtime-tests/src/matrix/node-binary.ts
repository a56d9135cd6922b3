import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { npmEnvironment } from './npm-environment.ts'

/** The binary of one version of Node, from npm; kept in npm's cache. */
export async function nodeBinary(version: string): Promise<string> {
  const args = ['exec', '--yes', `--package=node@${version}`, '--call', 'node --print process.execPath']
  const { stdout } = await promisify(execFile)('npm', args, { env: npmEnvironment(), shell: process.platform === 'win32' })
  return stdout.trim()
}

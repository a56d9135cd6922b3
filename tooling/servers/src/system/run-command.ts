import { execFile } from 'node:child_process'
import type { Owner } from './owner.ts'

export interface CommandOptions {
  readonly owner?: Owner | undefined
  readonly env?: NodeJS.ProcessEnv | undefined
  readonly cwd?: string | undefined
  readonly timeoutMs?: number | undefined
}

/** Runs a command to its end and returns its standard output; rejects with the end of its output when it fails. */
export async function runCommand(command: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const settings = {
    ...options.owner,
    env: { ...process.env, ...options.env },
    cwd: options.cwd ?? '/',
    timeout: options.timeoutMs ?? 120_000,
    maxBuffer: 16 * 1024 * 1024,
  }
  return await new Promise((resolve, reject) => {
    execFile(command, [...args], settings, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(new Error(`${command} failed (${error.code ?? error.signal ?? 'unknown'}): ${`${stdout}\n${stderr}`.trim().slice(-2000)}`))
    })
  })
}

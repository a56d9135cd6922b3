import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'

export interface ProcessRequest {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>> | undefined
}

export interface ProcessOutcome {
  /** From the spawn to the exit: everything a user waits for, start-up included. */
  readonly seconds: number
  readonly stdout: string
}

const STDERR_CHARACTERS = 2_000

/** Errors: a process that ends with another status than 0, with the end of what it said. */
export async function runProcess(request: ProcessRequest): Promise<ProcessOutcome> {
  const startMs = performance.now()
  const child = spawn(request.command, [...request.args], { env: { ...process.env, ...request.env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const exit = new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? -1))
  })
  const [code, stdout, stderr] = await Promise.all([exit, text(child.stdout), text(child.stderr)])
  const seconds = (performance.now() - startMs) / 1_000
  if (code !== 0) throw new Error(`${request.command} ended with ${code}: ${stderr.slice(-STDERR_CHARACTERS)}`)
  return { seconds, stdout }
}

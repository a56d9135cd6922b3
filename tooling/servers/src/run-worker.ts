import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export interface WorkerRequest {
  /** Of a TypeScript file that says a line after each thing it did, first an id and last `completed`. */
  readonly file: string
  readonly args: readonly string[]
  /** Lines after which it is killed, in the middle of whatever it does then. `Infinity`: never. */
  readonly killAfter: number
  readonly onLine: () => Promise<void>
}

export interface WorkerLife {
  readonly id: string
  readonly wasKilled: boolean
}

/** One process, from its start to its end or to SIGKILL. Errors: when it ends by itself with a code. */
export async function runWorker({ file, args, killAfter, onLine }: WorkerRequest): Promise<WorkerLife> {
  const worker = spawn(process.execPath, ['--conditions=tidemark-source', '--disable-warning=ExperimentalWarning', file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = once(worker, 'close') as Promise<[number | null, NodeJS.Signals | null]> // as its documentation says
  const lines: string[] = []
  for await (const line of createInterface({ input: worker.stdout })) {
    lines.push(line)
    await onLine()
    if (lines.length > killAfter) worker.kill('SIGKILL')
  }
  const [code, signal] = await closed
  if (signal !== 'SIGKILL' && code !== 0) throw new Error(`The worker ended with ${String(code)}.`)
  return { id: lines[0] ?? '', wasKilled: signal === 'SIGKILL' && lines.at(-1) !== 'completed' }
}

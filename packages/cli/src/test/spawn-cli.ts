import { spawn, type ChildProcess, type ChildProcessByStdio } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'

export type Line = Readonly<Record<string, unknown>>

export interface Finished {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  /** Of stdout, for `--json`. */
  readonly lines: readonly Line[]
}

export interface RunningCli {
  readonly process: ChildProcess
  /** The first line of JSON that is as wanted, from now on or from before. */
  seen(isWanted: (line: Line) => boolean): Promise<Line>
  /** Once stderr has this, from now on or from before. */
  said(text: string): Promise<void>
  readonly finished: Promise<Finished>
}

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url))

/** The process alone, for a test that reads from it in its own way. */
export function startCli(args: readonly string[], environment: Readonly<Record<string, string>> = {}): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(process.execPath, ['--conditions=tidemark-source', MAIN, ...args], {
    env: { PATH: process.env['PATH'], ...environment }, stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** The real command line in a process of its own. */
export function spawnCli(args: readonly string[], environment: Readonly<Record<string, string>> = {}): RunningCli {
  const child = startCli(args, environment)
  const out: string[] = []
  let stderr = ''
  const waiting = new Set<() => void>()
  createInterface({ input: child.stdout }).on('line', (line) => {
    out.push(line)
    for (const check of waiting) check()
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    for (const check of waiting) check()
  })
  const finished = new Promise<Finished>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, stdout: out.join('\n'), stderr, lines: out.flatMap(parsed) }))
  })
  const until = <T>(find: () => T | undefined): Promise<T> => new Promise((resolve, reject) => {
    const check = (): void => {
      const found = find()
      if (found === undefined) return
      waiting.delete(check)
      resolve(found)
    }
    waiting.add(check)
    check()
    finished.then((end) => reject(new Error(`It ended before: ${end.stdout}\n${end.stderr}`)), reject)
  })
  return {
    process: child,
    seen: (isWanted) => until(() => out.flatMap(parsed).find(isWanted)),
    said: async (text) => void await until(() => (stderr.includes(text) ? true : undefined)),
    finished,
  }
}

function parsed(line: string): readonly Line[] {
  // Each line of ours is an object; people's lines are not JSON.
  return line.startsWith('{') ? [JSON.parse(line) as Line] : []
}

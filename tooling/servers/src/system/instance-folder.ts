import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { serverOwner, type Owner } from './owner.ts'
import { tempRoot } from './temp-root.ts'

/**
 * Reads process ids from its input, one a line, the last one valid, an empty one for none. When the input ends,
 * because this process ended in whatever way (SIGKILL too), it ends that process and removes the folder.
 */
const WATCHDOG = `
pid=
while read -r line; do pid=$line; done
if [ -n "$pid" ]; then
  kill -s "$2" "$pid" 2>/dev/null
  tries=0
  while kill -0 "$pid" 2>/dev/null && [ $tries -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
  kill -s KILL "$pid" 2>/dev/null
fi
rm -rf -- "$1"
`

/** A temp folder for one instance that cannot outlive this process, nor can the server that is announced to it. */
export class InstanceFolder implements AsyncDisposable {
  readonly path: string
  readonly owner: Owner | undefined
  readonly #watchdog: ChildProcess
  readonly #input: Writable
  /** Ends the server at once without leaving anything of the operating system's behind. */
  readonly endSignal: NodeJS.Signals
  #pid: number | undefined
  readonly #onExit = (): void => this.#killNow()

  private constructor(path: string, owner: Owner | undefined, endSignal: NodeJS.Signals) {
    this.path = path
    this.owner = owner
    this.endSignal = endSignal
    // Detached: a Ctrl-C in the terminal must not end the one process that cleans up.
    const watchdog = spawn('/bin/sh', ['-c', WATCHDOG, 'tidemark-watchdog', path, endSignal.replace('SIG', '')], {
      detached: true,
      cwd: '/',
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    this.#watchdog = watchdog
    this.#input = watchdog.stdin
    this.#input.on('error', () => {})
    watchdog.unref()
    process.once('exit', this.#onExit)
  }

  static async create(prefix: string, endSignal: NodeJS.Signals): Promise<InstanceFolder> {
    const owner = serverOwner()
    const path = await mkdtemp(join(tempRoot(), `tidemark-${prefix}-`))
    if (owner !== undefined) await chown(path, owner.uid, owner.gid)
    return new InstanceFolder(path, owner, endSignal)
  }

  /** Makes a sub-folder that belongs to the server's user. */
  async makeFolder(name: string): Promise<string> {
    const path = join(this.path, name)
    await mkdir(path, { mode: 0o700 })
    if (this.owner !== undefined) await chown(path, this.owner.uid, this.owner.gid)
    return path
  }

  /** Names the process that must not outlive this one; undefined once it has ended. */
  guard(pid: number | undefined): void {
    this.#pid = pid
    this.#input.write(`${pid ?? ''}\n`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off('exit', this.#onExit)
    await rm(this.path, { recursive: true, force: true, maxRetries: 5 })
    if (this.#watchdog.exitCode !== null || this.#watchdog.signalCode !== null) return
    const ended = once(this.#watchdog, 'exit')
    this.#watchdog.ref()
    this.#input.end()
    await ended
  }

  #killNow(): void {
    if (this.#pid === undefined) return
    try {
      process.kill(this.#pid, this.endSignal)
    } catch {
      // It ended on its own; the watchdog removes the folder.
    }
  }
}

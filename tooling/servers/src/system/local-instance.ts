import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ServerLifecycle } from '../server.ts'
import { freePort } from './free-port.ts'
import type { InstanceFolder } from './instance-folder.ts'
import { killTree } from './process-tree.ts'
import { waitUntilReady } from './wait-until-ready.ts'

const PORT_ATTEMPTS = 5
const LOG_TAIL_CHARACTERS = 3000

/** How to run one kind of server in a folder that is prepared for it. */
export interface LocalServerSpec {
  readonly name: string
  readonly command: string
  args(port: number): readonly string[]
  readonly env?: NodeJS.ProcessEnv | undefined
  /** Ends sessions, writes what is to be written, ends. */
  readonly stopSignal: NodeJS.Signals
  /** Resolves when the server answers on the port, rejects while it does not. */
  probe(port: number): Promise<void>
}

/** One server process on a free port of 127.0.0.1, with its data in an instance folder. */
export class LocalInstance implements ServerLifecycle {
  readonly #spec: LocalServerSpec
  readonly #folder: InstanceFolder
  #port: number
  #child: ChildProcess | undefined

  private constructor(spec: LocalServerSpec, folder: InstanceFolder, port: number) {
    this.#spec = spec
    this.#folder = folder
    this.#port = port
  }

  /** Starts the server. The folder belongs to the instance from here on, also when this rejects. */
  static async start(spec: LocalServerSpec, folder: InstanceFolder): Promise<LocalInstance> {
    const instance = new LocalInstance(spec, folder, await freePort())
    try {
      await instance.#startOnFreePort()
      return instance
    } catch (error) {
      await instance[Symbol.asyncDispose]()
      throw error
    }
  }

  get port(): number {
    return this.#port
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  async stop(mode: 'fast' | 'kill'): Promise<void> {
    await this.#end(async (child, pid) => {
      if (mode === 'kill') await killTree(pid)
      else child.kill(this.#spec.stopSignal)
    })
  }

  async restart(mode: 'graceful' | 'kill'): Promise<void> {
    await this.stop(mode === 'kill' ? 'kill' : 'fast')
    await this.#spawnAndWait()
  }

  /** The data is thrown away, so nothing is gained by an orderly end, which a stalled replication client could hold up. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end((child) => child.kill(this.#folder.endSignal))
    await this.#folder[Symbol.asyncDispose]()
  }

  async #end(bySignal: (child: ChildProcess, pid: number) => unknown): Promise<void> {
    const child = this.#child
    if (child?.pid === undefined) return
    if (!hasEnded(child)) {
      // Unreferenced until now, so that a forgotten server does not keep the process alive.
      child.ref()
      const ended = exitOf(child)
      await bySignal(child, child.pid)
      await ended
    }
    this.#child = undefined
    this.#folder.guard(undefined)
  }

  async #startOnFreePort(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#spawnAndWait()
        return
      } catch (error) {
        // The port may have been taken between its choice and the server's bind.
        if (attempt === PORT_ATTEMPTS || !/in use|bind on TCP/i.test(await this.#logTail())) throw error
        this.#port = await freePort()
      }
    }
  }

  async #spawnAndWait(): Promise<void> {
    const child = this.#spawn()
    this.#child = child
    this.#folder.guard(child.pid)
    const abort = new AbortController()
    const ended = exitOf(child).then(async () => {
      throw new Error(`${this.#spec.name} ended while starting:\n${await this.#logTail()}`)
    })
    try {
      await Promise.race([ended, waitUntilReady(() => this.#spec.probe(this.#port), abort.signal)])
    } catch (error) {
      await this.stop('kill')
      throw error
    } finally {
      abort.abort()
      ended.catch(() => {})
    }
  }

  #spawn(): ChildProcess {
    const log = openSync(join(this.#folder.path, 'server.log'), 'a')
    try {
      const child = spawn(this.#spec.command, [...this.#spec.args(this.#port)], {
        ...this.#folder.owner,
        cwd: this.#folder.path,
        env: { PATH: process.env['PATH'], ...this.#spec.env },
        stdio: ['ignore', log, log],
        // A Ctrl-C goes to the runner, which disposes; the server must not see it first.
        detached: true,
      })
      child.unref()
      return child
    } finally {
      closeSync(log)
    }
  }

  async #logTail(): Promise<string> {
    const log = await readFile(join(this.#folder.path, 'server.log'), 'utf8').catch(() => '')
    return log.slice(-LOG_TAIL_CHARACTERS)
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

async function exitOf(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return
  await new Promise<void>((resolve, reject) => {
    child.once('exit', () => resolve())
    child.once('error', reject)
  })
}

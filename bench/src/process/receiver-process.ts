import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface ReceiverProcessRequest {
  /** A database for each receiver; `null`: one that takes requests and never answers. */
  readonly paths: readonly (string | null)[]
}

/** Receivers in a process of their own, as peers are. */
export class ReceiverProcess implements AsyncDisposable {
  readonly urls: readonly string[]
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, urls: readonly string[]) {
    this.#child = child
    this.urls = urls
  }

  static async start(request: ReceiverProcessRequest): Promise<ReceiverProcess> {
    const child = fork(fileURLToPath(new URL('receivers.ts', import.meta.url)), [JSON.stringify(request)])
    const [urls] = await once(child, 'message')
    return new ReceiverProcess(child, urls as readonly string[]) // sent by receivers.ts
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#child, 'close')
    this.#child.kill('SIGKILL')
    await closed
  }
}

export const RECEIVER_TOKEN = 'bench'

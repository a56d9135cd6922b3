import { fork, type ChildProcess } from 'node:child_process'
import { on, once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface FeedClientsRequest {
  readonly url: string
  readonly clients: number
  /** What each waits for. */
  readonly changes: number
}

/** Clients of a feed in a process of their own, so that reading costs the writer nothing but processor time. */
export class FeedClients implements AsyncDisposable {
  /** Resolves to the text that one of them got, once each has every change. */
  readonly done: Promise<string>
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, done: Promise<string>) {
    this.#child = child
    this.done = done
  }

  /** Resolves when all are connected. */
  static async start(request: FeedClientsRequest): Promise<FeedClients> {
    const child = fork(fileURLToPath(new URL('feed-readers.ts', import.meta.url)), [JSON.stringify(request)])
    const messages = on(child, 'message')
    await messages.next()
    return new FeedClients(child, messages.next().then(({ value }) => String(value?.[0])))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#child, 'close')
    this.#child.kill('SIGKILL')
    await closed
  }
}

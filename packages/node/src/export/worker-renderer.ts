import { Worker } from 'node:worker_threads'
import type { BlockRenderer, GroupsPage, RenderersRequest, RenderRequest } from '@tidemark/sqlite'
import type { RenderMessage } from './render-worker.ts'

/** What the thread answers. */
interface Answer {
  readonly id: number
  /** One of them, unless it failed. */
  readonly page?: GroupsPage | undefined
  readonly held?: true | undefined
}

interface Waiting {
  resolve(answer: Answer): void
  reject(error: Error): void
}

/** Renders rows of a file on a thread with a connection of its own. A thread that can't begin, as where a bundler left its file behind, renders nothing. */
export class WorkerRenderer implements BlockRenderer {
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  #last = 0
  #isGone = false

  /** Errors: the runtime's, where no thread may be made or where its file is can't be told, as in a bundle of CommonJS. */
  constructor() {
    // Beside this file as source, and beside the package's entry once built.
    const file = new URL(import.meta.url.endsWith('.ts') ? './render-worker.ts' : './render-worker.js', import.meta.url)
    this.#worker = new Worker(file, { name: 'tidemark-render' })
    this.#worker.unref()
    this.#worker.on('message', (answer: Answer) => this.#settle(answer))
    this.#worker.on('error', () => this.#fail())
    this.#worker.on('exit', () => this.#fail())
  }

  /** Sees the file from now on as it is now. Rejects where it can't. */
  async hold(path: string): Promise<void> {
    if ((await this.#ask((id) => ({ id, hold: path }))).held === undefined) throw new Error('The thread could not read the file.')
  }

  open(request: RenderersRequest): this {
    this.#post({ open: request })
    return this
  }

  async render(request: RenderRequest): Promise<GroupsPage> {
    const { page } = await this.#ask((id) => ({ id, request }))
    if (page === undefined) throw new Error('The thread could not render the rows.')
    return page
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate()
  }

  #ask(message: (id: number) => RenderMessage): Promise<Answer> {
    if (this.#isGone) return Promise.reject(new Error('The thread has ended.'))
    // Only while something is awaited does the thread keep the process.
    if (this.#waiting.size === 0) this.#worker.ref()
    this.#last += 1
    const id = this.#last
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#post(message(id))
    })
  }

  #post(message: RenderMessage): void {
    this.#worker.postMessage(message, [])
  }

  #settle(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id)
    this.#waiting.delete(answer.id)
    if (this.#waiting.size === 0) this.#worker.unref()
    waiting?.resolve(answer)
  }

  #fail(): void {
    this.#isGone = true
    for (const { reject } of this.#waiting.values()) reject(new Error('The thread has ended.'))
    this.#waiting.clear()
  }
}

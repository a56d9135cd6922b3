import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface PausedConsumerRequest {
  readonly side: 'ours' | 'peer'
  readonly url: string
  readonly slot: string
  readonly publication: string
  readonly table: string
}

/** What the process answers, and what it is told. */
export type ConsumerMessage =
  | { readonly said: 'ready' }
  | { readonly said: 'memory'; readonly rssMb: number }
  | { readonly said: 'drained'; readonly rows: number; readonly peakRssMb: number }
export type ConsumerCommand = { readonly do: 'measure' } | { readonly do: 'resume'; readonly rows: number }

/** The promise: whatever is pending fits in this much heap. One that needs more dies. */
const HEAP_LIMIT_MB = 128

/** A consumer in a process of its own, so that its memory is its own: paused at its first change until `drain`. */
export class PausedConsumer implements AsyncDisposable {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  static async start(request: PausedConsumerRequest): Promise<PausedConsumer> {
    const execArgv = ['--expose-gc', `--max-old-space-size=${HEAP_LIMIT_MB}`, '--disable-warning=ExperimentalWarning']
    const child = fork(fileURLToPath(new URL('paused-consumers.ts', import.meta.url)), [JSON.stringify(request)], { execArgv })
    const consumer = new PausedConsumer(child)
    await consumer.#hear('ready')
    return consumer
  }

  /** Resident memory behind a garbage collection. */
  async rssMb(): Promise<number> {
    this.#tell({ do: 'measure' })
    return (await this.#hear('memory')).rssMb
  }

  /** Takes all rows; resolves to the highest resident memory that the process ever had. Errors: another number of rows. */
  async drain(rows: number): Promise<number> {
    this.#tell({ do: 'resume', rows })
    const { rows: seen, peakRssMb } = await this.#hear('drained')
    if (seen !== rows) throw new Error(`Saw ${seen} rows of ${rows}.`)
    return peakRssMb
  }

  #tell(command: ConsumerCommand): void {
    this.#child.send(command)
  }

  async #hear<Said extends ConsumerMessage['said']>(said: Said): Promise<Extract<ConsumerMessage, { said: Said }>> {
    const died = new AbortController()
    const exit = once(this.#child, 'exit', { signal: died.signal }).then(() => Promise.reject(new Error('The consumer died.')))
    try {
      const [message] = (await Promise.race([once(this.#child, 'message'), exit])) as [ConsumerMessage] // sent by paused-consumers.ts
      if (message.said !== said) throw new Error(`The consumer said ${message.said} and not ${said}.`)
      return message as Extract<ConsumerMessage, { said: Said }> // by the line above
    } finally {
      exit.catch(() => undefined)
      died.abort()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#child, 'close')
    this.#child.kill('SIGKILL')
    await closed
  }
}

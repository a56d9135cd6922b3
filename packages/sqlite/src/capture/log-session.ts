import { TidemarkError, type AbortOptions } from '@tidemark/core/adapter'
import type { BatchDriver, BatchTransaction } from '../driver.ts'
import { sourceError } from '../source/source-error.ts'

/** Opens connections of our own to the database: the application's may be in the middle of a transaction. */
export interface LogDrivers {
  /** One that only reads. */
  readonly openReader: () => Promise<BatchDriver>
  /** One that writes the log's own tables and the triggers. */
  readonly openWriter: () => Promise<BatchDriver>
}

/**
 * One connection to read and one to write, each opened when first needed, used by one call at a time and thrown away after any
 * error.
 */
export class LogSession implements AsyncDisposable {
  readonly #reader: Slot
  readonly #writer: Slot

  constructor(drivers: LogDrivers) {
    this.#reader = new Slot(drivers.openReader)
    this.#writer = new Slot(drivers.openWriter)
  }

  /** Errors: `SOURCE_*`, `ABORTED`, `CLOSED`, and those of `work`. */
  read<T>(work: (driver: BatchDriver) => Promise<T>, options: AbortOptions = {}): Promise<T> {
    return this.#reader.use(work, options)
  }

  /** In one write transaction. */
  write<T>(work: (transaction: BatchTransaction) => Promise<T>, options: AbortOptions = {}): Promise<T> {
    return this.#writer.use((driver) => driver.transaction(work), options)
  }

  /** Where the host can. */
  checkpoint(options: AbortOptions = {}): Promise<void> {
    return this.#writer.use(async (driver) => driver.checkpoint?.(), options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#reader.close(), this.#writer.close()])
  }
}

class Slot {
  readonly #open: () => Promise<BatchDriver>
  #driver: BatchDriver | undefined
  #isClosed = false
  /** The end of the line: settles when the call before is done, and never rejects. */
  #tail: Promise<unknown> = Promise.resolve()

  constructor(open: () => Promise<BatchDriver>) {
    this.#open = open
  }

  use<T>(work: (driver: BatchDriver) => Promise<T>, { signal }: AbortOptions): Promise<T> {
    const turn = this.#tail.then(() => this.#run(work, signal))
    this.#tail = turn.catch(() => undefined)
    return signal === undefined ? turn : untilAborted(turn, signal)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#tail
    await this.#discard()
  }

  async #run<T>(work: (driver: BatchDriver) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    if (this.#isClosed) throw new TidemarkError('CLOSED', 'The change log is closed.')
    if (signal?.aborted === true) throw aborted()
    try {
      this.#driver ??= await this.#open()
      return await work(this.#driver)
    } catch (error) {
      // An error of ours says nothing about the connection; one of the engine may have left it in any state.
      if (!(error instanceof TidemarkError) || error.code.startsWith('TARGET_') || error.code === 'INTERNAL') await this.#discard()
      throw error instanceof TidemarkError && !error.code.startsWith('TARGET_') ? error : sourceError(error)
    }
  }

  async #discard(): Promise<void> {
    const driver = this.#driver
    this.#driver = undefined
    try {
      await driver?.[Symbol.asyncDispose]()
    } catch {
      // What is broken may fail to close too; the error that counts is already on its way.
    }
  }
}

/** The turn goes on to its end: a transaction is never left half done. */
function untilAborted<T>(turn: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(aborted())
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    turn.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

function aborted(): TidemarkError {
  return new TidemarkError('ABORTED', 'The operation on the change log was aborted.')
}

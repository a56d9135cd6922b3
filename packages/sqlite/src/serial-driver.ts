import { TidemarkError } from '@tidemark/core/adapter'
import type { SqliteDriver } from './driver.ts'

export interface SerialDriverOptions<Driver> {
  readonly open: () => Promise<Driver>
  /** Called once with the open driver, before it is used. */
  readonly prepare: (driver: Driver) => Promise<void>
  /** What is closed when it is used too late, for the error's sentence. */
  readonly owner: string
}

/** A driver that is opened when first needed and used by one call at a time: it has one transaction. */
export class SerialDriver<Driver extends AsyncDisposable = SqliteDriver> implements AsyncDisposable {
  readonly #options: SerialDriverOptions<Driver>
  #driver: Promise<Driver> | undefined
  #isDisposed = false
  /** Settles when the call before is done; never rejects. */
  #tail: Promise<unknown> = Promise.resolve()

  constructor(options: SerialDriverOptions<Driver>) {
    this.#options = options
  }

  /** Opening that failed is tried again with the next call. Errors: `CLOSED`, those of opening and of `work`. */
  use<T>(work: (driver: Driver) => Promise<T>): Promise<T> {
    if (this.#isDisposed) return Promise.reject(new TidemarkError('CLOSED', `The ${this.#options.owner} is closed.`))
    const turn = this.#tail.then(async () => work(await this.#opened()))
    this.#tail = turn.catch(() => undefined)
    return turn
  }

  /** Waits for the calls before; `last` runs after them, only when it was opened. */
  async close(last: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    if (this.#isDisposed) return
    this.#isDisposed = true
    await this.#tail
    const driver = await this.#driver?.catch(() => undefined)
    if (driver === undefined) return
    await last()
    await driver[Symbol.asyncDispose]()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #opened(): Promise<Driver> {
    this.#driver ??= this.#open().catch((error: unknown) => {
      this.#driver = undefined
      throw error
    })
    return this.#driver
  }

  async #open(): Promise<Driver> {
    const driver = await this.#options.open()
    try {
      await this.#options.prepare(driver)
      return driver
    } catch (error) {
      await driver[Symbol.asyncDispose]()
      throw error
    }
  }
}

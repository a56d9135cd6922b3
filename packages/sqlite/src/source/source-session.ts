import { TidemarkError, type AbortOptions, type RowValues } from '@tidemark/core/adapter'
import type { SqliteDriver, SqliteValue } from '../driver.ts'
import { sourceError } from './source-error.ts'

/** All that a source asks of a driver. */
export type SourceDriver = Pick<SqliteDriver, 'query' | typeof Symbol.asyncDispose>

export interface Statement extends AbortOptions {
  readonly text: string
  readonly parameters?: readonly SqliteValue[] | undefined
}

/**
 * One logical connection: at most one driver at a time, thrown away after any error or abort and opened again by the
 * next query.
 */
export class SourceSession implements AsyncDisposable {
  readonly #open: () => Promise<SourceDriver>
  #driver: SourceDriver | undefined
  #isDisposed = false

  constructor(open: () => Promise<SourceDriver>) {
    this.#open = open
  }

  /** Errors: `SOURCE_*`, `ABORTED`, `CLOSED`. */
  async query(statement: Statement): Promise<readonly RowValues[]> {
    if (this.#isDisposed) throw new TidemarkError('CLOSED', 'The connection to the source is closed.')
    const { signal } = statement
    if (signal?.aborted === true) throw aborted()
    try {
      const driver = this.#driver ??= await abortable(this.#open(), signal)
      return await abortable(driver.query(statement.text, statement.parameters), signal)
    } catch (error) {
      await this.#discard()
      throw sourceError(error)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true
    await this.#discard()
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

/** Settles with `work` or at the abort. Work that is left behind goes on unheard. */
function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(aborted())
    signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

function aborted(): TidemarkError {
  return new TidemarkError('ABORTED', 'The operation on the source was aborted.')
}

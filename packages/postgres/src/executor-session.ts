import { TidemarkError, type AbortOptions } from '@tidemark/core/adapter'
import { bounded } from './bounded.ts'
import type { TextRow } from './check-result.ts'
import { mapPostgresError } from './errors.ts'
import { parseRecord } from './parse-record.ts'
import { quoteLiteral } from './quote.ts'
import type { SqlSession, Statement } from './sql-session.ts'

/**
 * Any way to run one statement with parameters, each perhaps on another connection: a pool, Hyperdrive, SQL over HTTP. Parameters are text. Resolves to the rows, as
 * objects; rejects with an error whose `code` is the server's SQLSTATE. Must not repeat a statement by itself.
 */
export type PostgresExecutor = (text: string, parameters: readonly string[]) => PromiseLike<readonly object[]>

/**
 * Statements over an executor. Each row comes as one text, the server's own, so that it does not matter what the driver makes of types.
 */
export class ExecutorSession implements SqlSession {
  readonly #execute: PostgresExecutor
  readonly #timeoutMs: number
  /** Also those that nobody waits for any more. Never reject. */
  readonly #running = new Set<Promise<unknown>>()

  constructor(execute: PostgresExecutor, timeoutMs: number) {
    this.#execute = execute
    this.#timeoutMs = timeoutMs
  }

  /** Errors: as {@link mapPostgresError}, `TIMEOUT`, `ABORTED`, `SOURCE_CORRUPT_RESULT`. */
  async query({ text, parameters = [], signal }: Statement): Promise<readonly TextRow[]> {
    return (await this.#run(`WITH q AS (${text}) SELECT q::pg_catalog.text AS "row" FROM q`, parameters, { signal })).map(toRow)
  }

  /** One statement around all, since each call may have another connection. */
  async execute(text: string, options: AbortOptions): Promise<void> {
    await this.#run(`DO ${quoteLiteral(`BEGIN ${text}; END`)}`, [], options)
  }

  /** Once no statement is at work at the server: an executor can't be told to stop, so that one that was aborted goes on there, and what it reads is in use. */
  async settled(): Promise<void> {
    await Promise.all(this.#running)
  }

  async #run(text: string, parameters: readonly string[], { signal }: AbortOptions): Promise<readonly object[]> {
    try {
      const rows: unknown = await bounded(this.#start(text, parameters), { signal, timeoutMs: this.#timeoutMs })
      if (!Array.isArray(rows)) throw corrupt()
      return rows
    } catch (error) {
      throw mapPostgresError(error)
    }
  }

  #start(text: string, parameters: readonly string[]): Promise<unknown> {
    const rows = Promise.resolve(this.#execute(text, parameters))
    const running: Promise<unknown> = rows.catch(() => undefined).finally(() => this.#running.delete(running))
    this.#running.add(running)
    return rows
  }
}

function toRow(row: object): TextRow {
  const [text]: readonly unknown[] = Object.values(row)
  if (typeof text !== 'string') throw corrupt()
  return parseRecord(text)
}

function corrupt(): TidemarkError {
  return new TidemarkError('SOURCE_CORRUPT_RESULT', 'The executor gave no list of rows.', { remedy: 'Let `execute` resolve to the rows of the result, as objects.' })
}

import { TidemarkError, type AbortOptions } from '@tidemark/core/adapter'
import { aborted, bounded } from '../bounded.ts'
import { ChunkQueue } from '../chunk-queue.ts'
import type { Session } from '../open-session.ts'

const QUERY_INTERRUPTED = 1317

/**
 * One unbuffered statement over a table, held open between pages: the server stops where its reader stops. A page then costs no
 * statement, and a table without a key is not read from its beginning for each.
 */
export class TableScan {
  readonly #queue: ChunkQueue
  readonly #finished: Promise<void>
  readonly #session: Session
  #pending: Promise<Uint8Array | undefined> | undefined
  #isOver = false

  constructor(session: Session, sql: string, idleTimeoutMs: number) {
    this.#session = session
    this.#queue = new ChunkQueue(session.link, idleTimeoutMs)
    this.#finished = session.link.run(sql, (chunk) => this.#queue.push(chunk), { expectedErrnos: [QUERY_INTERRUPTED] })
      .then(() => this.#queue.end(), (error: unknown) => this.#queue.fail(error))
      .finally(() => {
        this.#isOver = true
      })
  }

  /** Row packets; `undefined` behind the last. An abort ends the wait and not the statement. */
  async next({ signal }: AbortOptions): Promise<Uint8Array | undefined> {
    if (signal?.aborted === true) throw aborted()
    // A wait that was given up on goes on, and what it brings is for the next one.
    this.#pending ??= this.#queue.next()
    const chunk = await bounded(this.#pending, { signal })
    this.#pending = undefined
    return chunk
  }

  /** See `MysqlLink.recycle`. */
  recycle(chunk: Uint8Array): void {
    this.#session.link.recycle(chunk)
  }

  /** Ends the statement and leaves the connection, and with it the snapshot, in order. `interrupt` makes the server end it. */
  async stop(interrupt: () => Promise<void>): Promise<void> {
    if (this.#isOver) return
    await interrupt()
    this.#pending?.catch(() => undefined)
    for (let chunk = await this.#drain(); chunk !== undefined; chunk = await this.#drain()) continue
    await this.#finished
  }

  async #drain(): Promise<Uint8Array | undefined> {
    try {
      return await (this.#pending ?? this.#queue.next())
    } catch (error) {
      if (error instanceof TidemarkError) return undefined
      throw error
    } finally {
      this.#pending = undefined
    }
  }
}

import { TidemarkError, type Mark, type RowDecoder, type RowStream, type StreamRowsRequest } from '@tidemark/core/adapter'
import { compileCell } from './cell-decoder.ts'
import { ChunkQueue } from './chunk-queue.ts'
import { makeFence, type ProofKind } from './fence.ts'
import { hasEnded, readOpenTransactions, type OpenTransactions } from './open-transactions.ts'
import type { Session } from './open-session.ts'
import { after, orderBy, orderingOf } from './ordering.ts'
import { planCursor } from './page-query.ts'
import { refuseTruncated } from './refuse-truncated.ts'
import { seesTransactions } from './proof.ts'
import { quoteTable } from './quote.ts'
import { MysqlRowDecoder } from './row-decoder.ts'
import { selectExpression } from './select-expression.ts'

export interface StreamContext {
  /** Of the stream alone: closed with it. */
  readonly session: Session
  readonly kind: ProofKind
  /** Limit for one wait on the server, in milliseconds. */
  readonly idleTimeoutMs: number
}

/** One unbuffered statement. Errors while reading come out of the iterator. */
export async function streamRows(context: StreamContext, request: StreamRowsRequest): Promise<RowStream> {
  const { session, kind, idleTimeoutMs } = context
  const { table, columns, key, signal } = request
  if (key.length === 0 && request.after !== undefined) throw new TypeError('a stream without a key can\'t resume')
  const ordering = orderingOf(table, key, undefined)
  const { cursorSelects, cursor } = planCursor(ordering, columns, 0)
  const where = request.after === undefined ? '' : ` WHERE ${after(ordering, request.after)}`
  const order = key.length === 0 ? '' : ` ORDER BY ${orderBy(ordering)}`
  const selects = [...cursorSelects, ...columns.map(selectExpression)]
  const limits = { signal, timeoutMs: idleTimeoutMs }
  await refuseTruncated(session, ordering, { ...limits, table: table.ref, after: request.after })
  // Before the statement: who is gone by now is in its snapshot.
  const open = kind !== 'grace' && await seesTransactions(session, limits) ? await readOpenTransactions(session, limits) : undefined
  const [clock] = await session.link.rows('SELECT UNIX_TIMESTAMP()', limits)
  const fence = makeFence(kind, clock?.[0] ?? '')
  const decoder = new MysqlRowDecoder({
    lead: cursorSelects.length, columns: columns.map(compileCell), cursor: key.length === 0 ? undefined : cursor,
  })
  const queue = new ChunkQueue(session.link, idleTimeoutMs)
  const finished = session.link.run(`SELECT ${selects.length === 0 ? '1' : selects.join(', ')} FROM ${quoteTable(table.ref)}${where}${order}`, (chunk) => queue.push(chunk), { signal })
  finished.then(() => queue.end(), (error: unknown) => queue.fail(error))
  return new MysqlRowStream({ session, kind, open, fence, queue, decoder })
}

interface StreamParts {
  readonly session: Session
  readonly kind: ProofKind
  readonly open: OpenTransactions | undefined
  readonly fence: string
  readonly queue: ChunkQueue
  readonly decoder: RowDecoder
}

class MysqlRowStream implements RowStream {
  readonly fence: string
  readonly decoder: RowDecoder
  readonly #parts: StreamParts
  #isTaken = false

  constructor(parts: StreamParts) {
    this.#parts = parts
    this.decoder = parts.decoder
    this.fence = parts.fence
  }

  /**
   * A stream takes no locks: it would hold them for as long as its reader takes. So what it can say is what the list
   * of open transactions said before it began; where the user may not see that, nothing.
   */
  settles(mark: Mark): boolean {
    const { kind, open } = this.#parts
    return kind === 'grace' || (open !== undefined && hasEnded(mark, open))
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.#isTaken) throw new TidemarkError('CLOSED', 'A row stream can be read once.')
    this.#isTaken = true
    try {
      for (let chunk = await this.#parts.queue.next(); chunk !== undefined; chunk = await this.#parts.queue.next()) yield chunk
    } finally {
      await this[Symbol.asyncDispose]()
    }
  }

  /** A statement still running is ended with its connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { session, queue } = this.#parts
    if (queue.isFinished) await session.link.close()
    else session.link.destroy()
    queue.fail(new TidemarkError('CLOSED', 'The row stream was closed.'))
  }
}

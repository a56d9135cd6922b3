import type { Readable } from 'node:stream'
import { TidemarkError } from '@tidemark/core/adapter'
import type { ColumnSchema, Mark, RowDecoder, RowStream, StreamRowsRequest } from '@tidemark/core/adapter'
import { bounded } from './bounded.ts'
import { CopyChunks } from './copy-chunks.ts'
import { CopyDecoder } from './copy-decoder.ts'
import { cursorColumns, cursorTexts, orderBy, TABLE_ALIAS } from './cursor-columns.ts'
import { mapPostgresError } from './errors.ts'
import type { PostgresSession } from './postgres-session.ts'
import { quoteIdentifier, quoteLiteral, quoteTable } from './quote.ts'
import { castParameter, selectExpression } from './select-expression.ts'
import { FENCE_EXPRESSION, settles, shortFence } from './snapshot-fence.ts'

/**
 * COPY of a whole table over a connection of its own.
 *
 * The fence is exact: a transaction in REPEATABLE READ takes one snapshot at its first query, which is the one that
 * reads the fence, and the COPY behind it runs in that same snapshot.
 */
export async function streamRows(session: PostgresSession, request: StreamRowsRequest): Promise<RowStream> {
  const plan = planCopy(request)
  const bound = { signal: request.signal, timeoutMs: session.queryTimeoutMs }
  const instance = await session.openTransaction('BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY', request)
  try {
    const [row] = await bounded(instance.sql.unsafe(`SELECT ${FENCE_EXPRESSION}`).values(), bound)
    const chunks = new CopyChunks(instance, { signal: request.signal, idleTimeoutMs: session.queryTimeoutMs })
    // COPY has no bound parameters; a statement that answers with CopyOutResponse resolves to its stream.
    chunks.follow(await bounded(instance.sql.unsafe(plan.text), bound) as unknown as Readable)
    return new CopyRowStream(chunks, shortFence(String(row?.[0])), plan.decoder)
  } catch (error) {
    instance.destroy()
    throw mapPostgresError(error)
  }
}

function planCopy(request: StreamRowsRequest): { readonly text: string; readonly decoder: RowDecoder } {
  const cursor = cursorColumns(request.table, request.key, undefined)
  const isPlain = (column: ColumnSchema): boolean => selectExpression(column) === quoteIdentifier(column.name)
  const extra = cursor.key.filter((column) => !request.columns.some((wanted) => wanted.name === column.name && isPlain(wanted)))
  const selected = [...request.columns.map(selectExpression), ...extra.map((column) => quoteIdentifier(column.name))]
  const keyFields = cursor.key.map((column) => {
    const behind = extra.indexOf(column)
    return behind === -1 ? request.columns.findIndex((wanted) => wanted.name === column.name) : request.columns.length + behind
  })
  const order = cursor.order.length === 0 ? '' : ` ORDER BY ${orderBy(cursor.order)}`
  const text = `COPY (SELECT ${selected.join(', ')} FROM ${quoteTable(request.table.ref)} AS ${TABLE_ALIAS}${after(request)}${order}) TO STDOUT`
  return { text, decoder: new CopyDecoder({ columns: request.columns, extraFields: extra.length, keyFields }) }
}

function after(request: StreamRowsRequest): string {
  if (request.after === undefined) return ''
  const cursor = cursorColumns(request.table, request.key, undefined)
  if (cursor.key.length === 0) throw new TidemarkError('KEY_REQUIRED', 'A stream without key can\'t go on from a cursor.')
  const texts = cursorTexts(cursor, { key: request.after.key })
  const left = cursor.order.map((column) => quoteIdentifier(column.name)).join(', ')
  return ` WHERE (${left}) > (${cursor.order.map((column, i) => castParameter(quoteLiteral(texts[i] ?? ''), column)).join(', ')})`
}

class CopyRowStream implements RowStream {
  readonly fence: string
  readonly decoder: RowDecoder
  readonly #chunks: CopyChunks

  constructor(chunks: CopyChunks, fence: string, decoder: RowDecoder) {
    this.#chunks = chunks
    this.fence = fence
    this.decoder = decoder
  }

  settles(mark: Mark): boolean {
    return settles(this.fence, mark)
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    try {
      for (let chunk = await this.#chunks.next(); chunk !== undefined; chunk = await this.#chunks.next()) yield chunk
    } finally {
      this.#chunks.close()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#chunks.close()
  }
}

import type { Cursor, Mark } from '../../dialect/cursor.ts'
import type { RowSink } from '../../dialect/row-sink.ts'
import type { RowStream, SourceConnection, StreamRowsRequest } from '../../dialect/source.ts'
import { TidemarkError } from '../../errors/tidemark-error.ts'
import type { PageSize } from '../../util/page-size.ts'
import { rowBytes } from '../../util/row-bytes.ts'

/** Rows of a table in key order, poured into a sink until the sink has enough. */
export interface RowFeed extends AsyncDisposable {
  /** Cursor of the last row given. */
  readonly last: Cursor | undefined
  /** Whether all rows so far were read when no writer of the start mark's time was open any more. */
  readonly isSettled: boolean
  /** Pours something, and more until `isFull()`; `true` when the table has ended. */
  pour(sink: RowSink, isFull: () => boolean): Promise<boolean>
}

export interface RowFeedRequest extends StreamRowsRequest {
  readonly start: Mark | undefined
  readonly pageSize: PageSize
}

export async function openRowFeed(source: SourceConnection, request: RowFeedRequest): Promise<RowFeed> {
  if (source.streamRows !== undefined) return new StreamFeed(await source.streamRows(request), request)
  if (request.key.length === 0) throw new TidemarkError('KEY_REQUIRED', 'This source can not read a table without a key in one pass.')
  return new PageFeed(source, request)
}

/** The engine's own bytes, decoded straight into the sink. */
class StreamFeed implements RowFeed {
  readonly isSettled: boolean
  readonly #stream: RowStream
  readonly #chunks: AsyncIterator<Uint8Array>
  readonly #before: Cursor | undefined

  constructor(stream: RowStream, request: RowFeedRequest) {
    this.#stream = stream
    this.#chunks = stream[Symbol.asyncIterator]()
    this.#before = request.after
    // Asked once: all of the stream is read in the snapshot it was opened with.
    this.isSettled = request.start === undefined || stream.settles(request.start)
  }

  get last(): Cursor | undefined {
    return this.#stream.decoder.last ?? this.#before
  }

  async pour(sink: RowSink, isFull: () => boolean): Promise<boolean> {
    const { decoder } = this.#stream
    do {
      const chunk = await this.#chunks.next()
      if (chunk.done === true) {
        decoder.end()
        return true
      }
      decoder.push(chunk.value, sink)
    } while (!isFull())
    return false
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stream[Symbol.asyncDispose]()
  }
}

/** Pages, for sources that can't stream. */
class PageFeed implements RowFeed {
  readonly #source: SourceConnection
  readonly #request: RowFeedRequest
  last: Cursor | undefined
  isSettled = true

  constructor(source: SourceConnection, request: RowFeedRequest) {
    this.#source = source
    this.#request = request
    this.last = request.after
  }

  async pour(sink: RowSink, isFull: () => boolean): Promise<boolean> {
    const { table, columns, key, signal, pageSize, start } = this.#request
    do {
      const marks = start === undefined ? [] : [start]
      const page = await this.#source.readRows({ table, columns, key, signal, after: this.last, limit: pageSize.rows, marks })
      for (const row of page.rows) {
        for (const value of row) sink.value(value)
        sink.endRow()
      }
      pageSize.observe(page.rows.length, rowBytes(page.rows))
      this.isSettled &&= page.settledMarks === marks.length
      this.last = page.last ?? this.last
      if (page.isLast) return true
    } while (!isFull())
    return false
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve()
  }
}

import { type ChangeSlice, type ReadChangesRequest, type RowValues } from '@tidemark/core/adapter'
import type { CommitBoundaries } from './commit-boundaries.ts'
import { slots } from './entry-sql.ts'
import type { LogHead } from './log-view.ts'
import { digestOf } from './log-view.ts'
import { toPosition, type LogPlace } from './log-place.ts'
import { isOriginMark, PageDecoder, type DecodedPage, type DecodeRequest } from './page-decoder.ts'
import type { CapturedTables } from './captured-tables.ts'
import type { SqliteQuery } from '../driver.ts'
import type { LogNames } from './log-names.ts'
import { valueSql, type ReadingOptions, type ValueForm } from './value-reading.ts'

export interface PageQuery {
  readonly names: LogNames
  readonly width: number
  readonly after: number
  /** The last number wanted. */
  readonly through: number | undefined
  readonly rows: number
}

export function pageQuery(query: PageQuery, form: ValueForm): SqliteQuery {
  const { names, width, after, through, rows } = query
  const values = slots(width).map((slot) => valueSql(slot, form)).join(', ')
  const end = through === undefined ? '' : ' AND seq <= ?'
  // Bound as integers: drivers bind numbers as doubles, which a log of years would outgrow.
  const parameters = [after, ...(through === undefined ? [] : [through])].map(BigInt)
  return { sql: `SELECT seq, k, ${values} FROM ${names.log} WHERE seq > ?${end} ORDER BY seq LIMIT ${rows}`, parameters }
}

export interface SliceRequest {
  readonly place: LogPlace
  readonly head: LogHead
  readonly rows: readonly RowValues[]
  /** The entry behind the page. */
  readonly ahead: RowValues | undefined
  /** Whether the page reached the last number wanted. */
  readonly isWhole: boolean
  readonly reading: ReadingOptions
  readonly boundaries: CommitBoundaries
  readonly source: string
  readonly nowMs: number
  readonly limit: ReadChangesRequest['limit']
}

/**
 * The next slice of a page: whole transactions as far as the page goes, or, when not even one fits, a part of one that names its
 * transaction's end, so that whoever reads on knows where it is.
 */
export function readSlice(tables: CapturedTables, request: SliceRequest): ChangeSlice {
  const { place, boundaries } = request
  const page = decode(tables, request, request.rows)
  // Seen only from the next page, it would be too late to say that this one ends a transaction.
  if (page.used > 0 && isOriginMark(tables, request.rows[page.used] ?? request.ahead, request.reading)) boundaries.add(page.last)
  const end = boundaries.lastWithin(place.seq, page.last)
  if (place.unit !== undefined) return toSlice(request, page, { isCommit: page.last >= place.unit.end || end === page.last })
  if (end === page.last || page.used === 0) return toSlice(request, page, { isCommit: true })
  if (end === undefined) return toSlice(request, page, { isCommit: false })
  // What follows the last whole transaction comes again with the next slice.
  const whole = decode(tables, request, request.rows.filter((row) => Number(row[0]) <= end))
  return toSlice(request, whole, { isCommit: whole.last === end })
}

function decode(tables: CapturedTables, request: SliceRequest, rows: readonly RowValues[]): DecodedPage {
  const { place, head, reading, boundaries, limit, source, nowMs } = request
  const decodeRequest: DecodeRequest = {
    rows, reading, boundaries, limit, after: place.seq, before: place.unit?.events ?? 0, end: place.unit?.end, origin: place.unit?.origin,
    context: { source, epoch: head.epoch, receivedAtMs: nowMs },
  }
  return new PageDecoder(tables, decodeRequest).decode()
}

function toSlice(request: SliceRequest, page: DecodedPage, { isCommit }: { readonly isCommit: boolean }): ChangeSlice {
  const { place, head, rows, isWhole } = request
  const { events, schemas, bytes } = page
  return {
    events, schemas, bytes,
    origin: page.origin,
    begin: place.unit === undefined,
    commit: isCommit,
    position: page.used === 0 ? toPosition({ ...place, epoch: head.epoch }) : toPosition(placeOf(request, page, isCommit)),
    isLast: isWhole && page.used === rows.length,
  }
}

function placeOf(request: SliceRequest, page: DecodedPage, isCommit: boolean): LogPlace {
  const { place, head, boundaries, reading } = request
  const seq = page.last
  const digest = isCommit && page.lastRow !== undefined ? digestOf(seq, page.lastRow.slice(1), reading) : undefined
  const unit = isCommit ? undefined : { events: page.counted, end: place.unit?.end ?? boundaries.next(seq) ?? head.seq, origin: page.origin }
  return { epoch: head.epoch, seq, digest, unit }
}

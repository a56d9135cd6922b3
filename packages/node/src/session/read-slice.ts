import { printPosition, type ChangeEvent, type ChangeSlice, type SliceLimit } from '@tidemark/core/adapter'
import type { LoggedTransaction, LogPlace, SessionLog } from './session-log.ts'
import { toEvent } from './to-event.ts'

export interface SliceRequest {
  readonly log: SessionLog
  readonly sourceName: string
  readonly after: LogPlace
  /** The last transaction to read. */
  readonly through: number
  readonly limit: SliceLimit
}

/**
 * Whole transactions up to the limit, or the next part of one that does not fit into any. Errors: the one that stands in the place of
 * a transaction, as soon as it is the next.
 */
export function readSlice(request: SliceRequest): ChangeSlice {
  const { log, after, through, limit } = request
  const events: ChangeEvent[] = []
  const fitting: LoggedTransaction[] = []
  let bytes = 0
  let count = 0
  for (const transaction of log.after(after)) {
    if (transaction.sequence > through) break
    const isFirst = fitting.length === 0
    if (isFirst && transaction.error !== undefined) throw transaction.error
    const isTooLarge = count + transaction.drafts.length > limit.events || bytes + transaction.bytes > limit.bytes
    if (isFirst && (isTooLarge || after.skip > 0)) return readPart(request, transaction)
    // A change of columns takes effect before a slice, never within.
    const isApart = transaction.error !== undefined || (transaction.schemas.length > 0 && count > 0)
    if (isTooLarge || isApart) return sliceOf(request, { events, bytes, fitting, isLast: false })
    fitting.push(transaction)
    bytes += transaction.bytes
    count += transaction.drafts.length
    addEvents(request, transaction, events)
  }
  return sliceOf(request, { events, bytes, fitting, isLast: true })
}

interface Whole {
  readonly events: readonly ChangeEvent[]
  readonly bytes: number
  readonly fitting: readonly LoggedTransaction[]
  readonly isLast: boolean
}

function sliceOf({ log, after }: SliceRequest, { events, bytes, fitting, isLast }: Whole): ChangeSlice {
  const last = fitting.at(-1)
  return {
    events, bytes, isLast, begin: true, commit: true,
    schemas: fitting.flatMap(({ schemas }) => schemas),
    position: log.position(last === undefined ? after : { sequence: last.sequence, skip: 0 }),
  }
}

/** At least one event, however large. */
function readPart(request: SliceRequest, transaction: LoggedTransaction): ChangeSlice {
  const { log, after, limit, through } = request
  const { drafts } = transaction
  let end = after.skip
  let bytes = 0
  for (; end < drafts.length; end += 1) {
    const size = drafts[end]?.bytes ?? 0
    if (end > after.skip && (end - after.skip >= limit.events || bytes + size > limit.bytes)) break
    bytes += size
  }
  const events: ChangeEvent[] = []
  addEvents(request, transaction, events, { start: after.skip, end })
  const isWhole = end >= drafts.length
  const place = isWhole ? { sequence: transaction.sequence, skip: 0 } : { sequence: after.sequence, skip: end }
  return {
    events, bytes, begin: after.skip === 0, commit: isWhole,
    schemas: after.skip === 0 ? transaction.schemas : [],
    position: log.position(place),
    isLast: isWhole && (transaction.sequence >= through || isAtEnd(log, place)),
  }
}

function isAtEnd(log: SessionLog, place: LogPlace): boolean {
  for (const _ of log.after(place)) return false
  return true
}

function addEvents(
  { log, sourceName }: SliceRequest, transaction: LoggedTransaction, events: ChangeEvent[], range = { start: 0, end: transaction.drafts.length },
): void {
  const { drafts, sequence, committedAtMs, origin, receivedAtMs } = transaction
  const position = log.position({ sequence, skip: 0 })
  const txId = printPosition(position)
  for (let index = range.start; index < range.end; index += 1) {
    const draft = drafts[index]
    if (draft === undefined) continue
    const tx = { id: txId, sequence: index, last: index === drafts.length - 1, committedAtMs, origin }
    events.push(toEvent(draft, { sourceName, position, receivedAtMs, tx, id: `${sourceName}:${txId}:${index}` }))
  }
}

import { printPosition, type LogPosition } from '../change/log-position.ts'
import type { ChangeSlice } from '../dialect/change-source.ts'

export interface CutRange {
  /** A commit within the slice: only events after it. */
  readonly after?: LogPosition | undefined
  /** A commit within the slice: only events up to and with it. */
  readonly through?: LogPosition | undefined
}

interface Placed {
  readonly source: { readonly position: string }
}

/**
 * The part of a slice between two commits. Copies, so only for the rare place where a reader's position lies between the
 * boundaries at which the log happened to be read, and the log can't be read again.
 */
export function cutSlice(slice: ChangeSlice, { after, through }: CutRange): ChangeSlice {
  const low = after === undefined ? '' : printPosition(after)
  const high = through === undefined ? undefined : printPosition(through)
  const isWithin = ({ source: { position } }: Placed): boolean => position > low && (high === undefined || position <= high)
  const events = slice.events.filter(isWithin)
  return {
    events,
    messages: slice.messages?.filter(isWithin),
    schemas: after === undefined ? slice.schemas : [],
    begin: after === undefined ? slice.begin : true,
    commit: through === undefined ? slice.commit : true,
    position: through ?? slice.position,
    bytes: Math.round(slice.bytes * events.length / Math.max(1, slice.events.length)),
    isLast: through === undefined && slice.isLast,
  }
}

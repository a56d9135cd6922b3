import type { ChangeSlice } from '../dialect/change-source.ts'

/** Whether there is nothing in a slice for anybody. */
export function isEmpty({ events, messages, schemas }: ChangeSlice): boolean {
  return events.length === 0 && schemas.length === 0 && (messages === undefined || messages.length === 0)
}

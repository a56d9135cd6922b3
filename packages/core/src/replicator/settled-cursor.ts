import type { Cursor, Mark } from '../dialect/cursor.ts'

/**
 * The settled cursor: an incremental pull that loses no row, without a log.
 *
 * A row can commit *below* the highest tracking value already read: its transaction drew the value early and committed
 * late. So the durable cursor stays at the last **settled** value. Every pass reads again from there, and its end
 * becomes a {@link Mark}; a mark settles only when a **later** pass has read past it while no transaction open at the
 * mark's time was open any more. Settling first and reading afterwards would lose the rows committed between the two.
 *
 * Pure: no clock, no I/O. Rows read twice are equal and cost no write.
 */
export interface SettledCursor {
  /** Nothing at or below this can appear any more. `undefined`: everything is still to be read. */
  readonly settled: Cursor | undefined
  /** Ends of earlier passes that wait to settle, oldest first. */
  readonly marks: readonly Mark[]
  /** The pass under way; `undefined` between passes. */
  readonly pass: Pass | undefined
}

/** One read from the settled cursor to the table's end, in pages. Survives a crash between pages. */
export interface Pass {
  /** Last row read and applied. */
  readonly after: Cursor
  /** How many marks every page so far has proved, from the oldest. */
  readonly provedMarks: number
}

/** What a page read tells the cursor. */
export interface PageOutcome {
  readonly last: Cursor | undefined
  readonly isLast: boolean
  readonly fence: string
  readonly settledMarks: number
  /** When the page was read, in milliseconds. */
  readonly readAtMs: number
}

export interface SettleOptions {
  /**
   * A mark younger than this never settles. Covers the moment between drawing a tracking value and the first write
   * of the transaction, in which the source does not count the transaction as a writer yet.
   */
  readonly graceMs: number
}

/** More marks than this would only cost state: the newest two are merged into the newer. */
const MAX_MARKS = 8

export const startOfTable: SettledCursor = { settled: undefined, marks: [], pass: undefined }

/** A cursor below which everything is known to be settled, such as the one a finished snapshot leaves. */
export function settledAt(cursor: Cursor | undefined): SettledCursor {
  return { settled: cursor, marks: [], pass: undefined }
}

/** Where the next page begins. */
export function nextPageAfter(cursor: SettledCursor): Cursor | undefined {
  return cursor.pass?.after ?? cursor.settled
}

/** The marks that the next page may settle: those of a pass under way, or all that are old enough. */
export function eligibleMarks(cursor: SettledCursor, nowMs: number, options: SettleOptions): readonly Mark[] {
  if (cursor.pass !== undefined) return cursor.marks.slice(0, cursor.pass.provedMarks)
  const tooYoung = cursor.marks.findIndex((mark) => nowMs - mark.readAtMs < options.graceMs)
  return tooYoung === -1 ? cursor.marks : cursor.marks.slice(0, tooYoung)
}

/** The state after a page is applied; commit it in the same transaction as the page's rows. */
export function afterPage(cursor: SettledCursor, page: PageOutcome): SettledCursor {
  const provedMarks = Math.min(cursor.pass?.provedMarks ?? cursor.marks.length, page.settledMarks)
  const reached = page.last ?? cursor.pass?.after
  if (!page.isLast) {
    // A page that is not the last has a row; without one the pass could not advance.
    return reached === undefined ? cursor : { ...cursor, pass: { after: reached, provedMarks } }
  }
  const settled = cursor.marks[provedMarks - 1]?.cursor ?? cursor.settled
  const waiting = cursor.marks.slice(provedMarks)
  return { settled, marks: withMark(waiting, settled, { reached, page }), pass: undefined }
}

function withMark(
  waiting: readonly Mark[], settled: Cursor | undefined, end: { readonly reached: Cursor | undefined; readonly page: PageOutcome },
): readonly Mark[] {
  const { reached, page } = end
  const newest = waiting.at(-1)?.cursor ?? settled
  if (reached === undefined || isSameCursor(reached, newest)) return waiting
  const mark = { cursor: reached, fence: page.fence, readAtMs: page.readAtMs }
  return waiting.length < MAX_MARKS ? [...waiting, mark] : [...waiting.slice(0, -1), mark]
}

/** Equality only: order is the source's business. */
export function isSameCursor(a: Cursor | undefined, b: Cursor | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return a.tracking === b.tracking && a.key.length === b.key.length && a.key.every((part, index) => part === b.key[index])
}

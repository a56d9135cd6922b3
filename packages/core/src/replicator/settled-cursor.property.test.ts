import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Cursor, Mark } from '../dialect/cursor.ts'
import { afterPage, eligibleMarks, nextPageAfter, startOfTable, type SettledCursor } from './settled-cursor.ts'

/**
 * A database with transactions, small enough to check exhaustively: a writer draws an id from a sequence, and its row
 * becomes visible at commit, which may come much later. A fence is a snapshot: which transactions were open.
 */
class TinyDatabase {
  readonly #rows: number[] = []
  readonly #open = new Map<number, number>()
  #nextTransaction = 1
  #nextId = 1

  begin(): void {
    this.#open.set(this.#nextTransaction, this.#nextId)
    this.#nextTransaction += 1
    this.#nextId += 1
  }

  /** Commits or rolls back the open transaction at this place in the order of their beginning. */
  end(place: number, commits: boolean): void {
    const entry = [...this.#open][place % Math.max(1, this.#open.size)]
    if (entry === undefined) return
    this.#open.delete(entry[0])
    if (commits) this.#rows.push(entry[1])
  }

  get rows(): readonly number[] {
    return this.#rows.toSorted((a, b) => a - b)
  }

  read(after: Cursor | undefined, limit: number): { readonly ids: readonly number[]; readonly isLast: boolean; readonly xmin: number; readonly xmax: number } {
    const all = this.rows.filter((id) => after === undefined || id > Number(after.tracking))
    const xmin = Math.min(this.#nextTransaction, ...this.#open.keys())
    return { ids: all.slice(0, limit), isLast: all.length <= limit, xmin, xmax: this.#nextTransaction }
  }
}

type Step =
  | { readonly kind: 'begin' }
  | { readonly kind: 'end'; readonly place: number; readonly commits: boolean }
  | { readonly kind: 'page'; readonly limit: number }

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constant<Step>({ kind: 'begin' }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('end' as const), place: fc.nat(20), commits: fc.boolean() }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('page' as const), limit: fc.integer({ min: 1, max: 4 }) }) },
  ),
  { maxLength: 120 },
)

function cursorOf(id: number): Cursor {
  return { tracking: String(id), key: [String(id)] }
}

function readPage(database: TinyDatabase, cursor: SettledCursor, limit: number): { readonly next: SettledCursor; readonly ids: readonly number[] } {
  const marks = eligibleMarks(cursor, 0, { graceMs: 0 })
  const page = database.read(nextPageAfter(cursor), limit)
  const isSettled = (mark: Mark): boolean => Number(mark.fence) <= page.xmin
  const firstOpen = marks.findIndex((mark) => !isSettled(mark))
  const lastId = page.ids.at(-1)
  const next = afterPage(cursor, {
    last: lastId === undefined ? undefined : cursorOf(lastId),
    isLast: page.isLast,
    fence: String(page.xmax),
    settledMarks: firstOpen === -1 ? marks.length : firstOpen,
    readAtMs: 0,
  })
  return { next, ids: page.ids }
}

describe('the settled cursor', () => {
  it('copies every committed row, however late it commits and wherever pages break', () => {
    fc.assert(fc.property(steps, (history) => {
      const database = new TinyDatabase()
      const copied = new Set<number>()
      let cursor = startOfTable
      const poll = (limit: number): void => {
        const { next, ids } = readPage(database, cursor, limit)
        ids.forEach((id) => copied.add(id))
        // A crash and a restart: only what was committed with the page goes on.
        cursor = structuredClone(next)
      }
      for (const step of history) {
        if (step.kind === 'begin') database.begin()
        else if (step.kind === 'end') database.end(step.place, step.commits)
        else poll(step.limit)
      }
      // Every writer ends; then three quiet polls must be enough: one reads, one settles, one is idle.
      for (let open = 0; open < history.length; open += 1) database.end(0, true)
      for (let quiet = 0; quiet < 3; quiet += 1) {
        do poll(1_000)
        while (cursor.pass !== undefined)
      }
      expect([...copied].sort((a, b) => a - b)).toEqual(database.rows)
      expect(cursor.marks).toEqual([])
    }), { numRuns: 3_000 })
  })

  it('reads nothing again once everything has settled', () => {
    const database = new TinyDatabase()
    for (let row = 0; row < 10; row += 1) {
      database.begin()
      database.end(0, true)
    }
    let cursor = startOfTable
    const reads = [0, 1, 2, 3].map(() => {
      const { next, ids } = readPage(database, cursor, 100)
      cursor = next
      return ids.length
    })
    // The second poll reads the window again and settles it; from then on polls are idle.
    expect(reads).toEqual([10, 10, 0, 0])
  })
})

import type { LogPosition } from '../change/log-position.ts'
import type { ChangeSlice } from '../dialect/change-source.ts'
import type { TidemarkError } from '../errors/tidemark-error.ts'

/** Bytes and events, counted from the feed's beginning or between two places. */
export interface Amount {
  readonly bytes: number
  readonly events: number
}

export interface RingSlice {
  readonly kind: 'slice'
  readonly after: LogPosition
  readonly slice: ChangeSlice
  /** What had been read before it. */
  readonly start: Amount
}

/** Changes are missing here: everybody who comes by learns of it. */
export interface RingGap {
  readonly kind: 'gap'
  readonly after: LogPosition
  /** Where the log goes on. */
  readonly resume: LogPosition
  readonly error: TidemarkError
}

export type RingEntry = RingSlice | RingGap

/**
 * The slices read last, by number. Holds references: a slice is in memory once, whoever still has to get it. Numbers only grow and
 * are never used twice, so that a reader's place is a number.
 */
export class SliceRing {
  // A map keeps its order and drops its first entry for little, which an array of thousands does not.
  readonly #entries = new Map<number, RingEntry>()
  #first = 0
  #end = 0
  #bytes = 0

  /** Number of the oldest entry; `end` when there is none. */
  get first(): number {
    return this.#first
  }

  /** Number that the next entry gets. */
  get end(): number {
    return this.#end
  }

  get bytes(): number {
    return this.#bytes
  }

  at(index: number): RingEntry | undefined {
    return this.#entries.get(index)
  }

  append(entry: RingEntry): void {
    this.#entries.set(this.#end, entry)
    this.#end += 1
    this.#bytes += bytesOf(entry)
  }

  dropOldest(): RingEntry | undefined {
    const entry = this.#entries.get(this.#first)
    if (entry === undefined) return undefined
    this.#entries.delete(this.#first)
    this.#first += 1
    this.#bytes -= bytesOf(entry)
    return entry
  }

  clear(): void {
    this.#entries.clear()
    this.#first = this.#end
    this.#bytes = 0
  }

  /** Number of the first entry that the predicate holds for, oldest first. */
  find(predicate: (entry: RingEntry) => boolean): number | undefined {
    for (const [index, entry] of this.#entries) if (predicate(entry)) return index
    return undefined
  }
}

function bytesOf(entry: RingEntry): number {
  return entry.kind === 'slice' ? entry.slice.bytes : 0
}

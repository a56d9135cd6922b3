import type { Lsn } from './lsn.ts'

/** Enough for every subscriber that is behind; beyond it fewer places are known, which only has the slot moved a little later. */
const MAX_PLACES = 8_192

/**
 * Places that the server has named, ascending. Only these are acknowledged, as they were given: a place that is made from one, as by
 * adding a length, can lie behind the beginning of the next commit, and the server then never sends it.
 */
export class GivenPlaces {
  #places: Lsn[] = []

  add(lsn: Lsn): void {
    const last = this.#places.at(-1)
    if (last !== undefined && lsn <= last) return
    this.#places.push(lsn)
    if (this.#places.length > MAX_PLACES) this.#places = this.#places.filter((_, index) => index % 2 === 1)
  }

  /** The last place up to `lsn`; forgets those before it. `undefined` when there is none. */
  upTo(lsn: Lsn): Lsn | undefined {
    const index = this.#places.findLastIndex((place) => place <= lsn)
    if (index > 0) this.#places = this.#places.slice(index)
    return index === -1 ? undefined : this.#places[0]
  }
}

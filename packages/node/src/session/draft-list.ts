import { keyText } from './key-text.ts'
import type { RowDraft } from './row-draft.ts'

/** The changes of one transaction while they are decoded. */
export class DraftList {
  readonly #maxBytes: number
  readonly drafts: RowDraft[] = []
  #bytes = 0
  #tableStart = 0
  #hasLooseKey = false

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  get isFull(): boolean {
    return this.#bytes > this.#maxBytes
  }

  /** Throws when full: decoding more would only take memory. */
  add(draft: RowDraft): void {
    this.drafts.push(draft)
    this.#bytes += draft.bytes
    if (this.isFull) throw new RangeError('The transaction is larger than the buffer.')
  }

  /** Tables come one after the other. */
  beginTable(hasLooseKey: boolean): void {
    this.endTable()
    this.#tableStart = this.drafts.length
    this.#hasLooseKey = hasLooseKey
  }

  /**
   * Deletes, then updates, then inserts. A session gives rows in the order of its hash table; in this one a row that took over a unique value
   * from a deleted row never comes first.
   */
  ordered(): readonly RowDraft[] {
    const of = (op: RowDraft['op']): readonly RowDraft[] => this.drafts.filter((draft) => draft.op === op)
    const first = this.drafts[0]?.op
    return this.drafts.every(({ op }) => op === first) ? this.drafts : [...of('delete'), ...of('update'), ...of('insert')]
  }

  /**
   * A session tells keys apart by their bytes but finds rows by the table's own rules. A key that changed to one that is the same by its
   * collation (`a` to `A` under NOCASE, 1 to 1.0) therefore comes as an update from the old to the new and as inserts of the new besides.
   * It is one row, so the inserts go, and of several inserts all but one.
   */
  endTable(): void {
    if (!this.#hasLooseKey) return
    this.#hasLooseKey = false
    const ofTable = this.drafts.splice(this.#tableStart)
    const seen = new Set(ofTable.filter(({ op }) => op === 'update').map(({ key }) => keyText(key)))
    for (const draft of ofTable) {
      const key = draft.op === 'insert' ? keyText(draft.key) : undefined
      if (key !== undefined && seen.has(key)) {
        this.#bytes -= draft.bytes
        continue
      }
      if (key !== undefined) seen.add(key)
      this.drafts.push(draft)
    }
  }
}

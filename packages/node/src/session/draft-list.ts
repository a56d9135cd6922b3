import { keyText } from './key-text.ts'
import type { RowDraft } from './row-draft.ts'

/** The changes of one transaction while they are decoded. */
export class DraftList {
  readonly #maxBytes: number
  readonly drafts: RowDraft[] = []
  #bytes = 0
  #tableStart = 0
  #moved: Set<string> | undefined

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
    if (draft.hasMoved) (this.#moved ??= new Set()).add(keyText(draft.key))
    if (this.isFull) throw new RangeError('The transaction is larger than the buffer.')
  }

  beginTable(): void {
    this.endTable()
    this.#tableStart = this.drafts.length
  }

  /**
   * A key that changed to one that its collation takes for the same (`'a'` to `'A'` under NOCASE, 1 to 1.0) comes as an update from the old
   * to the new and as an insert of the new besides, for a session tells keys apart by their bytes but finds rows by the table's own
   * rules. It is one row, so the insert goes.
   */
  endTable(): void {
    const moved = this.#moved
    this.#moved = undefined
    if (moved === undefined) return
    const ofTable = this.drafts.splice(this.#tableStart)
    for (const draft of ofTable) {
      if (draft.op === 'insert' && moved.has(keyText(draft.key))) this.#bytes -= draft.bytes
      else this.drafts.push(draft)
    }
  }
}

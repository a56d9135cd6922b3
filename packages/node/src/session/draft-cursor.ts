import type { RecordedChanges } from './recorded-changes.ts'
import type { RowDraft } from './row-draft.ts'

/** One transaction's changes, one after the other, with a look at whether more follow. */
export class DraftCursor {
  readonly #drafts: Iterator<RowDraft, undefined> | undefined
  #next: RowDraft | undefined
  #hasLooked = false
  #index = 0

  constructor(changes: RecordedChanges | undefined) {
    this.#drafts = changes?.drafts()
  }

  /** Place of the next change in its transaction. */
  get index(): number {
    return this.#index
  }

  /** Errors: `VALUE_UNREPRESENTABLE`, which leaves the cursor at its end. */
  peek(): RowDraft | undefined {
    if (!this.#hasLooked) {
      this.#next = this.#drafts?.next().value
      this.#hasLooked = true
    }
    return this.#next
  }

  take(): RowDraft | undefined {
    const draft = this.peek()
    if (draft === undefined) return undefined
    this.#hasLooked = false
    this.#index += 1
    return draft
  }
}

import { ChangesetReader, type ChangesetChange, type ChangesetOp, type UntypedColumns } from './changeset-reader.ts'
import { corrupt } from './changeset-bytes.ts'
import { keyText } from './key-text.ts'
import type { RowDraft } from './row-draft.ts'
import { fillBytes, type Fill, type RowImages } from './row-images.ts'

/** Finds a captured table, at the version of the recording. */
export type FindImages = (table: string) => RowImages | undefined

/** More than the budget: what was recorded can't be kept. */
export class TooLarge extends Error {}

/** Beside the bytes of the changeset itself. */
const TRANSACTION_BYTES = 500

/**
 * Deletes first, so that a row that took over a unique value from a deleted one never comes before it. A session gives rows in the order
 * of its hash table, which says nothing.
 */
const ORDER: readonly ChangesetOp[] = ['delete', 'update', 'insert']

/**
 * What one transaction did, as the changesets that SQLite gave: a fraction of what the events take, and no work for the writer
 * beyond the rows of updates, which have to be read at once.
 */
export class RecordedChanges {
  readonly #changesets: readonly Uint8Array[]
  readonly #images: FindImages
  /** Of each update, in the order of the changesets. */
  readonly #fills: readonly Fill[]
  readonly #ops: readonly ChangesetOp[]
  /** At most: where keys can be the same by other bytes, it may be less. */
  readonly count: number
  readonly bytes: number

  /** Errors: `SOURCE_CORRUPT_RESULT`, {@link TooLarge}. */
  constructor(changesets: readonly Uint8Array[], images: FindImages, maxBytes: number) {
    const scan = scanChangesets(changesets, images, maxBytes)
    this.#changesets = changesets
    this.#images = images
    this.#fills = scan.fills
    this.#ops = ORDER.filter((op) => scan.counts[op] > 0)
    this.count = scan.counts.insert + scan.counts.update + scan.counts.delete
    this.bytes = scan.bytes
  }

  /** Each change in turn. Errors: `VALUE_UNREPRESENTABLE`. */
  *drafts(): Generator<RowDraft, undefined> {
    const known = new KnownKeys()
    for (const op of this.#ops) {
      let updates = 0
      for (const changeset of this.#changesets) {
        const reader = new OneTableAtATime(changeset, this.#images)
        for (let change = reader.next(op); change !== undefined; change = reader.next(op)) {
          const draft = reader.images.draft(change, op === 'update' ? this.#fills[updates++] : undefined)
          if (!reader.images.table.hasLooseKey || known.isNew(draft)) yield draft
        }
      }
    }
    return undefined
  }
}

interface Scan {
  readonly fills: readonly Fill[]
  readonly counts: Readonly<Record<ChangesetOp, number>>
  readonly bytes: number
}

function scanChangesets(changesets: readonly Uint8Array[], images: FindImages, maxBytes: number): Scan {
  const fills: Fill[] = []
  const counts = { insert: 0, update: 0, delete: 0 }
  let bytes = changesets.reduce((sum, changeset) => sum + changeset.byteLength, TRANSACTION_BYTES)
  for (const changeset of changesets) {
    const reader = new OneTableAtATime(changeset, images)
    // Also when nothing is to be filled: the rest of it is checked on the way.
    for (let change = reader.next('update'); change !== undefined; change = reader.next('update')) {
      if (bytes > maxBytes) break
      const fill = reader.images.fill(change)
      fills.push(fill)
      bytes += fillBytes(fill)
    }
    counts.insert += reader.passed.insert
    counts.delete += reader.passed.delete
  }
  if (bytes > maxBytes) throw new TooLarge('The transaction is larger than the buffer.')
  return { fills, counts: { ...counts, update: fills.length }, bytes }
}

/** A reader that knows whose changes it gives. */
class OneTableAtATime {
  readonly #reader: ChangesetReader
  #images: RowImages | undefined

  constructor(changeset: Uint8Array, find: FindImages) {
    const untypedColumns: UntypedColumns = ({ name, keyParts }) => {
      this.#images = find(name)
      if (this.#images !== undefined && this.#images.table.stored.length !== keyParts.length) throw corrupt('has another number of columns than its table')
      return this.#images?.table.isUntyped
    }
    this.#reader = new ChangesetReader(changeset, untypedColumns)
  }

  get images(): RowImages {
    if (this.#images === undefined) throw corrupt('has a change of a table that was passed over')
    return this.#images
  }

  get passed(): Readonly<Record<ChangesetOp, number>> {
    return this.#reader.passed
  }

  next(op: ChangesetOp): ChangesetChange | undefined {
    return this.#reader.next(op)
  }
}

/**
 * A session tells keys apart by their bytes but finds rows by the table's own rules. A key that changed to one that is the same by its
 * collation (`a` to `A` under NOCASE, 1 to 1.0) therefore comes as an update from the old to the new and as inserts of the new besides.
 * It is one row, so the inserts are left out, and of several inserts all but one. Updates come before inserts.
 */
class KnownKeys {
  readonly #known = new Set<string>()

  isNew({ op, table, key }: RowDraft): boolean {
    if (op === 'delete') return true
    const text = `${table.name} ${keyText(key)}`
    const isNew = op === 'update' || !this.#known.has(text)
    this.#known.add(text)
    return isNew
  }
}

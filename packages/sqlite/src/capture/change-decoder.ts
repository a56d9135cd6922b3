import {
  printPosition, setColumn, toSequence, type BeforeKind, type ChangeEvent, type ChangeRow, type ChangeTransaction, type Value,
} from '@tidemark/core/adapter'
import { isSameValue } from './is-same-value.ts'
import { pick, readImage, type ImageColumn } from './row-image.ts'
import { isLeftOut, type TableLayout } from './table-layout.ts'
import { valueReader, type ReadingOptions, type ValueReader } from './value-reading.ts'

/** What all events of one read have in common. */
export interface DecodeContext {
  readonly source: string
  readonly epoch: string
  readonly receivedAtMs: number
}

/** Which entry an event is made from. */
export interface EntryPlace {
  readonly context: DecodeContext
  readonly seq: number
  readonly tx: ChangeTransaction
}

/** A row of the driver, and where the values of an image begin in it. */
export interface Cells {
  readonly row: readonly Value[]
  readonly at: number
}

interface DecoderColumn extends ImageColumn {
  readonly isLeftOut: boolean
}

const NONE: readonly string[] = []

/** A row number is an integer of up to 64 bits. */
const ROWID = { name: 'rowid', type: 'INTEGER', nullable: false, generated: false, affinity: 'integer' } as const

/** Makes events from log entries of one layout. Built once per layout: per entry it only reads values. */
export class ChangeDecoder {
  readonly layout: TableLayout
  readonly #columns: readonly DecoderColumn[]
  readonly #offset: number
  readonly #readRowid: ValueReader

  constructor(layout: TableLayout, options: ReadingOptions) {
    this.layout = layout
    this.#offset = layout.rowid === undefined ? 0 : 1
    this.#readRowid = valueReader(ROWID, { ...options, keepsBigints: false })
    this.#columns = layout.columns.map((column) => ({ name: column.name, read: valueReader(column, options), isLeftOut: isLeftOut(column) }))
  }

  insert(place: EntryPlace, cells: Cells): ChangeEvent {
    const after = this.#image(cells)
    const { layout } = this
    return { ...this.#identity(place), op: 'insert', key: this.#key(after, cells), before: null, beforeKind: 'none', after, unavailable: NONE, tx: place.tx, source: origin(place, layout) }
  }

  delete(place: EntryPlace, cells: Cells): ChangeEvent {
    const before = this.#image(cells)
    return this.#deleted(place, { key: this.#key(before, cells), before, beforeKind: 'full' })
  }

  /** Both images in one entry. */
  update(place: EntryPlace, cells: Cells): ChangeEvent {
    const after = this.#image(cells)
    const old = { row: cells.row, at: cells.at + this.#columns.length + this.#offset }
    const changed: string[] = []
    const before = this.#completed(after, old, changed)
    return this.#updated(place, { key: this.#key(after, cells), before, beforeKind: 'full', after, changed })
  }

  /** Each image in an entry of its own. */
  updatePair(place: EntryPlace, old: Cells, now: Cells): ChangeEvent {
    const before = this.#image(old)
    const after = this.#image(now)
    const changed = this.#columns.flatMap(({ name }) => (isSameValue(before[name], after[name]) ? [] : [name]))
    return this.#updated(place, { key: this.#key(after, now), before, beforeKind: 'full', after, changed })
  }

  /** The row as it is, with nothing known of what it was. */
  refresh(place: EntryPlace, cells: Cells): ChangeEvent {
    const after = this.#image(cells)
    return this.#updated(place, { key: this.#key(after, cells), before: null, beforeKind: 'none', after, changed: undefined })
  }

  /** Only key values, in key order. */
  refreshGone(place: EntryPlace, cells: Cells): ChangeEvent {
    const { layout } = this
    if (layout.rowid !== undefined) {
      const key = { [layout.rowid]: this.#readRowid(cells.row[cells.at] ?? null) }
      return this.#deleted(place, { key, before: null, beforeKind: 'none' })
    }
    const columns = layout.key.flatMap((name) => this.#columns.find((column) => column.name === name) ?? [])
    const key = readImage(columns, cells.row, cells.at)
    return this.#deleted(place, { key, before: key, beforeKind: 'key' })
  }

  /** A row that was read from the table and not from the log. `id` makes it unique among those read at the same place. */
  snapshot(place: EntryPlace, cells: Cells, id: string): ChangeEvent {
    const after = this.#image(cells)
    const { layout } = this
    const source = { ...origin(place, layout), snapshot: 'initial' as const }
    const key = this.#key(after, cells)
    return { ...this.#identity(place), id, op: 'snapshot', key, before: null, beforeKind: 'none', after, unavailable: NONE, tx: place.tx, source }
  }

  truncate(place: EntryPlace): ChangeEvent {
    const { layout } = this
    return { ...this.#identity(place), op: 'truncate', key: null, before: null, beforeKind: 'none', after: null, unavailable: NONE, tx: place.tx, source: origin(place, layout) }
  }

  #image(cells: Cells): ChangeRow {
    return readImage(this.#columns, cells.row, cells.at + this.#offset)
  }

  /** The old image, in which an unchanged text or blob was left out; see `unlessEqual` in entry-sql.ts. */
  #completed(after: ChangeRow, old: Cells, changed: string[]): ChangeRow {
    const before: Record<string, Value> = {}
    const at = old.at + this.#offset
    for (let index = 0; index < this.#columns.length; index += 1) {
      const column = this.#columns[index]
      if (column === undefined) continue
      const now = after[column.name] ?? null
      const was = column.isLeftOut ? oldValue(column, old.row[at + index] ?? null, now) : column.read(old.row[at + index] ?? null)
      setColumn(before, column.name, was)
      if (!isSameValue(was, now)) changed.push(column.name)
    }
    return before
  }

  #key(image: ChangeRow, cells: Cells): ChangeRow {
    const { key, rowid } = this.layout
    return rowid === undefined ? pick(key, image) : { [rowid]: this.#readRowid(cells.row[cells.at] ?? null) }
  }

  #identity({ context, seq }: EntryPlace): { readonly id: string; readonly schema: string; readonly table: string } {
    return { id: `${context.source}:${positionText(context, seq)}`, schema: 'main', table: this.layout.table }
  }

  #updated(place: EntryPlace, change: {
    readonly key: ChangeRow; readonly before: ChangeRow | null; readonly beforeKind: BeforeKind; readonly after: ChangeRow; readonly changed: readonly string[] | undefined
  }): ChangeEvent {
    const { key, before, beforeKind, after, changed } = change
    return { ...this.#identity(place), op: 'update', key, before, beforeKind, after, changed, unavailable: NONE, tx: place.tx, source: origin(place, this.layout) }
  }

  #deleted(place: EntryPlace, change: { readonly key: ChangeRow; readonly before: ChangeRow | null; readonly beforeKind: BeforeKind }): ChangeEvent {
    const { key, before, beforeKind } = change
    return { ...this.#identity(place), op: 'delete', key, before, beforeKind, after: null, unavailable: NONE, tx: place.tx, source: origin(place, this.layout) }
  }
}

/** Nothing stands for an equal value, and the new value for NULL; beside a number the old value is as it was. */
function oldValue(column: DecoderColumn, raw: Value, now: Value): Value {
  if (typeof now === 'number' || typeof now === 'bigint') return column.read(raw)
  if (raw === null) return now
  const value = column.read(raw)
  return isSameValue(value, now) ? null : value
}

function origin({ context, seq }: EntryPlace, layout: TableLayout): ChangeEvent['source'] {
  return {
    connector: 'sqlite', name: context.source, snapshot: false, position: positionText(context, seq), schemaVersion: layout.version, receivedAtMs: context.receivedAtMs,
  }
}

function positionText(context: DecodeContext, seq: number): string {
  return printPosition({ epoch: context.epoch, sequence: toSequence(seq) })
}

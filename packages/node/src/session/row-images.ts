import type { DatabaseSync } from 'node:sqlite'
import { quote, quoteTable } from '@tidemark/sqlite'
import { TidemarkError, type UnrepresentablePolicy, type Value } from '@tidemark/core/adapter'
import type { CapturedTable } from './captured-table.ts'
import { brokenText } from './cell-policy.ts'
import { BrokenText, type Cell } from './changeset-bytes.ts'
import type { ChangesetChange } from './changeset-reader.ts'
import { GeneratedColumns, generatedOf } from './generated-columns.ts'
import { draftBytes, imageBytes, toRow, type RowDraft, type TableStamp } from './row-draft.ts'
import { RowReader, type TextReading } from './row-reader.ts'
import { oneRow, prepareRaw, type Parameter, type RawRow } from './statements.ts'

/** How a row's columns were selected. */
export type TextForm = 'plain' | 'exact'

/** By place in the table; `undefined` is not known. */
type Image = readonly (Value | undefined)[]

/** The row that an update left, an error in its place, or nothing where the records say all. */
export type Fill = Image | TidemarkError | undefined

/** Roughly what it takes in memory. */
export function fillBytes(fill: Fill): number {
  return fill === undefined || fill instanceof TidemarkError ? FILL_BYTES : FILL_BYTES + imageBytes(fill)
}

const FILL_BYTES = 40

/** Makes whole rows of one table's changes, at one version of its columns. */
export class RowImages {
  readonly table: CapturedTable
  readonly #stamp: TableStamp
  readonly #text: TextReading
  readonly #reader: RowReader
  readonly #generated: GeneratedColumns
  /** Of all columns, for snapshots. */
  readonly #whole: RowReader
  readonly #names: readonly string[]
  readonly #plain: ReturnType<typeof prepareRaw>
  readonly #exact: ReturnType<typeof prepareRaw>

  constructor(database: DatabaseSync, table: CapturedTable, options: { readonly version: number; readonly text: TextReading }) {
    this.table = table
    this.#stamp = { name: table.name, version: options.version }
    this.#text = options.text
    const stored = { names: table.stored, isUntyped: table.isUntyped, key: table.key }
    this.#reader = new RowReader(stored, options.text)
    const generated = generatedOf(table)
    this.#whole = new RowReader({ ...stored, names: [...table.stored, ...generated.names], isUntyped: [...table.isUntyped, ...generated.isUntyped] }, options.text)
    this.#generated = new GeneratedColumns(table, options.text)
    this.#names = [...table.stored, ...table.generated]
    const rest = `FROM ${quoteTable({ schema: 'main', name: table.name })} AS s WHERE ${table.key.map((name) => `s.${quote(name)} = ?`).join(' AND ')}`
    this.#plain = prepareRaw(database, `SELECT ${this.#reader.plain} ${rest}`)
    this.#exact = prepareRaw(database, `SELECT ${this.#reader.exact} ${rest}`)
  }

  /**
   * What an update's records leave out, read from the row: to be called in the transaction that made the change, or before anyone can
   * have written again.
   */
  fill({ before, after }: ChangesetChange): Fill {
    if (!before.includes(undefined)) return undefined
    try {
      return this.#read(this.table.keyIndexes.map((index) => this.#value(after[index] === undefined ? before[index] : after[index], index)))
    } catch (error) {
      if (error instanceof TidemarkError && error.code === 'VALUE_UNREPRESENTABLE') return error
      throw error
    }
  }

  /** Errors: `VALUE_UNREPRESENTABLE`. */
  draft(change: ChangesetChange, fill?: Fill): RowDraft {
    switch (change.op) {
      case 'insert': return this.#insert(this.#values(change.after))
      case 'delete': return this.#delete(this.#values(change.before))
      case 'update': return this.#update(this.#values(change.before), this.#values(change.after), fill)
      default: return change.op satisfies never
    }
  }

  /** What to select for {@link snapshot}. */
  expressions(form: TextForm): string {
    return this.#whole[form]
  }

  /** A row as it stands; `undefined` where a text may have been damaged on its way, which `exact` prevents. Errors: `VALUE_UNREPRESENTABLE`. */
  snapshot(row: RawRow, form: TextForm): RowDraft | undefined {
    const values = form === 'exact' ? this.#whole.exactValues(row) : this.#whole.values(row)
    if (values === undefined) return undefined
    return { ...this.#common('snapshot', values, values), before: null, after: toRow(this.#names, values), changed: undefined, bytes: draftBytes(values) }
  }

  close(): void {
    this.#generated.close()
  }

  #insert(stored: Image): RowDraft {
    const after = this.#completed(stored)
    return { ...this.#common('insert', stored, after), before: null, after: toRow(this.#names, after), changed: undefined, bytes: draftBytes(after) }
  }

  #delete(stored: Image): RowDraft {
    const before = this.#completed(stored)
    return { ...this.#common('delete', stored, before), before: toRow(this.#names, before), after: null, changed: undefined, bytes: draftBytes(before) }
  }

  #update(old: Image, changes: Image, fill: Fill): RowDraft {
    if (fill instanceof TidemarkError) throw fill
    const { keyIndexes, key } = this.table
    const before = this.#completed(old.map((value, index) => firstOf(value, fill?.[index])))
    const after = this.#completed(changes.map((value, index) => firstOf(value, firstOf(fill?.[index], old[index]))))
    const unavailable = this.#names.filter((_, index) => before[index] === undefined || after[index] === undefined)
    const names = unavailable.length === 0 ? this.#names : this.#names.map((name) => unavailable.includes(name) ? undefined : name)
    return {
      table: this.#stamp,
      op: 'update',
      key: toRow(key, keyIndexes.map((index) => after[index])),
      before: toRow(names, before),
      after: toRow(names, after),
      changed: unavailable.length > 0 ? undefined : this.#names.filter((_, index) => !isSame(before[index], after[index])),
      unavailable,
      bytes: draftBytes(before, after),
    }
  }

  #common(op: RowDraft['op'], stored: Image, whole: Image): Pick<RowDraft, 'table' | 'op' | 'key' | 'unavailable'> {
    const { key, keyIndexes } = this.table
    const unavailable = whole.includes(undefined) ? this.#names.filter((_, index) => whole[index] === undefined) : []
    return { table: this.#stamp, op, key: toRow(key, keyIndexes.map((index) => stored[index])), unavailable }
  }

  /** With generated columns behind the stored ones. */
  #completed(stored: Image): Image {
    const count = this.table.generated.length
    if (count === 0) return stored
    const values = stored.filter((value) => value !== undefined)
    const generated = values.length === stored.length ? this.#generated.compute(values) : undefined
    return [...stored, ...generated ?? Array<undefined>(count).fill(undefined)]
  }

  /** The row as it is now; nothing where it can't be found. */
  #read(key: Image): Image {
    const parameters = key.filter((value): value is Parameter => value !== undefined && typeof value !== 'boolean')
    const row = oneRow(this.#plain, parameters)
    if (row === undefined) return []
    const values = this.#reader.values(row)
    if (values !== undefined) return values
    const exact = oneRow(this.#exact, parameters)
    return exact === undefined ? [] : this.#reader.exactValues(exact)
  }

  #values(cells: readonly Cell[]): Image {
    if (!cells.some((cell) => cell instanceof BrokenText)) return cells as Image // nothing else is left
    return cells.map((cell, index) => this.#value(cell, index))
  }

  #value(cell: Cell, index: number): Value | undefined {
    return cell instanceof BrokenText ? brokenText(cell.bytes, this.table.stored[index] ?? '', this.#policy(index)) : cell
  }

  #policy(index: number): UnrepresentablePolicy {
    return this.table.keyIndexes.includes(index) ? 'error' : this.#text.policy
  }
}

/** The first that is known; NULL is known. */
function firstOf(one: Value | undefined, other: Value | undefined): Value | undefined {
  return one === undefined ? other : one
}

function isSame(one: Value | undefined, other: Value | undefined): boolean {
  if (one instanceof Uint8Array && other instanceof Uint8Array) return one.length === other.length && one.every((byte, index) => byte === other[index])
  return Object.is(one, other)
}

import type { Value } from '@tidemark/core/adapter'
import type { ChangeTableSpec, ChangeStatement } from '../harness/change-spec.ts'
import type { RowRecord } from '../harness/table-spec.ts'
import { compareLists } from './compare-values.ts'
import { valueText } from './memory-database.ts'

/** What happened to one row, keyed by its place in the table. */
export interface MemoryChange {
  readonly table: string
  readonly before: { readonly place: string; readonly row: RowRecord } | undefined
  readonly after: { readonly place: string; readonly row: RowRecord } | undefined
}

/** A table's rows by place: the text of the key, or `#` and a number in a table without one. */
export interface MemoryChangeTable {
  readonly spec: ChangeTableSpec
  /** Grows with every change of the columns. */
  readonly version: number
  readonly rows: Map<string, RowRecord>
}

export type MemoryTables = Map<string, MemoryChangeTable>

/** What a statement that breaks a unique key is refused with. The database is no part of Tidemark: it has errors of its own. */
export class MemoryConstraintError extends Error {
  override readonly name: string = 'MemoryConstraintError'
}

export function placeOf(spec: ChangeTableSpec, row: RowRecord): string {
  return JSON.stringify(spec.key.map((name) => valueText(row[name] ?? null)))
}

/** Gives rows of tables without key their numbers. */
export interface RowNumbers {
  next(): number
}

/** Runs one statement on the tables given, and says what it did, row by row. Throws in the middle: the caller undoes. */
export class MemoryStatementRun {
  readonly changes: MemoryChange[] = []
  readonly #tables: MemoryTables
  readonly #numbers: RowNumbers

  constructor(tables: MemoryTables, numbers: RowNumbers) {
    this.#tables = tables
    this.#numbers = numbers
  }

  run(statement: ChangeStatement): void {
    const { name } = statement.table.ref
    switch (statement.kind) {
      case 'insert': return statement.rows.forEach((row) => this.#insert(name, row, statement.onConflict))
      case 'update': return this.#update(statement)
      case 'delete': return this.#matching(name, statement.where).forEach((place) => this.#delete(name, place))
      case 'truncate': return this.#truncate(name)
      default: return statement satisfies never
    }
  }

  #insert(name: string, given: RowRecord, onConflict: (ChangeStatement & { readonly kind: 'insert' })['onConflict']): void {
    const { spec, rows } = this.#table(name)
    const row = complete(spec, given)
    const place = spec.key.length === 0 ? `#${this.#numbers.next()}` : placeOf(spec, row)
    const rivals = this.#rivals(name, row, undefined)
    const same = rivals.find((rival) => rival === place)
    if (rivals.length > 0 && onConflict === 'ignore') return
    if (same !== undefined && rivals.length === 1 && onConflict === 'update') return this.#replaceRow(name, same, row)
    if (rivals.length > 0 && onConflict !== 'replace') throw new MemoryConstraintError('A unique key is taken.')
    for (const rival of rivals) if (rival !== place) this.#delete(name, rival)
    if (same !== undefined) return this.#replaceRow(name, same, row)
    rows.set(place, row)
    this.#log({ table: name, before: undefined, after: { place, row } })
  }

  #update({ table, where, set, orReplace }: ChangeStatement & { readonly kind: 'update' }): void {
    const { name } = table.ref
    for (const place of this.#matching(name, where)) {
      const { spec, rows } = this.#table(name)
      const held = rows.get(place)
      // An earlier row of the same statement has pushed it out.
      if (held === undefined) continue
      const row = complete(spec, { ...held, ...set })
      const rivals = this.#rivals(name, row, place)
      if (rivals.length > 0 && orReplace !== true) throw new MemoryConstraintError('A unique key is taken.')
      for (const rival of rivals) this.#delete(name, rival)
      this.#replaceRow(name, place, row)
    }
  }

  #truncate(name: string): void {
    const { rows } = this.#table(name)
    rows.clear()
    this.#log({ table: name, before: undefined, after: undefined })
  }

  #replaceRow(name: string, place: string, row: RowRecord): void {
    const { spec, rows } = this.#table(name)
    const held = rows.get(place) ?? row
    const moved = spec.key.length === 0 ? place : placeOf(spec, row)
    rows.delete(place)
    rows.set(moved, row)
    this.#log({ table: name, before: { place, row: held }, after: { place: moved, row } })
    if (moved !== place) this.#children(name, held, (_child, column, key) => ({ [column]: row[key] ?? null }))
  }

  #delete(name: string, place: string): void {
    const { rows } = this.#table(name)
    const row = rows.get(place)
    if (row === undefined) return
    rows.delete(place)
    this.#log({ table: name, before: { place, row }, after: undefined })
    this.#children(name, row, (child, column) => (child.spec.parent?.onDelete === 'cascade' ? undefined : { [column]: null }))
  }

  /** Follows what happened to a row in the tables that refer to it. */
  #children(name: string, row: RowRecord, change: (child: MemoryChangeTable, column: string, key: string) => RowRecord | undefined): void {
    const { spec } = this.#table(name)
    for (const [childName, child] of this.#tables) {
      const column = child.spec.parent?.columns[0]
      const key = spec.key[0]
      if (child.spec.parent?.table !== name || column === undefined || key === undefined) continue
      for (const place of this.#matching(childName, { [column]: row[key] ?? null })) {
        const changed = change(child, column, key)
        const held = child.rows.get(place)
        if (changed === undefined) this.#delete(childName, place)
        else if (held !== undefined) this.#replaceRow(childName, place, complete(child.spec, { ...held, ...changed }))
      }
    }
  }

  /** Places of other rows that share a unique key with this one. NULL is equal to nothing. */
  #rivals(name: string, row: RowRecord, own: string | undefined): readonly string[] {
    const { spec, rows } = this.#table(name)
    const uniques = [spec.key, ...(spec.indexes ?? []).filter((index) => index.unique).map((index) => index.columns)].filter((columns) => columns.length > 0)
    const shares = (other: RowRecord, columns: readonly string[]): boolean =>
      columns.every((column) => (row[column] ?? null) !== null && isSame(row[column] ?? null, other[column] ?? null))
    return [...rows].filter(([place, other]) => place !== own && uniques.some((columns) => shares(other, columns))).map(([place]) => place)
  }

  /** In key order, as an engine reads a table: which of two rows is pushed out may hang on it. */
  #matching(name: string, where: RowRecord): readonly string[] {
    const { spec, rows } = this.#table(name)
    const conditions = Object.entries(where)
    const isMatch = (row: RowRecord): boolean => conditions.every(([column, value]) => value !== null && isSame(row[column] ?? null, value))
    const keyOf = (row: RowRecord): readonly Value[] => spec.key.map((column) => row[column] ?? null)
    return [...rows].filter(([, row]) => isMatch(row)).toSorted(([, left], [, right]) => compareLists(keyOf(left), keyOf(right))).map(([place]) => place)
  }

  #table(name: string): MemoryChangeTable {
    const table = this.#tables.get(name)
    if (table === undefined) throw new TypeError(`The harness made no table ${JSON.stringify(name)}.`)
    return table
  }

  #log(change: MemoryChange): void {
    this.changes.push(change)
  }
}

function isSame(left: Value, right: Value): boolean {
  return valueText(left) === valueText(right) && (left === null) === (right === null)
}

/** The row with every column of the table, computed ones too. */
function complete(spec: ChangeTableSpec, row: RowRecord): RowRecord {
  return Object.fromEntries(spec.columns.map(({ name, generated }) => {
    if (generated === undefined) return [name, row[name] ?? null]
    const base = row[generated.twice] ?? null
    return [name, typeof base === 'number' ? 2 * base : null]
  }))
}

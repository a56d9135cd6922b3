import type { ChangeEvent, ChangeRow, Value } from '@tidemark/core/adapter'
import { cell, type Cell } from '../assert/cell.ts'
import { check } from '../assert/check.ts'
import { ConformanceError } from '../assert/conformance-error.ts'
import { equal } from '../assert/equal.ts'
import { show } from '../assert/show.ts'
import type { ChangeTableSpec } from '../harness/change-spec.ts'
import { STORAGE_OF_KIND, type ColumnKind, type RowRecord } from '../harness/table-spec.ts'

/** A row as cells by column name. Columns that an image does not have are absent. */
export type CellRow = ReadonlyMap<string, Cell>

/** A column that takes any value holds an integer as `bigint` only: a number in it is a float, see `Value`. */
export function changeCell(value: Value, kind: ColumnKind): Cell {
  return cell(value, kind === 'blob' && typeof value === 'number' ? 'real' : STORAGE_OF_KIND[kind])
}

/** An image's cells in the order of the specification. A column that the table does not have is a fault. */
export function cellsOf(spec: ChangeTableSpec, image: Partial<ChangeRow>): CellRow {
  const known = new Map(spec.columns.map((column) => [column.name, column.kind]))
  const strange = Object.keys(image).filter((name) => !known.has(name))
  if (strange.length > 0) throw new ConformanceError(`the image has columns that the table ${show(spec.name)} has not: ${strange.join(', ')}`)
  return new Map(spec.columns.filter(({ name }) => Object.hasOwn(image, name)).map(({ name, kind }) => [name, changeCell(image[name] ?? null, kind)]))
}

export function lineOf(row: CellRow): string {
  return [...row].map(([name, held]) => `${name} ${held}`).join(' | ')
}

/** What the row of a specification is as a line; a column left out is NULL. */
export function expectedRow(spec: ChangeTableSpec, row: RowRecord): string {
  return lineOf(new Map(spec.columns.map(({ name, kind }) => [name, changeCell(row[name] ?? null, kind)])))
}

/** Holds an image to be the whole row: no column more, none less, every cell right. */
export function checkImage(image: Partial<ChangeRow> | null, spec: ChangeTableSpec, { row, what }: { readonly row: RowRecord; readonly what: string }): void {
  check(image !== null, `${what} is there`)
  equal(lineOf(cellsOf(spec, image)), expectedRow(spec, row), what)
}

/** Holds an event's key to be the row's. */
export function checkKey(event: ChangeEvent, spec: ChangeTableSpec, row: RowRecord): void {
  const kinds = new Map(spec.columns.map((column) => [column.name, column.kind]))
  const cells = (from: Partial<ChangeRow>): readonly string[] => spec.key.map((name) => `${name} ${changeCell(from[name] ?? null, kinds.get(name) ?? 'text')}`)
  check(event.key !== null, 'the event has a key')
  equal(Object.keys(event.key).toSorted(), [...spec.key].toSorted(), 'columns of the key')
  equal(cells(event.key), cells(row), 'key')
}

/**
 * Holds `before` to be what the capabilities promise: the whole row, or the key's columns and perhaps more. What is in it is right in any case.
 */
export function checkBefore(event: ChangeEvent, spec: ChangeTableSpec, { row, promised }: { readonly row: RowRecord; readonly promised: 'full' | 'key' }): void {
  if (promised === 'full') equal(event.beforeKind, 'full', 'beforeKind')
  if (event.beforeKind === 'none') return equal(event.before, null, 'before of an event that has none')
  if (event.beforeKind === 'full') return checkImage(event.before, spec, { row, what: 'before' })
  const names = Object.keys(event.before ?? {})
  equal(names.toSorted(), [...spec.key].toSorted(), 'columns of a before that is the key')
  equal(lineOf(cellsOf(spec, event.before ?? {})), lineOf(cellsOf(spec, Object.fromEntries(spec.columns.filter((column) => names.includes(column.name)).map(({ name }) => [name, row[name] ?? null])))), 'before')
}

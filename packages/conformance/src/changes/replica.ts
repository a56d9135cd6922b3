import type { ChangeEvent } from '@tidemark/core/adapter'
import { check } from '../assert/check.ts'
import { ConformanceError } from '../assert/conformance-error.ts'
import { defined } from '../assert/defined.ts'
import { equal } from '../assert/equal.ts'
import { show } from '../assert/show.ts'
import type { ChangeHarness } from '../harness/change-harness.ts'
import type { CapturedTable, ChangeTableSpec } from '../harness/change-spec.ts'
import { cellsOf, lineOf, type CellRow } from './change-image.ts'

/**
 * What a consumer would hold that applies every event: the oracle of a log. It believes nothing: a row that is changed or deleted must
 * be there, and a full `before` must be what it holds. Only a row that stands at the key of a new or moved one may be replaced without a
 * word, see `RowInserted`.
 */
export class Replica {
  readonly #specs: ReadonlyMap<string, ChangeTableSpec>
  readonly #rows = new Map<string, Map<string, CellRow>>()
  #anonymous = 0

  constructor(tables: readonly CapturedTable[]) {
    this.#specs = new Map(tables.map((table) => [table.ref.name, table.spec]))
    for (const { ref } of tables) this.#rows.set(ref.name, new Map())
  }

  /** A replica that holds the tables' rows as the engine tells them now. */
  static async copyOf(harness: ChangeHarness, tables: readonly CapturedTable[]): Promise<Replica> {
    const replica = new Replica(tables)
    for (const table of tables) {
      const names = table.spec.columns.map((column) => column.name)
      for (const cells of await harness.cells(table)) replica.#put(table.ref.name, new Map(names.map((name, index) => [name, cells[index] ?? 'null'])))
    }
    return replica
  }

  applyAll(events: readonly ChangeEvent[]): void {
    for (const event of events) this.apply(event)
  }

  apply(event: ChangeEvent): void {
    const { table } = event
    switch (event.op) {
      case 'insert':
      case 'snapshot': return this.#put(table, cellsOf(this.#spec(table), event.after))
      case 'update': return this.#update(event)
      case 'delete': return void this.#table(table).delete(this.#locate(event))
      case 'truncate': return this.#table(table).clear()
      default: return event satisfies never
    }
  }

  lines(table: CapturedTable): readonly string[] {
    return [...this.#table(table.ref.name).values()].map(lineOf).toSorted()
  }

  /** Holds every table to be what the engine tells now, cell by cell with its storage class. */
  async checkAgainst(harness: ChangeHarness, tables: readonly CapturedTable[]): Promise<void> {
    const truth = await Replica.copyOf(harness, tables)
    for (const table of tables) equal(this.lines(table), truth.lines(table), `rows of ${show(table.ref.name)} after all events`)
  }

  /** Holds every combination of the columns to occur once. */
  checkUnique(table: CapturedTable, columns: readonly string[]): void {
    const seen = new Set<string>()
    for (const row of this.#table(table.ref.name).values()) {
      const parts = columns.map((name) => row.get(name) ?? 'null')
      if (parts.includes('null')) continue
      check(!seen.has(parts.join(' | ')), `two rows never share ${columns.join(', ')} while events are applied one by one`)
      seen.add(parts.join(' | '))
    }
  }

  #update(event: ChangeEvent & { readonly op: 'update' }): void {
    const rows = this.#table(event.table)
    const place = this.#locate(event)
    const held = defined(rows.get(place), 'a row to update')
    rows.delete(place)
    // Like an insert, it may meet a row of its new key, and takes that one's place.
    this.#put(event.table, new Map([...held, ...cellsOf(this.#spec(event.table), event.after)]))
  }

  #put(table: string, row: CellRow): void {
    this.#table(table).set(this.#place(table, row), row)
  }

  /** Where a row stands: at its key, or anywhere where it has none. */
  #place(table: string, row: CellRow): string {
    const { key } = this.#spec(table)
    if (key.length > 0) return key.map((name) => row.get(name) ?? 'absent').join(' | ')
    this.#anonymous += 1
    return `row ${this.#anonymous}`
  }

  /** The place of the row that an event changes; the row must be there and be what `before` says. */
  #locate(event: ChangeEvent & { readonly op: 'update' | 'delete' }): string {
    const spec = this.#spec(event.table)
    const before = event.before === null ? undefined : cellsOf(spec, event.before)
    if (spec.key.length === 0) return this.#find(event.table, lineOf(defined(before, 'a full before of a table without key')))
    const place = this.#place(event.table, before ?? cellsOf(spec, defined(event.key ?? undefined, 'a key')))
    const held = this.#table(event.table).get(place)
    if (held === undefined) throw new ConformanceError(`a row of ${show(event.table)} is changed by ${event.op} that is not there: ${place}`)
    for (const [name, value] of before ?? []) equal(value, held.get(name), `before of column ${show(name)} in ${event.op} ${event.id}`)
    return place
  }

  #find(table: string, line: string): string {
    for (const [place, row] of this.#table(table)) if (lineOf(row) === line) return place
    throw new ConformanceError(`a row of ${show(table)} is changed that is not there: ${line}`)
  }

  #table(name: string): Map<string, CellRow> {
    return defined(this.#rows.get(name), `table ${show(name)} among the captured ones`)
  }

  #spec(name: string): ChangeTableSpec {
    return defined(this.#specs.get(name), `table ${show(name)} among the captured ones`)
  }
}

import type postgres from 'postgres'
import { CELL_COLUMNS } from './cell-columns.ts'
import { sourceCells, targetCells, type CellRow } from './cells.ts'
import type { Reporter } from './reporter.ts'

export interface Comparison {
  /** Rows that both sides have. */
  readonly rows: number
  readonly cells: number
  /** Rows of the source that the copy lacks. */
  readonly missing: number
  /** Rows of the copy that the source lacks. */
  readonly extra: number
  readonly differingCells: number
  /** The first differences, in words. */
  readonly examples: readonly string[]
}

export interface CompareOptions {
  readonly sql: postgres.Sql
  readonly path: string
  readonly expectedRows: number
  readonly reporter: Reporter
}

const MOST_EXAMPLES = 5

/** Goes through both tables side by side in key order and compares every cell. */
export async function compareCells(options: CompareOptions): Promise<Comparison> {
  const { sql, path, expectedRows, reporter } = options
  const tally = new Tally()
  const copy = targetCells(path)
  let next = copy.next()
  for await (const page of sourceCells(sql)) {
    for (const row of page) {
      for (; next.done !== true && keyOf(next.value) < keyOf(row); next = copy.next()) tally.addExtra(next.value)
      if (next.done === true || keyOf(next.value) !== keyOf(row)) tally.addMissing(row)
      else {
        tally.addPair(row, next.value)
        next = copy.next()
      }
    }
    reporter.progress({ label: 'rows compared cell by cell', done: tally.rows, total: Math.max(tally.rows, expectedRows) })
  }
  for (; next.done !== true; next = copy.next()) tally.addExtra(next.value)
  return tally
}

function keyOf(row: CellRow): bigint {
  return BigInt(row[0] ?? 0)
}

class Tally implements Comparison {
  rows = 0
  cells = 0
  missing = 0
  extra = 0
  differingCells = 0
  readonly examples: string[] = []

  addPair(source: CellRow, copy: CellRow): void {
    this.rows += 1
    for (const [index, column] of CELL_COLUMNS.entries()) {
      this.cells += 1
      if (source[index] === copy[index]) continue
      this.differingCells += 1
      this.#show(`id ${source[0]}, ${column.name}: source ${JSON.stringify(source[index])}, copy ${JSON.stringify(copy[index])}`)
    }
  }

  addMissing(row: CellRow): void {
    this.missing += 1
    this.#show(`id ${row[0]} is missing in the copy`)
  }

  addExtra(row: CellRow): void {
    this.extra += 1
    this.#show(`id ${row[0]} is in the copy only`)
  }

  #show(example: string): void {
    if (this.examples.length < MOST_EXAMPLES) this.examples.push(example)
  }
}

/** Equal, and not because there was nothing to compare. */
export function isEqual(comparison: Comparison): boolean {
  return comparison.rows > 0 && comparison.missing + comparison.extra + comparison.differingCells === 0
}

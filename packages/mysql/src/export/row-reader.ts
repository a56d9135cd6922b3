import type { AbortOptions, ExportRowPage, RowValues } from '@tidemark/core/adapter'
import { compileCell } from '../cell-decoder.ts'
import { RowCollector } from '../row-collector.ts'
import { MysqlRowDecoder } from '../row-decoder.ts'
import { selectExpression } from '../select-expression.ts'
import { parsePosition, printPosition } from './scan-position.ts'
import type { TablePlan } from './table-plan.ts'
import type { TableScan } from './table-scan.ts'

/** Columns as {@link RowReader} decodes them. */
export function rowSelects({ columns }: TablePlan): readonly string[] {
  // A statement must select something: a table of generated columns only has rows all the same.
  return columns.length === 0 ? ['1'] : columns.map(({ schema }) => selectExpression(schema))
}

/** The rows of a table from a place on, as values. */
export class RowReader {
  readonly scan: TableScan
  readonly #decoder: MysqlRowDecoder
  readonly #keys: (readonly string[])[] = []
  readonly #width: number
  #rows: RowValues[] = []
  #read: number
  #meanBytes = 1
  #isEnded = false
  #position: string | undefined

  constructor(scan: TableScan, plan: TablePlan, after: string | undefined) {
    this.scan = scan
    this.#position = after
    this.#read = parsePosition(after).rows
    const keyCells = plan.key?.ordering.parts.length ?? 0
    this.#width = plan.columns.length
    this.#decoder = new MysqlRowDecoder({
      lead: keyCells + (plan.columns.length === 0 ? 1 : 0), columns: plan.columns.map(({ schema }) => compileCell(schema)), cursor: undefined,
      onLead: (text) => {
        this.#keys.push(Array.from({ length: keyCells }, (_, cell) => text(cell) ?? ''))
        return true
      },
    })
  }

  /** Where the next page begins. */
  get position(): string | undefined {
    return this.#position
  }

  async page(limit: { readonly rows: number; readonly bytes: number }, options: AbortOptions): Promise<ExportRowPage> {
    const wanted = (): number => Math.max(1, Math.min(limit.rows, Math.floor(limit.bytes / this.#meanBytes)))
    while (!this.#isEnded && this.#rows.length < wanted()) await this.#fill(options)
    const rows = this.#rows.splice(0, wanted())
    const keys = this.#keys.splice(0, rows.length)
    const before = this.#read
    this.#read += rows.length
    const cursorAfter = (index: number): string => printPosition({ rows: before + index + 1, pieces: 0, key: keys[index] ?? [] })
    if (rows.length > 0) this.#position = cursorAfter(rows.length - 1)
    return { rows, cursorAfter, isLast: this.#isEnded && this.#rows.length === 0 }
  }

  async #fill(options: AbortOptions): Promise<void> {
    const chunk = await this.scan.next(options)
    if (chunk === undefined) {
      this.#decoder.end()
      this.#isEnded = true
      return
    }
    const sink = new RowCollector(this.#width)
    this.#decoder.push(chunk, sink)
    if (sink.rows.length > 0) this.#meanBytes = Math.max(1, chunk.length / sink.rows.length)
    for (const row of sink.rows) this.#rows.push(row)
  }
}

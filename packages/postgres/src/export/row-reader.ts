import type { AbortOptions, ColumnSchema, ExportRowPage, RowValues } from '@tidemark/core/adapter'
import { CopyDecoder } from '../copy-decoder.ts'
import { RowCollector } from '../row-collector.ts'
import { parsePlace, printPlace, type ScanPlace } from './scan-place.ts'
import type { TableScan } from './table-scan.ts'

/** The rows of a table as values. */
export class RowReader {
  readonly #scan: TableScan
  readonly #columns: readonly ColumnSchema[]
  #decoder: CopyDecoder
  #rows: RowValues[] = []
  /** Of each row, the place behind it. */
  #places: ScanPlace[] = []
  #range: number
  #count = 0
  #skip: number
  #meanBytes = 64
  #isEnded = false
  #position: string | undefined

  constructor(scan: TableScan, columns: readonly ColumnSchema[], after: string | undefined) {
    this.#scan = scan
    this.#columns = columns
    this.#decoder = this.#fresh()
    const { range, rows } = parsePlace(after)
    this.#range = range
    this.#skip = rows
    this.#position = after
  }

  /** Where the next page begins. */
  get position(): string | undefined {
    return this.#position
  }

  async page(limit: { readonly rows: number; readonly bytes: number }, options: AbortOptions): Promise<ExportRowPage> {
    const wanted = (): number => Math.max(1, Math.min(limit.rows, Math.floor(limit.bytes / this.#meanBytes)))
    while (!this.#isEnded && this.#rows.length < wanted()) await this.#fill(options)
    const rows = this.#rows.splice(0, wanted())
    const places = this.#places.splice(0, rows.length)
    const cursorAfter = (index: number): string => printPlace(places[index] ?? { range: 0, rows: 0 })
    if (rows.length > 0) this.#position = cursorAfter(rows.length - 1)
    return { rows, cursorAfter, isLast: this.#isEnded && this.#rows.length === 0 }
  }

  close(): void {
    this.#scan.close()
  }

  async #fill(options: AbortOptions): Promise<void> {
    const chunk = await this.#scan.next(options)
    if (chunk === undefined || chunk.range !== this.#range) {
      this.#decoder.end()
      this.#decoder = this.#fresh()
      this.#count = 0
      this.#skip = chunk === undefined || chunk.range === this.#range ? this.#skip : 0
    }
    if (chunk === undefined) {
      this.#isEnded = true
      return
    }
    this.#range = chunk.range
    const collector = new RowCollector(this.#columns.length)
    this.#decoder.push(chunk.bytes, collector)
    if (collector.rows.length > 0) this.#meanBytes = Math.max(1, chunk.bytes.length / collector.rows.length)
    for (const row of collector.rows) this.#add(row)
  }

  #add(row: RowValues): void {
    this.#count += 1
    if (this.#count <= this.#skip) return
    this.#rows.push(row)
    this.#places.push({ range: this.#range, rows: this.#count })
  }

  #fresh(): CopyDecoder {
    return new CopyDecoder({ columns: this.#columns, extraFields: 0, keyFields: [] })
  }
}

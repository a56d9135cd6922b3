import type { RowValues, Value } from '../../change/value.ts'
import type { DecodedRows } from '../dump-format.ts'
import type { ManifestTable } from '../manifest.ts'
import { undecodable } from '../undecodable.ts'
import { csvValue } from './csv-cell.ts'
import { CsvRecords, type CsvField } from './csv-records.ts'
import { unguardFormula } from './formula-guard.ts'

const BATCH_ROWS = 1_000

/** Errors: `DUMP_CORRUPT` for what is no CSV, another header, or a row of another width. */
export async function* decodeCsv(table: ManifestTable, bytes: AsyncIterable<Uint8Array>, isGuarded: boolean): AsyncGenerator<DecodedRows> {
  const records = new CsvRecords()
  const rows = new CsvRows(table, isGuarded)
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const add = function* (piece: Uint8Array | undefined): Generator<DecodedRows> {
    for (const record of records.push(piece === undefined ? decoder.decode() : decoder.decode(piece, { stream: true }), piece === undefined)) {
      rows.add(record)
      if (rows.pending >= BATCH_ROWS) yield { rows: rows.take() }
    }
  }
  try {
    for await (const piece of bytes) yield* add(piece)
    yield* add(undefined)
  } catch (error) {
    // A SyntaxError of the records, a TypeError of the decoder.
    throw error instanceof SyntaxError || error instanceof TypeError ? undecodable(table, rows.count + 1, error instanceof SyntaxError ? error.message : 'It is no UTF-8.') : error
  }
  if (rows.pending > 0) yield { rows: rows.take() }
}

class CsvRows {
  readonly #table: ManifestTable
  readonly #textOf: (text: string) => string
  #rows: RowValues[] = []
  #hasHeader = false
  count = 0

  constructor(table: ManifestTable, isGuarded: boolean) {
    this.#table = table
    this.#textOf = isGuarded ? unguardFormula : (text) => text
  }

  get pending(): number {
    return this.#rows.length
  }

  add(record: readonly CsvField[]): void {
    if (!this.#hasHeader) return this.#header(record)
    const { columns } = this.#table
    if (record.length !== columns.length) throw undecodable(this.#table, this.count + 1, `It has ${record.length} fields instead of ${columns.length}.`)
    this.#rows.push(record.map((field, index) => this.#value(field, index)))
    this.count += 1
  }

  take(): readonly RowValues[] {
    const rows = this.#rows
    this.#rows = []
    return rows
  }

  #header(record: readonly CsvField[]): void {
    const { columns } = this.#table
    if (record.length !== columns.length || record.some(({ text }, index) => this.#textOf(text) !== columns[index]?.name)) throw undecodable(this.#table, 0, 'Its header names other columns.')
    this.#hasHeader = true
  }

  #value({ text, isQuoted }: CsvField, index: number): Value {
    const value = isQuoted ? this.#textOf(text) : csvValue(text)
    if (value === undefined) throw undecodable(this.#table, this.count + 1, `The field of '${this.#table.columns[index]?.name ?? ''}' is no value.`)
    return value
  }
}

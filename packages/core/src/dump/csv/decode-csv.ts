import type { RowValues, Value } from '../../change/value.ts'
import { wholeLines } from '../../util/whole-lines.ts'
import { OBJECT_BEGIN, type DecodedRows, type ObjectEntry } from '../dump-format.ts'
import type { ManifestTable } from '../manifest.ts'
import { undecodable } from '../undecodable.ts'
import { csvValue } from './csv-cell.ts'
import { CsvRecords, type CsvField } from './csv-records.ts'
import { unguardFormula } from './formula-guard.ts'

const BATCH_ROWS = 1_000

interface DecodeCsvOptions {
  readonly isGuarded: boolean
  readonly from?: ObjectEntry | undefined
}

/** Errors: `DUMP_CORRUPT` for what is no CSV, another header, or a row of another width. */
export async function* decodeCsv(table: ManifestTable, bytes: AsyncIterable<Uint8Array>, { isGuarded, from = OBJECT_BEGIN }: DecodeCsvOptions): AsyncGenerator<DecodedRows> {
  const records = new CsvRecords()
  const rows = new CsvRows(table, { isGuarded, from })
  const add = function* (text: string, isLast: boolean): Generator<DecodedRows> {
    for (const record of records.push(text, isLast)) {
      rows.add(record)
      if (rows.pending >= BATCH_ROWS) yield { rows: rows.take() }
    }
  }
  try {
    for await (const { text, end } of wholeLines(bytes)) {
      const before = rows.count
      yield* add(text, false)
      // What a line break within a field has left over belongs to the next row.
      if (rows.count > before) yield { rows: rows.take(), end: from.byte + end - encoder.encode(records.rest).length }
    }
    yield* add('', true)
  } catch (error) {
    // A SyntaxError of the records, a TypeError of the decoder.
    throw error instanceof SyntaxError || error instanceof TypeError ? undecodable(table, rows.count + 1, error instanceof SyntaxError ? error.message : 'It is no UTF-8.') : error
  }
  if (rows.pending > 0) yield { rows: rows.take() }
}

const encoder = new TextEncoder()

class CsvRows {
  readonly #table: ManifestTable
  readonly #textOf: (text: string) => string
  #rows: RowValues[] = []
  #hasHeader: boolean
  /** With those before the place at which decoding began. */
  count: number

  constructor(table: ManifestTable, { isGuarded, from }: { readonly isGuarded: boolean; readonly from: ObjectEntry }) {
    this.#table = table
    this.#hasHeader = from.byte > 0
    this.count = from.row
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

import type { DumpFormat } from '../dump-format.ts'
import { quoted } from './csv-cell.ts'
import { CsvEncoder } from './csv-encoder.ts'
import { decodeCsv } from './decode-csv.ts'
import { guardFormula } from './formula-guard.ts'

export interface CsvFormatOptions {
  /** Whether an apostrophe is put before each text that a spreadsheet would run as a formula. Reading takes it away again. */
  readonly guardFormulas: boolean
}

/**
 * CSV as RFC 4180 has it, with a header. Exact: quotes tell texts from everything else, and NULL from an empty one.
 *
 * With the guard it has another name, which a job and a manifest keep: the two are never mixed in one dump, and who doesn't know it refuses it.
 */
export function csvFormat({ guardFormulas }: CsvFormatOptions): DumpFormat {
  const textOf = guardFormulas ? guardFormula : (text: string): string => text
  return {
    name: guardFormulas ? 'csv-guarded' : 'csv',
    extension: 'csv',
    contentType: 'text/csv; charset=utf-8; header=present',
    appends: true,
    header: ({ columns }) => new TextEncoder().encode(`${columns.map(({ name }) => headerField(textOf(name))).join(',')}\r\n`),
    encoder: (table) => new CsvEncoder(table, guardFormulas),
    decode: (table, bytes, from) => decodeCsv(table, bytes, { isGuarded: guardFormulas, from }),
  }
}

function headerField(name: string): string {
  return /^[\w.-]+$/.test(name) ? name : quoted(name)
}

import type { DumpFormat } from '../dump-format.ts'
import { quoted } from './csv-cell.ts'
import { CsvEncoder } from './csv-encoder.ts'
import { decodeCsv } from './decode-csv.ts'

/** CSV as RFC 4180 has it, with a header. Exact: quotes tell texts from everything else, and NULL from an empty one. */
export const csvFormat: DumpFormat = {
  name: 'csv',
  extension: 'csv',
  contentType: 'text/csv; charset=utf-8; header=present',
  appends: true,
  header: ({ columns }) => new TextEncoder().encode(`${columns.map(({ name }) => (/^[\w.-]+$/.test(name) ? name : quoted(name))).join(',')}\r\n`),
  encoder: (table) => new CsvEncoder(table),
  decode: decodeCsv,
}

import type { DumpFormat } from '../dump-format.ts'
import { decodeNdjson } from './decode-ndjson.ts'
import { NdjsonEncoder } from './ndjson-encoder.ts'

/** One JSON object a line, with every column of the table. Exact for every reader of JSON: see `jsonCell`. */
export const ndjsonFormat: DumpFormat = {
  name: 'ndjson',
  extension: 'ndjson',
  contentType: 'application/x-ndjson',
  appends: true,
  header: () => new Uint8Array(0),
  encoder: (table) => new NdjsonEncoder(table),
  decode: decodeNdjson,
}

import type { RowValues } from '../../change/value.ts'
import { wholeLines } from '../../util/whole-lines.ts'
import { OBJECT_BEGIN, type DecodedRows, type ObjectEntry } from '../dump-format.ts'
import type { ManifestTable } from '../manifest.ts'
import { undecodable } from '../undecodable.ts'
import { jsonValue } from './json-cell.ts'

const BATCH_ROWS = 1_000

/** Errors: `DUMP_CORRUPT` for a line that is no object of this table's columns. */
export async function* decodeNdjson(table: ManifestTable, bytes: AsyncIterable<Uint8Array>, from: ObjectEntry = OBJECT_BEGIN): AsyncGenerator<DecodedRows> {
  let rows: RowValues[] = []
  let count = from.row
  try {
    for await (const { text, end } of wholeLines(bytes)) {
      for (const line of text.split('\n')) {
        if (line.trim() === '') continue
        rows.push(toRow(line, table))
        count += 1
        if (rows.length < BATCH_ROWS) continue
        yield { rows }
        rows = []
      }
      yield { rows, end: from.byte + end }
      rows = []
    }
  } catch (error) {
    throw error instanceof SyntaxError || error instanceof TypeError ? undecodable(table, count + 1, 'It is no object of this table\'s columns.') : error
  }
}

/** Errors: `SyntaxError`. */
function toRow(line: string, { columns }: ManifestTable): RowValues {
  const parsed: unknown = JSON.parse(line)
  if (typeof parsed !== 'object' || parsed === null || Object.keys(parsed).length !== columns.length) throw new SyntaxError('Not a row.')
  return columns.map(({ name, storage }) => {
    const value = jsonValue((parsed as Readonly<Record<string, unknown>>)[name], storage) // an object of whatever it is
    if (value === undefined) throw new SyntaxError('Not a value.')
    return value
  })
}

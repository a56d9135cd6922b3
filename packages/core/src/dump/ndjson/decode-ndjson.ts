import type { RowValues } from '../../change/value.ts'
import { linesOf } from '../../util/lines-of.ts'
import type { DecodedRows } from '../dump-format.ts'
import type { ManifestTable } from '../manifest.ts'
import { undecodable } from '../undecodable.ts'
import { jsonValue } from './json-cell.ts'

const BATCH_ROWS = 1_000

/** Errors: `DUMP_CORRUPT` for a line that is no object of this table's columns. */
export async function* decodeNdjson(table: ManifestTable, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<DecodedRows> {
  let rows: RowValues[] = []
  let count = 0
  try {
    for await (const line of linesOf(bytes)) {
      if (line.trim() === '') continue
      rows.push(toRow(line, table))
      count += 1
      if (rows.length < BATCH_ROWS) continue
      yield { rows }
      rows = []
    }
  } catch (error) {
    throw error instanceof SyntaxError || error instanceof TypeError ? undecodable(table, count + 1, 'It is no object of this table\'s columns.') : error
  }
  if (rows.length > 0) yield { rows }
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

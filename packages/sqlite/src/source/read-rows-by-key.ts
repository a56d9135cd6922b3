import { TidemarkError, type ReadByKeyRequest, type RowValues } from '@tidemark/core/adapter'
import { keyLists } from '../key-list.ts'
import { quote } from '../quote.ts'
import { toSqliteValue } from '../upsert.ts'
import type { ValueForm } from '../capture/value-reading.ts'
import { formOfBytes, isSuspect } from './cell-codec.ts'
import { findColumn } from './cursor-columns.ts'
import { quoteTable } from './quote-text.ts'
import { RowLayout } from './row-layout.ts'
import type { SourceReader } from './source-reader.ts'

export async function readRowsByKey(reader: SourceReader, request: ReadByKeyRequest): Promise<readonly RowValues[]> {
  const found: RowValues[] = []
  for (const keys of keyLists(request.keys, request.key.length, reader.host.maxParameters)) {
    found.push(...await readList(reader, request, { keys, form: reader.host.textForm }))
  }
  return found
}

interface KeyList {
  readonly keys: readonly RowValues[]
  readonly form: ValueForm
}

async function readList(reader: SourceReader, request: ReadByKeyRequest, { keys, form }: KeyList): Promise<readonly RowValues[]> {
  const layout = new RowLayout({ columns: request.columns, order: [], offset: 0, text: await reader.text(form, request) })
  const names = layout.expressions.length === 0 ? ['NULL'] : layout.expressions
  const columns = names.map((expression, index) => `${expression} AS c${index}`)
  const text = `SELECT ${columns.join(', ')} FROM ${quoteTable(request.table.ref)} AS s WHERE ${condition(request, keys.length)}`
  const rows = await reader.query(request, { text, parameters: keys.flat().map(toSqliteValue) })
  const bytes = formOfBytes(form)
  if (bytes !== undefined && rows.some((row) => row.some(isSuspect))) return readList(reader, request, { keys, form: bytes })
  return rows.map((row) => layout.values(row))
}

/** The plain form for one column: it uses an index on every version. */
function condition(request: ReadByKeyRequest, count: number): string {
  const key = request.key.map((name) => `s.${quote(findColumn(request.table, name).name)}`)
  const [only] = key
  if (only === undefined) throw new TidemarkError('KEY_REQUIRED', 'Rows can be read by key only with a key.')
  if (key.length === 1) return `${only} IN (${Array<string>(count).fill('?').join(', ')})`
  const row = `(${key.map(() => '?').join(', ')})`
  return `(${key.join(', ')}) IN (VALUES ${Array<string>(count).fill(row).join(', ')})`
}

import type { Cursor, FenceRequest } from '@tidemark/core/adapter'
import { quote } from '../quote.ts'
import type { ValueForm } from '../capture/value-reading.ts'
import { formOfBytes, isSuspect } from './cell-codec.ts'
import { cursorColumns, orderBy } from './cursor-columns.ts'
import { quoteTable } from './quote-text.ts'
import { readCursor } from './read-cursor.ts'
import { RowLayout } from './row-layout.ts'
import type { SourceReader } from './source-reader.ts'

export interface HighMark {
  readonly cursor: Cursor | undefined
  readonly fence: string
  readonly hasNullTracking: boolean
}

/** One statement, in the shape of a page: a head, then the last row if there is one. */
export function readHighMark(reader: SourceReader, request: FenceRequest): Promise<HighMark> {
  return readMark(reader, request, reader.host.textForm)
}

async function readMark(reader: SourceReader, request: FenceRequest, form: ValueForm): Promise<HighMark> {
  const columns = cursorColumns({ table: request.table, key: request.key, tracking: request.tracking, collations: await reader.keyCollations(request) })
  const layout = new RowLayout({ columns: [], order: columns.order, offset: 1, text: await reader.text(form, request) })
  const table = quoteTable(request.table.ref)
  const tracking = `s.${quote(request.tracking)}`
  const selected = ['NULL', ...layout.expressions].map((expression, index) => `${expression} AS c${index}`)
  const nulls = columns.tracking?.nullable === true ? `EXISTS (SELECT 1 FROM ${table} AS s WHERE ${tracking} IS NULL)` : '0'
  const text = `SELECT ${[nulls, ...layout.expressions.map(() => 'NULL')].map((expression, index) => `${expression} AS c${index}`).join(', ')} `
    + `UNION ALL SELECT * FROM (SELECT ${selected.join(', ')} FROM ${table} AS s WHERE ${tracking} IS NOT NULL ORDER BY ${orderBy(columns, ' DESC')} LIMIT 1)`
  const [head, row] = await reader.query(request, { text })
  const bytes = formOfBytes(form)
  if (bytes !== undefined && row?.some(isSuspect) === true) return readMark(reader, request, bytes)
  const cursor = row === undefined ? undefined : readCursor(columns, layout.orderValues(row))
  return { cursor, fence: '', hasNullTracking: Number(head?.[0]) === 1 }
}

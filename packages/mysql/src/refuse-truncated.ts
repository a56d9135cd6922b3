import { TidemarkError, type Cursor, type TableRef } from '@tidemark/core/adapter'
import { SORTED_BYTES, type CursorPart } from './cursor-part.ts'
import type { RunOptions } from './mysql-link.ts'
import type { Session } from './open-session.ts'
import { cursorText, type Ordering } from './ordering.ts'
import { quoteTable } from './quote.ts'

/**
 * A server that sorts without an index compares no more than the first `max_sort_length` bytes of a value, and values
 * that are equal so far come in the order of what is sorted by next. Reading on after one of them, by comparing whole
 * values, would pass over those that are less and were not read yet.
 *
 * So before reading on after a long value its neighbours are looked at: if one begins alike, the order is not
 * known. With an index that is two probes; without one the page itself scans the table as well.
 *
 * Errors: `CONFIG_INVALID`.
 */
export async function refuseTruncated(session: Session, ordering: Ordering, at: RunOptions & { readonly table: TableRef; readonly after: Cursor | undefined }): Promise<void> {
  const { table, after } = at
  if (after === undefined) return
  for (const part of ordering.parts) {
    const text = cursorText(ordering, part, after) ?? ''
    if (text.length < (part.sortsShortFrom ?? Infinity)) continue
    const [found] = await session.link.rows(neighboursAlike(part, text, quoteTable(table)), at)
    if (found !== undefined) throw truncated(part)
  }
}

/** `IF(1, …)` gives the literal the column's collation, whose weights are what is sorted by. */
function neighboursAlike(part: CursorPart, text: string, table: string): string {
  const { order } = part
  const literal = part.literal(text)
  const sorted = (value: string): string => `LEFT(WEIGHT_STRING(LEFT(${value}, ${SORTED_BYTES})), ${SORTED_BYTES})`
  return `SELECT 1 FROM (SELECT MIN(${order}) AS n FROM ${table} WHERE ${order} > ${literal}`
    + ` UNION ALL SELECT MAX(${order}) FROM ${table} WHERE ${order} < ${literal}) AS d`
    + ` WHERE ${sorted(`IF(1, ${literal}, d.n)`)} = ${sorted('d.n')} LIMIT 1`
}

function truncated({ column }: CursorPart): TidemarkError {
  const message = `Column ${column.name} holds values that differ only behind the bytes a MySQL server sorts by.`
  return new TidemarkError('CONFIG_INVALID', message, {
    remedy: 'Track or key by a column with shorter values, such as a number, a time or a hash of this one.',
    issues: [{ path: `columns.${column.name}`, message }],
  })
}

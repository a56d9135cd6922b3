import type { TableRef } from '@tidemark/core/adapter'
import { quoteText } from './quote.ts'

/** `table_schema = … AND table_name = …`: both as constants, so that the server opens one table and scans no folder. */
export function catalogueFilter(ref: TableRef): string {
  const schema = ref.schema === undefined ? 'DATABASE()' : quoteText(ref.schema)
  return `table_schema = ${schema} AND table_name = ${quoteText(ref.name)}`
}

/**
 * A scalar that changes with the table's columns, types, collations, nullability or key, and NULL when there is no
 * table. The same expression serves `describeTable` and every page, so the two can't disagree.
 */
export function fingerprintExpression(ref: TableRef): string {
  const filter = catalogueFilter(ref)
  const columns = 'CONCAT_WS(\'|\', ordinal_position, HEX(column_name), HEX(column_type), is_nullable, collation_name)'
  const key = 'CONCAT_WS(\'|\', seq_in_index, HEX(column_name))'
  return `(SELECT MD5(CONCAT_WS('#',`
    + ` (SELECT GROUP_CONCAT(${columns} ORDER BY ordinal_position SEPARATOR ';') FROM information_schema.columns WHERE ${filter}),`
    + ` (SELECT GROUP_CONCAT(${key} ORDER BY seq_in_index SEPARATOR ';') FROM information_schema.statistics`
    + ` WHERE ${filter} AND index_name = 'PRIMARY'))))`
}

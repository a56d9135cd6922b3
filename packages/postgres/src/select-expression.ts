import type { ColumnSchema } from '@tidemark/core/adapter'
import { quoteIdentifier } from './quote.ts'

/**
 * How a column is asked for. Nearly always by name: pages (values unparsed) and COPY then both give what the type's
 * output function prints. A cast to text would not: it strips the padding of `character(n)` and spells booleans out.
 *
 * Money is the exception: its text depends on `lc_monetary`, which a session may not be able to set.
 */
export function selectExpression(column: ColumnSchema): string {
  const name = quoteIdentifier(column.name)
  if (column.logicalType === 'raw' || column.logicalType === 'text') return name
  if (column.sourceType === 'money') return `${name}::pg_catalog.numeric`
  return column.sourceType === 'money[]' ? `${name}::pg_catalog.numeric[]` : name
}

/** A key or tracking value's own text in a cursor, cast back to the column's type. */
export function castParameter(parameter: string, column: ColumnSchema): string {
  return `${parameter}::pg_catalog.text::${column.sourceType}`
}

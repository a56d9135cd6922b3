import type { ColumnSchema } from '@tidemark/core/adapter'
import { quoteIdentifier } from './quote.ts'
import { parseSourceType } from './source-type.ts'
import { isPrintedShort } from './type-catalogue.ts'

/**
 * A column in a select list. FLOAT is printed with six digits and DOUBLE(M,D) with D behind the point; multiplied by
 * a double 1 they are doubles, which are printed in full. `CAST(… AS DOUBLE)` would do the same since MySQL 8.0.17.
 */
export function selectExpression(column: ColumnSchema): string {
  const name = quoteIdentifier(column.name)
  return column.logicalType === 'real' && isPrintedShort(parseSourceType(column.sourceType)) ? `${name} * 1e0` : name
}

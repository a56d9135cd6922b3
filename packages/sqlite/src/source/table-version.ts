import type { TableRef } from '@tidemark/core/adapter'
import { quote } from '../quote.ts'
import { quoteText } from './quote-text.ts'

/**
 * One scalar that changes with the table: its own CREATE statement, which SQLite rewrites at every ALTER. The columns of
 * a view depend on other tables too, so a view also takes the main database's counter of all schema changes.
 */
export function versionExpression(ref: TableRef): string {
  const schema = ref.schema ?? 'main'
  const version = `CASE v.type WHEN 'view' THEN v.sql || ' /* ' || (SELECT schema_version FROM pragma_schema_version) || ' */' ELSE v.sql END`
  return `(SELECT ${version} FROM ${quote(schema)}.sqlite_master AS v WHERE v.name = ${quoteText(ref.name)} COLLATE NOCASE AND v.type IN ('table', 'view'))`
}

import type { TableRef } from '@tidemark/core/adapter'
import { quote } from '../quote.ts'
import { quoteText } from './quote-text.ts'

const COUNTER = '(SELECT schema_version FROM pragma_schema_version)'

/**
 * One scalar that changes with the table: its own CREATE statement, which SQLite rewrites at every ALTER. The columns of
 * a view depend on other tables too, so a view also takes the main database's counter of all schema changes, or on hosts that hide it, what makes all tables and views.
 */
export function versionExpression(ref: TableRef, { hidesSchemaVersion }: { readonly hidesSchemaVersion: boolean }): string {
  const schema = ref.schema ?? 'main'
  const all = `(SELECT group_concat(m.name || ' ' || ifnull(m.sql, ''), char(10)) FROM ${quote(schema)}.sqlite_master AS m WHERE m.type IN ('table', 'view'))`
  const version = `CASE v.type WHEN 'view' THEN v.sql || ' /* ' || ${hidesSchemaVersion ? all : COUNTER} || ' */' ELSE v.sql END`
  return `(SELECT ${version} FROM ${quote(schema)}.sqlite_master AS v WHERE v.name = ${quoteText(ref.name)} COLLATE NOCASE AND v.type IN ('table', 'view'))`
}

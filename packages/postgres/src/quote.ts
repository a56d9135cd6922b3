import { TidemarkError } from '@tidemark/core/adapter'
import type { TableRef } from '@tidemark/core/adapter'

/** The one place where a name becomes SQL. NUL can't be part of a PostgreSQL name. */
export function quoteIdentifier(name: string): string {
  if (name === '' || name.includes('\0')) throw new TidemarkError('CONFIG_INVALID', 'A name is empty or contains a NUL character.')
  return `"${name.replaceAll('"', '""')}"`
}

export function quoteTable(table: TableRef): string {
  const name = quoteIdentifier(table.name)
  return table.schema === undefined ? name : `${quoteIdentifier(table.schema)}.${name}`
}

/** An `E''` literal whenever a backslash is in it, so that `standard_conforming_strings` does not matter. */
export function quoteLiteral(text: string): string {
  if (text.includes('\0')) throw new TidemarkError('CONFIG_INVALID', 'A text contains a NUL character.')
  const quoted = `'${text.replaceAll("'", "''")}'`
  return quoted.includes('\\') ? `E${quoted.replaceAll('\\', '\\\\')}` : quoted
}

import { TidemarkError, type TableRef } from '@tidemark/core/adapter'
import { quote } from '../quote.ts'

/** A text as a literal, for the names that catalogue functions take. A NUL would end the statement there. */
export function quoteText(text: string): string {
  if (text.includes('\0')) throw new TidemarkError('CONFIG_INVALID', 'A name contains a NUL character.')
  return `'${text.replaceAll("'", "''")}'`
}

export function quoteTable(ref: TableRef): string {
  return `${quote(ref.schema ?? 'main')}.${quote(ref.name)}`
}

import { quote } from '../quote.ts'
import type { KeyTerm } from './exported-table.ts'

/** Compared as the key is. It is said only where the column would compare otherwise: a list of columns is looked up in an index, one of other expressions is not. */
export function collated(expression: string, { collation, isOwn }: Pick<KeyTerm, 'collation' | 'isOwn'>): string {
  return collation === undefined || isOwn ? expression : `${expression} COLLATE ${quote(collation)}`
}

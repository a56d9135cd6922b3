import { quote } from './quote.ts'

/** How the values of a column are compared where its key is. */
export interface Collation {
  /** The key's own, which may be another than the column's; `undefined`: there is none. */
  readonly collation: string | undefined
  /** Whether the column compares so by itself. */
  readonly isOwn: boolean
}

/** Compared as the key is. It is said only where the column would compare otherwise: a list of columns is looked up in an index, one of other expressions is not. */
export function collated(expression: string, { collation, isOwn }: Collation): string {
  return collation === undefined || isOwn ? expression : `${expression} COLLATE ${quote(collation)}`
}

/** A column type as the catalogue prints it, in parts: `decimal(10,2) unsigned zerofill`. */
export interface SourceType {
  /** Lower case, without modifiers: `decimal`. */
  readonly base: string
  /** Numbers in parentheses; empty for `enum` and `set`. */
  readonly sizes: readonly number[]
  readonly isUnsigned: boolean
  readonly isZerofill: boolean
}

/** Text of a type never fails to parse: what is not known is a base of its own. */
export function parseSourceType(text: string): SourceType {
  const lower = text.toLowerCase()
  const base = /^[a-z0-9_]+/u.exec(lower)?.[0] ?? lower
  // Labels of an enum may contain anything, also ` unsigned`.
  const isLabelled = base === 'enum' || base === 'set'
  const sizes = isLabelled ? undefined : /^[a-z0-9_]+\(([\d, ]+)\)/u.exec(lower)?.[1]
  const tail = isLabelled ? '' : lower.slice(base.length)
  return {
    base,
    sizes: sizes === undefined ? [] : sizes.split(',').map(Number),
    isUnsigned: /\bunsigned\b/u.test(tail),
    isZerofill: /\bzerofill\b/u.test(tail),
  }
}

/**
 * A name as a SQLite identifier. The one place where a name becomes SQL text in this package.
 * Source: sqlite.org, "SQL Language Expressions", quoted identifiers double an embedded quote.
 */
export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

export function quoteAll(names: readonly string[]): string {
  return names.map(quote).join(', ')
}

/** A literal that would make the statement longer than these hosts take, which is 100 KB. */
const LONG_LITERAL = /x'([0-9a-f]{1000,})'/g

export function bound(statement: string): { readonly sql: string; readonly bytes: readonly Uint8Array[] } {
  const bytes: Uint8Array[] = []
  const sql = statement.replace(LONG_LITERAL, (_, digits: string) => {
    bytes.push(Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)))
    return '?'
  })
  return { sql, bytes }
}

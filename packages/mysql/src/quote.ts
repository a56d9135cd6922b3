/** Names are always quoted, so that reserved words and odd characters need no list. */
export function quoteIdentifier(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``
}

export function quoteTable(ref: { readonly schema?: string | undefined; readonly name: string }): string {
  return ref.schema === undefined ? quoteIdentifier(ref.name) : `${quoteIdentifier(ref.schema)}.${quoteIdentifier(ref.name)}`
}

/**
 * A string literal that no `sql_mode` and no character set can change: hexadecimal digits with an introducer. It is
 * coerced to the collation of the column it meets, so an index on that column still serves.
 */
export function quoteText(text: string): string {
  return `_utf8mb4 X'${Buffer.from(text, 'utf8').toString('hex')}'`
}

/** A binary string literal. */
export function quoteBytes(bytes: Uint8Array): string {
  return `X'${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}'`
}

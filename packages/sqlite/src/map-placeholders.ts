const TOKEN = /'(?:[^']|'')*'|"(?:[^"]|"")*"|\?/g

/** Puts something else in the place of each `?` that stands for a value, in order. */
export function mapPlaceholders(sql: string, replacement: (index: number) => string): string {
  let index = -1
  return sql.replace(TOKEN, (token) => {
    if (token !== '?') return token
    index += 1
    return replacement(index)
  })
}

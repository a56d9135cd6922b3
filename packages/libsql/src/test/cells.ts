import { DatabaseSync } from 'node:sqlite'

export type Cell = readonly [storageClass: unknown, value: unknown]

/** Every cell with its storage class: the oracle of a copy. Reals as bytes, because two of them can print alike. */
export function cells(path: string, sql: string): readonly (readonly Cell[])[] {
  using database = new DatabaseSync(path, { readOnly: true })
  const plain = database.prepare(sql)
  const names = plain.columns().map(({ name }) => `"${name}"`)
  const statement = database.prepare(`SELECT ${names.map((name) => `typeof(${name}), ${name}`).join(', ')} FROM (${sql})`)
  statement.setReadBigInts(true)
  statement.setReturnArrays(true)
  const rows: readonly unknown[] = statement.all()
  return rows.map((row) => {
    const values = Array.isArray(row) ? row : []
    return names.map((_, index): Cell => [values[2 * index], values[2 * index + 1]])
  })
}

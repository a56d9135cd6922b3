/** One `--table`: the source's name as it was written, and the copy's where one was given. */
export interface TableOption {
  readonly source: string
  readonly target: string | undefined
}

/** `users`, `public.users`, `public.users=people`, `"odd=name"=odd`. `undefined` when a side is empty. */
export function parseTableOption(text: string): TableOption | undefined {
  const match = /^((?:"(?:[^"]|"")*"|[^"=])+)(?:=(.+))?$/s.exec(text)
  const source = match?.[1]
  return source === undefined ? undefined : { source, target: match?.[2] }
}

/** A value for all tables, or for the one it names. */
export interface ScopedValue {
  readonly table: string | undefined
  readonly value: string
}

/**
 * `updated_at` for all tables, `public.users:updated_at` for one. Only the name of a table that is being synced counts
 * as a prefix, so that a column's name may hold a colon.
 */
export function parseScoped(text: string, tables: readonly TableOption[]): ScopedValue {
  const table = tables.find(({ source }) => text.startsWith(`${source}:`) && text.length > source.length + 1)
  return table === undefined ? { table: undefined, value: text } : { table: table.source, value: text.slice(table.source.length + 1) }
}

/** The value for one table: its own before the one for all. */
export function scopedFor(table: TableOption, values: readonly ScopedValue[]): string | undefined {
  return (values.find((value) => value.table === table.source) ?? values.find((value) => value.table === undefined))?.value
}

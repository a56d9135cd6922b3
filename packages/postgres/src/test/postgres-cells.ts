import type { Cell, ColumnKind } from '@tidemark/conformance'
import type postgres from 'postgres'

/** All cells of a table as the server prints them, in the form in which the suite compares values. */
export async function postgresCells(sql: postgres.Sql, { table, columns }: { readonly table: string; readonly columns: readonly { readonly name: string; readonly kind: ColumnKind }[] }): Promise<readonly (readonly Cell[])[]> {
  const rows = await sql.unsafe(`SELECT ${columns.map(({ name, kind }) => (kind === 'timestamp' ? `to_char(${name}, 'YYYY-MM-DD"T"HH24:MI:SS.US')` : `${name}::text`)).join(', ')} FROM ${table}`).values()
  return rows.map((row) => columns.map(({ kind }, place) => cellOf(row[place] as string | null, kind)))
}

function cellOf(text: string | null, kind: ColumnKind): Cell {
  if (text === null) return 'null'
  switch (kind) {
    case 'int': case 'bigint': return `integer:${text}`
    case 'bool': return `integer:${text === 'true' ? 1 : 0}`
    case 'real': return Number.isInteger(Number(text)) ? `integer:${Number(text)}` : `real:${Number(text)}`
    case 'blob': return `blob:${text.slice(2)}`
    case 'decimal': case 'text': case 'timestamp': case 'date': return `text:${JSON.stringify(text)}`
    default: return kind satisfies never
  }
}

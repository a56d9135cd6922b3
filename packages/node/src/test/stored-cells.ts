import { DatabaseSync } from 'node:sqlite'

/** Every cell, with its type and bytes. */
export function cells(file: string, table: string): readonly unknown[] {
  const database = new DatabaseSync(file, { readOnly: true })
  const columns = database.prepare(`SELECT name FROM pragma_table_xinfo(?)`).all(table).map(({ name }) => `"${String(name).replaceAll('"', '""')}"`)
  const select = columns.map((column) => `typeof(${column}), CASE typeof(${column}) WHEN 'text' THEN hex(CAST(${column} AS BLOB)) WHEN 'real' THEN printf('%!.20g', ${column}) ELSE quote(${column}) END`)
  const statement = database.prepare(`SELECT ${select.join(', ')} FROM "${table.replaceAll('"', '""')}" ORDER BY ${columns.map((_, index) => index * 2 + 2).join(', ')}`)
  statement.setReturnArrays(true)
  const rows = statement.all()
  database.close()
  return rows
}

/** What the schema says, in the order of names. */
export function definitions(file: string): readonly unknown[] {
  const database = new DatabaseSync(file, { readOnly: true })
  const rows = database.prepare(`SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY type, name`).all()
  database.close()
  return rows
}

import { TidemarkError, type RowValues } from '@tidemark/core/adapter'

/** An entry of `sqlite_schema`. */
export interface CatalogueEntry {
  readonly type: 'table' | 'index' | 'view' | 'trigger'
  readonly name: string
  readonly table: string
  /** `null` for what the engine makes by itself. */
  readonly sql: string | null
  /** Of tables, as `pragma_table_list` says. */
  readonly kind: 'table' | 'virtual' | 'shadow' | undefined
  readonly isWithoutRowid: boolean
}

/** In the order in which things were made, so that what a thing needs comes before it. */
export const CATALOGUE_SQL = `SELECT m.type, m.name, m.tbl_name, m.sql, l.type, l.wr FROM main.sqlite_schema AS m
  LEFT JOIN pragma_table_list AS l ON m.type = 'table' AND l.schema = 'main' AND l.name = m.name ORDER BY m.rowid`

export function toEntry([type, name, table, sql, kind, isWithoutRowid]: RowValues): CatalogueEntry {
  const entry = { name: String(name), table: String(table), sql: typeof sql === 'string' ? sql : null, isWithoutRowid: Number(isWithoutRowid) === 1 }
  switch (type) {
    case 'table': return { ...entry, type, kind: kind === 'virtual' || kind === 'shadow' ? kind : 'table' }
    case 'index':
    case 'view':
    case 'trigger': return { ...entry, type, kind: undefined }
    default: throw new TidemarkError('SOURCE_FAILED', 'The schema of the source has an entry of an unknown kind.')
  }
}

/** Of the engine, of a host, or Tidemark's: nobody's data. */
export function isOwnTable(name: string): boolean {
  return /^(sqlite_|_cf_|_?(?:tmp_)?tidemark_)/i.test(name)
}

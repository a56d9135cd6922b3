/** How one column is read on both sides, so that equal values give equal texts. */
export interface CellColumn {
  readonly name: string
  /** SQL that makes PostgreSQL itself write the value in the form that the copy is to have. */
  readonly sourceSql: string
  /** What SQLite must have stored it as, where it is not NULL. */
  readonly storage: 'integer' | 'real' | 'text' | 'blob'
}

/**
 * The forms that the copy promises, written down once more and on purpose without the library: the source renders each
 * with its own functions, so a mistake in the library's codecs can't hide in the comparison.
 */
export const CELL_COLUMNS: readonly CellColumn[] = [
  { name: 'id', sourceSql: 'id::text', storage: 'integer' },
  { name: 'name', sourceSql: 'name', storage: 'text' },
  { name: 'country', sourceSql: 'country::text', storage: 'text' },
  { name: 'admin_code', sourceSql: 'admin_code', storage: 'text' },
  { name: 'municipality', sourceSql: 'municipality', storage: 'text' },
  { name: 'feature', sourceSql: 'feature::text', storage: 'text' },
  { name: 'population', sourceSql: 'population::text', storage: 'integer' },
  { name: 'is_capital', sourceSql: 'is_capital::integer::text', storage: 'integer' },
  { name: 'longitude', sourceSql: `encode(float8send(longitude), 'hex')`, storage: 'real' },
  { name: 'latitude', sourceSql: 'latitude::text', storage: 'text' },
  { name: 'names', sourceSql: 'array_to_json(names)::text', storage: 'text' },
  { name: 'location', sourceSql: 'location::text', storage: 'text' },
  { name: 'wkb', sourceSql: `encode(wkb, 'hex')`, storage: 'blob' },
  { name: 'updated_at', sourceSql: `to_char(updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`, storage: 'text' },
]

/** The table that every initial load copies, under the same name on both sides. */
export const MIXED_TABLE = 'items'

/**
 * The peer's table: the types that the values deserve, and the same key as ours, which is the rowid itself. Without the types the
 * peer would store everything as text and be measured doing less.
 */
export const MIXED_SQLITE = `create table ${MIXED_TABLE} (
  id integer primary key, quantity integer, price text, title text, updated_at text, active integer, score real, attributes text)`

import type { StoryDatabase } from './story-host.ts'

/** A table of what gets lost easily on the way: each row has one value, and says what it is. */
export const CELLS: readonly string[] = [
  'CREATE TABLE cells (id INTEGER PRIMARY KEY, label TEXT, value)',
  `INSERT INTO cells VALUES (1, 'largest integer', 9223372036854775807), (2, 'beyond 2^53', -9007199254740993), (3, 'integer', 1), (4, 'real', 1.0), (5, 'tenth', 0.1),
    (6, 'infinity', -9e999), (7, 'bytes', x'00ff'), (8, 'NUL', 'a' || char(0) || 'b'), (9, 'é😀', 'it''s; ' || char(10)), (10, NULL, NULL), (11, '', '')`,
]

/** The rows of a copy, with class, digits and bytes of every value; a double as itself, and an infinite one, which JSON has not, as text. */
export function cellsOf(database: Pick<StoryDatabase, 'rows'>, { table = 'cells', columns = ['id', 'label', 'value'] }: { readonly table?: string; readonly columns?: readonly string[] } = {}): Promise<readonly unknown[]> {
  const cells = columns.map((column, index) => `typeof("${column}") AS t${index},
    CASE WHEN typeof("${column}") <> 'real' THEN hex(CAST("${column}" AS BLOB)) WHEN abs("${column}") > 1.7e308 THEN CAST("${column}" AS TEXT) ELSE "${column}" END AS v${index}`)
  return database.rows(`SELECT ${cells.join(', ')} FROM "${table}" ORDER BY "${columns[0]}"`)
}

import { DatabaseSync } from 'node:sqlite'
import type postgres from 'postgres'
import { CELL_COLUMNS } from './cell-columns.ts'
import { TABLE } from './source-table.ts'

/** A row as texts, in the order of `CELL_COLUMNS`; the first is the key. */
export type CellRow = readonly (string | null)[]

const PAGE_ROWS = 5_000

/** The source in key order, every cell rendered by the server. */
export async function* sourceCells(sql: postgres.Sql): AsyncGenerator<readonly CellRow[]> {
  const list = CELL_COLUMNS.map(({ sourceSql }) => sourceSql).join(', ')
  yield* sql.unsafe(`select ${list} from ${TABLE} order by ${TABLE}.id`).values().cursor(PAGE_ROWS) as AsyncIterable<readonly CellRow[]>
}

/** The copy in key order, every cell with the storage class that SQLite gave it. */
export function* targetCells(path: string): Generator<CellRow> {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    const statement = database.prepare(`select ${CELL_COLUMNS.map(({ name }) => name).join(', ')} from ${TABLE} order by id`)
    statement.setReadBigInts(true)
    for (const row of statement.iterate()) yield CELL_COLUMNS.map(({ name, storage }) => cellText(row[name], storage))
  } finally {
    database.close()
  }
}

/** A value of another class than the one expected is marked, so that it can't be taken for equal: 1 is not '1'. */
function cellText(value: unknown, storage: string): string | null {
  if (value === null) return null
  if (typeof value === 'bigint') return storage === 'integer' ? String(value) : `integer ${value}`
  if (typeof value === 'string') return storage === 'text' ? value : `text ${value}`
  if (typeof value === 'number') return storage === 'real' ? doubleHex(value) : `real ${value}`
  if (value instanceof Uint8Array) return storage === 'blob' ? Buffer.from(value).toString('hex') : 'blob'
  return typeof value
}

/** All 64 bits, as PostgreSQL's `float8send` gives them. */
function doubleHex(value: number): string {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(value)
  return bytes.toString('hex')
}

import type postgres from 'postgres'

/** Changed rows of one poll. */
export const CHANGED_ROWS = 1_000

/** Changes the rows of one poll; each run takes others. */
export type Change = (table: string, run: number) => Promise<void>

/** Rows that lie together, such as the newest. */
export function neighbours(sql: postgres.Sql): Change {
  return async function together(table, run) {
    await sql`
      update ${sql(table)} set quantity = quantity + 1, updated_at = clock_timestamp()
      from (select max(id) as size from ${sql(table)}) as extent
      where id > (${run}::bigint * ${CHANGED_ROWS}::bigint) % size and id <= (${run}::bigint * ${CHANGED_ROWS}::bigint) % size + ${CHANGED_ROWS}::bigint`
  }
}

/**
 * Rows spread over the whole table. In a large one every row is on a page of its own, and so are its old index entries, so this
 * can't be flat: it shows what the pages cost, not what the polling does.
 */
export function scatter(sql: postgres.Sql): Change {
  return async function scattered(table, run) {
    await sql`
      update ${sql(table)} set quantity = quantity + 1, updated_at = clock_timestamp()
      where id in (
        select 1 + (i * step + ${run}::bigint) % size
        from (select max(id) as size, max(id) / ${CHANGED_ROWS}::bigint as step from ${sql(table)}) as extent,
          generate_series(0, ${CHANGED_ROWS - 1}::bigint) as i)`
  }
}

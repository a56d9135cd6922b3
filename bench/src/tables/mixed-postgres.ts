import type postgres from 'postgres'
import { MIXED_TABLE } from './mixed-table.ts'

/** Eight columns of mixed types, about 165 bytes a row as text, the same for the same number of rows. */
const COLUMNS = `
  id bigint primary key,
  quantity integer not null,
  price numeric(12,2) not null,
  title text not null,
  updated_at timestamptz not null,
  active boolean not null,
  score double precision not null,
  attributes jsonb not null
`
const ROWS = `
  select
    n,
    (n * 7919 % 2000003)::integer - 1000000,
    (n * 104729 % 99999999)::numeric / 100,
    'Item ' || n || ' ' || md5(n::text),
    timestamptz '2024-01-01 00:00:00Z' + n * interval '1.000123 seconds',
    n % 3 = 0,
    sqrt(n::double precision) * 1000.1,
    jsonb_build_object('sku', 'A-' || n, 'tags', jsonb_build_array('red', n % 10))
`

/** Makes and fills the table `name`. */
export async function createMixedPostgres(sql: postgres.Sql, rows: number, name: string = MIXED_TABLE): Promise<void> {
  await sql.unsafe(`create table ${name} (${COLUMNS})`)
  await sql.unsafe(`insert into ${name} ${ROWS} from generate_series(1::bigint, ${rows}::bigint) as n`)
  await sql.unsafe(`vacuum analyze ${name}`)
}

/** Fills it on, in one transaction. */
export async function insertMixedPostgres(sql: postgres.Sql, { first, last }: { readonly first: number; readonly last: number }): Promise<void> {
  await sql.unsafe(`insert into ${MIXED_TABLE} ${ROWS} from generate_series(${first}::bigint, ${last}::bigint) as n`)
}

import type { Connection } from 'mysql2/promise'
import { MIXED_TABLE } from './mixed-table.ts'

/** The columns of the PostgreSQL table; `json` is text in MariaDB and binary in MySQL. */
const CREATE = `
  create table ${MIXED_TABLE} (
    id bigint primary key,
    quantity int not null,
    price decimal(12,2) not null,
    title varchar(100) not null,
    updated_at timestamp(6) not null default current_timestamp(6),
    active boolean not null,
    score double not null,
    attributes json not null
  ) character set utf8mb4;
`
const VALUES = `
  n,
  n * 7919 % 2000003 - 1000000,
  (n * 104729 % 99999999) / 100,
  concat('Item ', n, ' ', md5(n)),
  timestamp('2024-01-01 00:00:00') + interval n * 1000123 microsecond,
  n % 3 = 0,
  sqrt(n) * 1000.1e0,
  json_object('sku', concat('A-', n), 'tags', json_array('red', n % 10))
`

/** Makes and fills the table. Numbers come from digits joined with each other: no engine's own generator is needed. */
export async function createMixedMysql(connection: Connection, rows: number): Promise<void> {
  await connection.query(`set time_zone = '+00:00'; ${CREATE}`)
  await connection.query('create temporary table digits (d int); insert into digits values (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)')
  const places = String(rows).length
  // A temporary table can be named only once in a statement, so each place has its own.
  for (let place = 0; place < places; place += 1) await connection.query(`create temporary table d${place} as select d * ${10 ** place} as v from digits`)
  const sum = Array.from({ length: places }, (_, place) => `d${place}.v`).join(' + ')
  const from = Array.from({ length: places }, (_, place) => `d${place}`).join(' cross join ')
  await connection.query(`create temporary table numbers as select 1 + ${sum} as n from ${from} having n <= ${rows}`)
  await connection.query(`insert into ${MIXED_TABLE} select ${VALUES} from numbers order by n`)
  await connection.query(`analyze table ${MIXED_TABLE}`)
}

import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type postgres from 'postgres'
import { featureCodes, type CityRow } from './city-row.ts'

export const TABLE = 'cities'

const COLUMNS = [
  'id', 'name', 'country', 'admin_code', 'municipality', 'feature', 'population', 'is_capital', 'longitude', 'latitude', 'names', 'location', 'wkb',
] as const satisfies readonly (keyof CityRow)[]

/** An ordinary table of an application: a key, columns of many types, and the time of the last change. */
const CREATE = `
  create table cities (
    id bigint primary key,
    name text not null,
    country character(2) not null,
    admin_code text,
    municipality text,
    feature feature_code not null,
    population integer not null,
    is_capital boolean not null,
    longitude double precision not null,
    latitude numeric(8,5) not null,
    names text[] not null,
    location jsonb not null,
    wkb bytea not null,
    updated_at timestamptz not null default clock_timestamp()
  );
  create index cities_updated_at on cities (updated_at, id);
`
/** Rows per chunk handed to the driver. */
const CHUNK_ROWS = 500

/** Creates the table and fills it with COPY. */
export async function createSource(sql: postgres.Sql, rows: readonly CityRow[]): Promise<void> {
  const codes = featureCodes().map((code) => `'${code}'`).join(', ')
  await sql.unsafe(`create type feature_code as enum (${codes})`)
  await sql.unsafe(CREATE)
  const copy = await sql.unsafe(`copy cities (${COLUMNS.join(', ')}) from stdin`).writable()
  await pipeline(Readable.from(copyText(rows)), copy)
  await sql`analyze cities`
}

/** Inserts rows as an application would. */
export async function insertCities(sql: postgres.Sql | postgres.TransactionSql, rows: readonly CityRow[]): Promise<void> {
  const values = rows.map((row) => ({
    ...row, names: [...row.names], location: sql.json({ type: row.location.type, coordinates: [...row.location.coordinates] }), wkb: Buffer.from(row.wkb),
  }))
  await sql`insert into cities ${sql(values, ...COLUMNS)}`
}

function* copyText(rows: readonly CityRow[]): Generator<string> {
  for (let start = 0; start < rows.length; start += CHUNK_ROWS) {
    const lines = rows.slice(start, start + CHUNK_ROWS).map((row) => COLUMNS.map((column) => cellText(row[column])).join('\t'))
    yield `${lines.join('\n')}\n`
  }
}

function cellText(value: CityRow[keyof CityRow]): string {
  if (value === null) return '\\N'
  if (value instanceof Uint8Array) return `\\\\x${Buffer.from(value).toString('hex')}`
  if (Array.isArray(value)) return escapeCopy(`{${value.map(arrayElement).join(',')}}`)
  return escapeCopy(typeof value === 'object' ? JSON.stringify(value) : String(value))
}

function arrayElement(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`
}

/** COPY's text format: backslash, tab, newline and carriage return are escaped (PostgreSQL manual, "COPY"). */
function escapeCopy(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\t', '\\t').replaceAll('\n', '\\n').replaceAll('\r', '\\r')
}

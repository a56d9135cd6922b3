import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Exporter, Importer, verifyDump, type ExportRequest, type ExportStatus } from '@tidemark/core'
import { memoryStateStore } from '@tidemark/core/testing'
import { mysqlSource } from '@tidemark/mysql'
import { fsStorage, nodeSqlite } from '@tidemark/node'
import type { TestDatabase } from '@tidemark/test-servers'
import { mysqlForTests } from '@tidemark/test-servers/vitest'
import { createConnection } from 'mysql2/promise'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cityRows, featureCodes, type CityRow } from './city-row.ts'

const rows = cityRows()
const ROWS_PER_INSERT = 2_000

let database: TestDatabase
let copy: TestDatabase
let folder: string

beforeAll(async () => {
  const server = await mysqlForTests()
  const name = `tidemark_cities_${randomBytes(6).toString('hex')}`
  database = await server.createDatabase(name)
  copy = await server.createDatabase(`${name}_copy`)
  folder = mkdtempSync(join(tmpdir(), 'tidemark-cities-'))
  await fill(database.url)
})
afterAll(async () => {
  await database[Symbol.asyncDispose]()
  await copy[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

async function fill(url: string): Promise<void> {
  const writer = await createConnection({ uri: url, charset: 'utf8mb4' })
  await writer.query(`CREATE TABLE cities (id BIGINT PRIMARY KEY, name TEXT NOT NULL, country CHAR(2) NOT NULL, admin_code TEXT, municipality TEXT, feature ENUM(${featureCodes().map((code) => `'${code}'`).join(', ')}) NOT NULL,
    population INT UNSIGNED NOT NULL, is_capital BOOLEAN NOT NULL, longitude DOUBLE NOT NULL, latitude DECIMAL(8, 5) NOT NULL, names TEXT NOT NULL, location TEXT NOT NULL, wkb BLOB NOT NULL, KEY by_country (country)) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4`)
  for (let at = 0; at < rows.length; at += ROWS_PER_INSERT) await writer.query('INSERT INTO cities VALUES ?', [rows.slice(at, at + ROWS_PER_INSERT).map(stored)])
  await writer.end()
}

function stored(row: CityRow): readonly unknown[] {
  return [...common(row), Buffer.from(row.wkb)]
}

/** All columns but the last as MySQL and SQLite both give them. */
function common({ id, name, country, admin_code, municipality, feature, population, is_capital, longitude, latitude, names, location }: CityRow): readonly unknown[] {
  return [id, name, country, admin_code, municipality, feature, population, Number(is_capital), longitude, latitude, JSON.stringify(names), JSON.stringify(location)]
}

async function dump(request: ExportRequest): Promise<ExportStatus> {
  await using exporter = new Exporter({ source: mysqlSource({ url: database.url }), storage: fsStorage(join(folder, 'dumps')), state: memoryStateStore() })
  const { id } = await exporter.start({ fileName: 'dump', ...request })
  return exporter.finish(id)
}

const storage = (): ReturnType<typeof fsStorage> => fsStorage(join(folder, 'dumps'))

test('all cities go from MySQL through its shell into another, with the same bytes again', async () => {
  const { exportId, key, totalRowsExported } = await dump({})
  expect(totalRowsExported).toBe(rows.length)
  const { hostname, port, username, password, pathname } = new URL(copy.url)
  execFileSync('mysql', ['--protocol=tcp', '-h', hostname, '-P', port, '-u', decodeURIComponent(username), '--skip-ssl', pathname.slice(1)], {
    env: { ...process.env, MYSQL_PWD: decodeURIComponent(password) }, input: readFileSync(join(folder, 'dumps', key ?? '')), stdio: ['pipe', 'ignore', 'pipe'],
  })
  await expect(verifyDump({ storage: storage(), id: exportId, mode: 'deep', against: mysqlSource({ url: copy.url }) })).resolves.toMatchObject({ ok: true, findings: [] })
})

test('they go into SQLite as rows, equal in every cell', async () => {
  const { exportId } = await dump({ format: 'ndjson', layout: 'directory', compression: 'gzip' })
  const path = join(folder, 'cities.db')
  await new Importer({ source: storage(), target: nodeSqlite({ path }) }).load(exportId)
  using target = new DatabaseSync(path, { readOnly: true })
  const statement = target.prepare('SELECT * FROM cities ORDER BY id')
  statement.setReturnArrays(true)
  const found: unknown[][] = statement.all().map((row) => Object.values(row))
  const expected = rows.toSorted((a, b) => a.id - b.id)
  expect(found).toHaveLength(expected.length)
  for (const [index, row] of expected.entries()) {
    const cells = found[index] ?? []
    expect(cells.slice(0, -1)).toEqual(common(row))
    expect(Buffer.from(row.wkb).equals(cells.at(-1) as Uint8Array)).toBe(true) // a blob
  }
})

import type { Cursor, Mark, ReadRowsRequest, RowPage, SourceConnection, TableSchema } from '@tidemark/core/adapter'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import postgres from 'postgres'
import { postgresSource } from './postgres-source.ts'
import { readStream } from './test/read-stream.ts'
import { useTestDatabase } from './test/test-database.ts'

const database = await useTestDatabase('read')
let connection: SourceConnection

beforeAll(async () => {
  connection = await postgresSource({ url: database.url }).connect()
})
afterAll(() => connection[Symbol.asyncDispose]())

const describeTable = (name: string): Promise<TableSchema> => connection.describeTable({ schema: 'public', name })

async function table(name: string, body: string, rows = ''): Promise<TableSchema> {
  await database.execute(`DROP TABLE IF EXISTS ${name}; CREATE TABLE ${name} (${body}); ${rows === '' ? '' : `INSERT INTO ${name} ${rows}`}`)
  return describeTable(name)
}

/** Pages to the end and gives the first cell of every row. */
async function readAll(request: ReadRowsRequest): Promise<unknown[]> {
  const cells: unknown[] = []
  for (let after = request.after; ;) {
    const page: RowPage = await connection.readRows({ ...request, after })
    if (page.last === undefined) return cells
    cells.push(...page.rows.map(([cell]) => cell))
    after = page.last
  }
}

function mark(cursor: Cursor, fence: string): Mark {
  return { cursor, fence, readAtMs: 0 }
}

describe('describeTable', () => {
  it('describes columns, key and indexes', async () => {
    await database.execute(`
      CREATE TABLE described (b int, a bigint, dropped int, name varchar(20) NOT NULL, total int GENERATED ALWAYS AS (b * 2) STORED, PRIMARY KEY (a, b));
      ALTER TABLE described DROP COLUMN dropped; ALTER TABLE described ADD COLUMN later int;
      CREATE UNIQUE INDEX ON described (name) INCLUDE (later); CREATE INDEX ON described (later, name);
      CREATE INDEX ON described (lower(name)); CREATE INDEX ON described (later) WHERE later > 0; CREATE INDEX ON described USING hash (name)`)
    const schema = await describeTable('described')
    expect(schema.columns.map(({ name, ordinal, nullable, sourceType }) => [name, ordinal, nullable, sourceType])).toEqual([
      ['b', 1, false, 'integer'], ['a', 2, false, 'bigint'], ['name', 4, false, 'character varying(20)'], ['total', 5, true, 'integer'], ['later', 6, true, 'integer'],
    ])
    expect(schema).toMatchObject({ kind: 'table', key: ['a', 'b'], indexes: [{ columns: ['name'], unique: true }, { columns: ['later', 'name'], unique: false }] })
  })

  it('changes its version with the table and only then', async () => {
    const first = await table('versioned', 'id int PRIMARY KEY, n int')
    const versions = [first.version]
    for (const change of ['ADD COLUMN m int', 'ALTER COLUMN n TYPE bigint', 'ALTER COLUMN m SET NOT NULL', 'RENAME COLUMN m TO k', 'DROP COLUMN k', 'DROP CONSTRAINT versioned_pkey', 'ADD PRIMARY KEY (id, n)']) {
      await database.execute(`ALTER TABLE versioned ${change}`)
      const { version } = await describeTable('versioned')
      const page = await connection.readRows({ table: first, columns: [], key: ['id'], limit: 1 })
      expect(page.schemaVersion).toBe(version)
      versions.push(version)
    }
    expect(new Set(versions).size).toBe(versions.length)
    await database.execute('INSERT INTO versioned VALUES (1, 1); CREATE INDEX ON versioned (n); ANALYZE versioned')
    expect((await describeTable('versioned')).version).toBe(versions.at(-1))
  })

  it('reads views, partitioned tables and odd names', async () => {
    await database.execute(`
      CREATE TABLE parts (id int PRIMARY KEY, n int) PARTITION BY RANGE (id);
      CREATE TABLE parts_a PARTITION OF parts FOR VALUES FROM (0) TO (100); CREATE TABLE parts_b PARTITION OF parts FOR VALUES FROM (100) TO (200);
      INSERT INTO parts SELECT i, i FROM generate_series(0, 199) i; ANALYZE parts;
      CREATE VIEW seen AS SELECT * FROM parts; CREATE SCHEMA "odd.schema"; CREATE TABLE "odd.schema"."a""b; --" ("or""der" int PRIMARY KEY, "Ünï" int);
      INSERT INTO "odd.schema"."a""b; --" VALUES (1, 2)`)
    expect(await describeTable('parts')).toMatchObject({ kind: 'table', key: ['id'], estimatedRows: 200 })
    expect(await describeTable('seen')).toMatchObject({ kind: 'view', key: [], estimatedRows: undefined })
    const odd = await connection.describeTable(postgresSource({ url: database.url }).parseTable('"odd.schema"."a""b; --"'))
    const request = { table: odd, columns: odd.columns, key: odd.key }
    expect((await connection.readRows({ ...request, limit: 5 })).rows).toEqual([[1, 2]])
    expect(await connection.readRowsByKey({ ...request, keys: [[1]] })).toEqual([[1, 2]])
    const stream = await connection.streamRows?.(request)
    expect(stream === undefined ? undefined : (await readStream(stream)).rows).toEqual([[1, 2]])
  })

  it('refuses what it can\'t describe', async () => {
    await database.execute(`CREATE TABLE secret_table (id int PRIMARY KEY); DROP ROLE IF EXISTS ${database.name}_reader; CREATE ROLE ${database.name}_reader LOGIN PASSWORD 'reader'`)
    await expect(describeTable('nothing_here')).rejects.toMatchObject({ code: 'TABLE_UNKNOWN' })
    const ref = { schema: 'public', name: 'parts' }
    await expect(connection.describeTable(ref, { overrides: { nope: {} } })).rejects.toMatchObject({ code: 'COLUMN_UNKNOWN' })
    await expect(connection.describeTable(ref, { overrides: { n: { type: 'uuid' } } })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    const url = new URL(database.url)
    url.username = `${database.name}_reader`
    url.password = 'reader'
    const reader = await postgresSource({ url: url.href }).connect()
    try {
      await expect(reader.describeTable({ schema: 'public', name: 'secret_table' })).rejects.toMatchObject({ code: 'SOURCE_PERMISSION_DENIED' })
      const schema = await describeTable('secret_table')
      const request = { table: schema, columns: schema.columns, key: ['id'] }
      await expect(reader.readRows({ ...request, limit: 1 })).rejects.toMatchObject({ code: 'SOURCE_PERMISSION_DENIED' })
      await expect(reader.streamRows?.(request)).rejects.toMatchObject({ code: 'SOURCE_PERMISSION_DENIED' })
      await database.execute(`GRANT SELECT ON secret_table TO ${database.name}_reader; ALTER TABLE secret_table ENABLE ROW LEVEL SECURITY`)
      // A policy would silently leave rows out: the read must stop instead.
      await expect(reader.readRows({ ...request, limit: 1 })).rejects.toMatchObject({ code: 'SOURCE_PERMISSION_DENIED' })
      expect(await reader.diagnose?.({ table: schema, tracking: undefined })).toMatchObject([{ id: 'row-security' }])
    } finally {
      await reader[Symbol.asyncDispose]()
      await database.execute(`DROP TABLE secret_table; DROP ROLE ${database.name}_reader`)
    }
  })
})

describe('readRows', () => {
  const keys: readonly (readonly [type: string, values: string])[] = [
    ['bigint', '(-9223372036854775808), (0), (9007199254740993), (9223372036854775807)'],
    ['numeric', '(\'-Infinity\'), (-1.5), (0.00000000000000000001), (12345678901234567890.5), (\'Infinity\'), (\'NaN\')'],
    ['float8', '(\'-Infinity\'), (0.1), (0.30000000000000004), (\'Infinity\'), (\'NaN\')'],
    ['text', '(\'\'), (\'B\'), (\'a\'), (\'a b\'), (\'ä"\\{}\'), (\'NULL\'), (E\'\\t\')'],
    ['char(4)', '(\'\'), (\'a\'), (\'ab\')'],
    ['citext', '(\'a\'), (\'B\'), (\'c\')'],
    ['uuid', '(\'00000000-0000-0000-0000-000000000001\'), (\'ffffffff-0000-0000-0000-000000000001\')'],
    ['bytea', '(\'\\x\'), (\'\\x00\'), (\'\\x0001\'), (\'\\xff5c\')'],
    ['timestamptz', '(\'-infinity\'), (\'0044-03-15 12:00:00Z BC\'), (\'2024-01-02 03:04:05.000001Z\'), (\'2024-01-02 03:04:05.000002Z\'), (\'infinity\')'],
    ['timestamp', '(\'2024-01-02 03:04:05.000001\'), (\'2024-01-02 03:04:05.000002\')'],
    ['date', '(\'-infinity\'), (\'2024-01-02\'), (\'infinity\')'],
    ['interval', '(\'1 day\'), (\'1 mon\'), (\'1 year 00:00:00.000001\')'],
    ['bool', '(false), (true)'],
    ['inet', '(\'10.0.0.1\'), (\'::1\')'],
    ['mood', '(\'later\'), (\'earlier\')'],
    ['bit(3)', '(B\'001\'), (B\'100\')'],
    ['positive', '(1), (2)'],
    ['money', '(\'1.50\'), (\'2.50\')'],
    ['int4[]', '(\'{}\'), (\'{1}\'), (\'{1,NULL}\')'],
    ['jsonb', '(\'1\'), (\'2\'), (\'{"a":1}\')'],
  ]

  beforeAll(() => database.execute('CREATE EXTENSION citext; CREATE TYPE mood AS ENUM (\'later\', \'earlier\'); CREATE DOMAIN positive AS int CHECK (VALUE > 0)'))

  it.each(keys)('goes on after every %s key, as key and as tracking value', async (type, values) => {
    await database.execute(`DROP TABLE IF EXISTS keyed; CREATE TABLE keyed (k ${type} PRIMARY KEY, n int GENERATED ALWAYS AS IDENTITY); INSERT INTO keyed (k) VALUES ${values}`)
    const schema = await connection.describeTable({ schema: 'public', name: 'keyed' }, { overrides: { k: { onUnrepresentable: 'text' } } })
    const n = schema.columns.slice(1)
    const inOrder = (await database.execute('SELECT n FROM keyed ORDER BY k')).map((row) => (row as { n: number }).n)
    expect(inOrder.length).toBeGreaterThan(1)
    const request = { table: schema, columns: n, key: ['k'], limit: 1 }
    expect(await readAll(request)).toEqual(inOrder)
    expect(await readAll({ ...request, key: ['n'], tracking: 'k' })).toEqual(inOrder)
    // The same cursor serves the stream, which takes it as a literal.
    const page = await connection.readRows(request)
    const stream = await connection.streamRows?.({ ...request, after: page.last })
    expect(stream === undefined ? undefined : (await readStream(stream)).rows.map(([cell]) => cell)).toEqual(inOrder.slice(1))
  })

  it.each(keys.filter(([type]) => type !== 'int4[]'))('finds rows by %s keys as they are stored', async (type, values) => {
    await database.execute(`DROP TABLE IF EXISTS keyed; CREATE TABLE keyed (k ${type} PRIMARY KEY, n int GENERATED ALWAYS AS IDENTITY); INSERT INTO keyed (k) VALUES ${values}`)
    const schema = await connection.describeTable({ schema: 'public', name: 'keyed' }, { overrides: { k: { onUnrepresentable: 'text' } } })
    const all = (await connection.readRows({ table: schema, columns: schema.columns, key: ['k'], limit: 100 })).rows
    const request = { table: schema, columns: schema.columns, keys: all }
    const sorted = (rows: readonly (readonly unknown[])[]): unknown[] => rows.map((row) => row.map(String).join()).toSorted()
    expect(sorted(await connection.readRowsByKey({ ...request, key: ['k'] }))).toEqual(sorted(all))
    expect(sorted(await connection.readRowsByKey({ ...request, key: ['k', 'n'] }))).toEqual(sorted(all))
  })

  it('finds rows by keys that are stored otherwise', async () => {
    const ref = { schema: 'public', name: 'stored_otherwise' }
    await database.execute(`CREATE TABLE stored_otherwise (u uuid, t timestamptz, s numeric(10,3), PRIMARY KEY (u, t, s));
      INSERT INTO stored_otherwise VALUES ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '1969-12-31 23:59:59.999999Z', -0.005), ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12', '0044-03-15 BC', 12.5)`)
    const schema = await connection.describeTable(ref, { overrides: { u: { type: 'uuid-blob' }, t: { type: 'epoch-us' }, s: { type: 'scaled' } } })
    const { rows } = await connection.readRows({ table: schema, columns: schema.columns, key: schema.key, limit: 10 })
    expect(rows.map((row) => row[2])).toEqual([-5, 12_500])
    for (const key of [['u'], ['t'], ['s'], schema.key]) {
      const keys = rows.map((row) => key.map((name) => row[schema.columns.findIndex((column) => column.name === name)] ?? null))
      expect(await connection.readRowsByKey({ table: schema, columns: schema.columns, key, keys })).toEqual(rows)
    }
  })

  it('pages through ties without loss or repetition', async () => {
    const schema = await table('ties', 'id int, part text, at timestamptz(0) NOT NULL, PRIMARY KEY (part, id)', 'SELECT i, \'p\' || i % 3, \'2024-01-01\'::timestamptz + (i / 40) * interval \'1 s\' FROM generate_series(1, 200) i')
    const columns = schema.columns.filter((column) => column.name === 'id')
    const ids = await readAll({ table: schema, columns, key: schema.key, tracking: 'at', limit: 7 })
    const inOrder = (await database.execute('SELECT id FROM ties ORDER BY at, part, id')).map((row) => (row as { id: number }).id)
    expect(ids).toEqual(inOrder)
  })

  it('reads NULL tracking values apart', async () => {
    const schema = await table('nullable', 'id int PRIMARY KEY, at timestamptz', 'SELECT i, CASE WHEN i % 2 = 0 THEN \'2024-01-01\'::timestamptz + i * interval \'1 s\' END FROM generate_series(1, 10) i')
    const request = { table: schema, columns: schema.columns.slice(0, 1), key: ['id'], tracking: 'at', limit: 2 }
    expect(await readAll(request)).toEqual([2, 4, 6, 8, 10])
    expect(await readAll({ ...request, nullTracking: true })).toEqual([1, 3, 5, 7, 9])
    expect((await connection.readRows(request)).hasNullTracking).toBe(true)
    expect(await connection.readHighMark(request)).toMatchObject({ cursor: { key: ['10'] }, hasNullTracking: true })
    await database.execute('DELETE FROM nullable WHERE at IS NULL')
    expect((await connection.readRows(request)).hasNullTracking).toBe(false)
  })

  it('tells a cursor above every row', async () => {
    const schema = await table('shrinking', 'id int PRIMARY KEY, v int NOT NULL', 'SELECT i, i FROM generate_series(1, 10) i')
    const request = { table: schema, columns: schema.columns, key: ['id'], tracking: 'v', limit: 100 }
    const { last } = await connection.readRows(request)
    expect(await connection.readRows({ ...request, after: last })).toMatchObject({ rows: [], last: undefined, cursorAhead: false })
    await database.execute('DELETE FROM shrinking WHERE id > 5')
    expect(await connection.readRows({ ...request, after: last })).toMatchObject({ rows: [], cursorAhead: true })
    expect(await connection.readRows({ ...request, tracking: undefined, after: { key: ['10'] } })).toMatchObject({ cursorAhead: true })
    expect(await connection.readRows(request)).toMatchObject({ cursorAhead: false })
    await database.execute('DELETE FROM shrinking')
    expect(await connection.readRows({ ...request, after: last })).toMatchObject({ cursorAhead: true })
  })

  it('settles a mark only when what was open then has ended', async () => {
    const schema = await table('late', 'id int PRIMARY KEY, v int NOT NULL', 'VALUES (1, 1)')
    const request = { table: schema, columns: schema.columns, key: ['id'], tracking: 'v', limit: 100 }
    const writer = postgres(database.url, { max: 1 })
    try {
      await writer.unsafe('BEGIN; INSERT INTO late VALUES (2, 2)')
      await database.execute('INSERT INTO late VALUES (3, 3)')
      const first = await connection.readRows(request)
      expect(first.rows).toEqual([[1, 1], [3, 3]])
      const marks = [mark(first.last ?? { key: [] }, first.fence)]
      expect((await connection.readRows({ ...request, marks })).settledMarks).toBe(0)
      const open = await connection.streamRows?.({ ...request, after: undefined })
      expect(marks.map((each) => open?.settles(each))).toEqual([false])
      await open?.[Symbol.asyncDispose]()
      await writer.unsafe('COMMIT')
      const second = await connection.readRows({ ...request, marks })
      expect(second).toMatchObject({ settledMarks: 1, rows: [[1, 1], [2, 2], [3, 3]] })
    } finally {
      await writer.end()
    }
  })

  it('recognises a server that was set back', async () => {
    const schema = await table('rewound', 'id int PRIMARY KEY', 'VALUES (1)')
    const request = { table: schema, columns: schema.columns, key: ['id'], limit: 100 }
    const marks = [mark({ key: ['1'] }, '9000000000000000:9000000000000000')]
    await expect(connection.readRows({ ...request, marks })).rejects.toMatchObject({ code: 'SOURCE_REWOUND' })
    await expect(connection.readRows({ ...request, marks: [mark({ key: ['1'] }, 'nonsense')] })).rejects.toMatchObject({ code: 'STATE_CORRUPT' })
  })

  it('gives head and no cursor for an empty table', async () => {
    const schema = await table('empty_table', 'id int PRIMARY KEY, v int')
    const request = { table: schema, columns: schema.columns, key: ['id'], tracking: 'v' }
    expect(await connection.readRows({ ...request, limit: 10 })).toMatchObject({ rows: [], last: undefined, settledMarks: 0, hasNullTracking: false, cursorAhead: false, schemaVersion: schema.version })
    expect(await connection.readHighMark(request)).toMatchObject({ cursor: undefined })
  })

  it('refuses a key that holds a NULL', async () => {
    const schema = await table('null_key', 'id int, v int', 'VALUES (NULL, 1)')
    const request = { table: schema, columns: schema.columns, key: ['id'] }
    await expect(connection.readRows({ ...request, limit: 10 })).rejects.toMatchObject({ code: 'KEY_REQUIRED' })
  })
})

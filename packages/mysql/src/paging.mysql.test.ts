import { afterAll, beforeAll, describe as group, expect, it } from 'vitest'
import type { Cursor, RowValues, TableSchema } from '@tidemark/core/adapter'
import type { MysqlSourceConnection } from './mysql-source-connection.ts'
import { RowCollector } from './row-collector.ts'
import { mysqlSource } from './mysql-source.ts'
import { describe, openTestDatabase, type TestDatabase } from './test/test-database.ts'

let database: TestDatabase
let source: MysqlSourceConnection

beforeAll(async () => {
  database = await openTestDatabase()
  source = await database.connectSource()
})

afterAll(async () => {
  await database[Symbol.asyncDispose]()
})

interface Walk {
  readonly key: readonly string[]
  readonly tracking?: string | undefined
  readonly nullTracking?: boolean | undefined
}

/** Every row by pages of `limit`, each cursor written to text and read back as a stored one would be. */
async function walk(table: TableSchema, order: Walk, limit: number): Promise<readonly RowValues[]> {
  const rows: RowValues[] = []
  for (let after: Cursor | undefined, isLast = false; !isLast;) {
    const page = await source.readRows({ table, columns: table.columns, ...order, after, limit })
    rows.push(...page.rows)
    isLast = page.isLast
    after = page.last === undefined ? after : JSON.parse(JSON.stringify(page.last)) as Cursor // Written a line above.
    expect(rows.length).toBeLessThan(1000)
  }
  return rows
}

async function streamed(table: TableSchema, key: readonly string[], after?: Cursor): Promise<readonly RowValues[]> {
  const sink = new RowCollector(table.columns.length)
  const stream = await source.streamRows({ table, columns: table.columns, key, after })
  for await (const chunk of stream) stream.decoder.push(chunk, sink)
  stream.decoder.end()
  return sink.rows
}

const KEYS: readonly (readonly [type: string, ...values: readonly string[]])[] = [
  ['BIGINT UNSIGNED', '0', '1', '9223372036854775807', '9223372036854775806'],
  ['INT', '-5', '0', '7', '-6'],
  ['DECIMAL(30,10)', '-1.5', '0.0000000001', '12345678901234567890.0000000001', '12345678901234567890'],
  ['DOUBLE', '0.1', '0.30000000000000004', '-1e300', '5e-324', '1e15'],
  ['FLOAT', '0.1', '0.2', '16777216', '-0.3'],
  ['VARCHAR(20)', '\'a\'', '\'B\'', '\'\'', '\'é\'', '\'it\'\'s?\'', '0x6100', '\'_\'', '\'😀\''],
  ['VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_swedish_ci', '\'a\'', '\'é\'', '\'z\'', '\'ß\'', '\'ü\''],
  ['CHAR(5) COLLATE utf8mb4_bin', '\'a\'', '\'A\'', '\'b\'', '\'ä\''],
  ['VARBINARY(20)', '0x00', '0x0000', '\'\'', '0xFF27', '0x5C'],
  ['BINARY(3)', '0x00', '0x01', '0xFFFFFF'],
  ['DATE', '\'0000-00-00\'', '\'2024-00-15\'', '\'2024-01-01\''],
  ['DATETIME(6)', '\'0000-00-00\'', '\'2024-01-01 00:00:00.000001\'', '\'2024-01-01 00:00:00.000002\'', '\'2024-01-01\''],
  ['TIMESTAMP(3)', '\'2024-03-31 01:30:00.001\'', '\'2024-03-31 02:30:00.002\'', '\'2024-10-27 01:30:00\''],
  ['TIME(2)', '\'-838:59:59\'', '\'-00:00:00.01\'', '\'100:00:00\'', '\'09:00:00\''],
  ['YEAR', '0', '1999', '2155'],
  ['ENUM(\'z\',\'a\',\'m\')', '\'z\'', '\'a\'', '\'m\''],
  ['SET(\'z\',\'a\')', '\'\'', '\'z\'', '\'a\'', '\'z,a\''],
  ['BIT(40)', '0', '1', '0xFFFFFFFFFF'],
]

group('order by cursor', () => {
  it.each(KEYS)('%s', async (type, ...values) => {
    await database.writer.query(`DROP TABLE IF EXISTS k; CREATE TABLE k (k ${type} NOT NULL, k2 INT, v INT, PRIMARY KEY (k, k2))`)
    await database.writer.query(`INSERT INTO k VALUES ${values.flatMap((value, i) => [1, 2].map((second) => `(${value}, ${second}, ${i * 10 + second})`)).join(', ')}`)
    const [truth] = await database.writer.query({ sql: 'SELECT v FROM k ORDER BY k, k2', rowsAsArray: true })
    const expected = (truth as unknown as readonly (readonly [number])[]).map(([v]) => v)
    expect(expected).toHaveLength(values.length * 2)
    const table = await describe(database, source, 'k')
    const all = await walk(table, { key: ['k', 'k2'] }, 100)
    expect(all.map((row) => row[2])).toEqual(expected)
    expect(await walk(table, { key: ['k', 'k2'] }, 1)).toEqual(all)
    // The same column as a tracking column, ties broken by another key.
    if (type !== 'FLOAT') {
      const tracked = await walk(table, { key: ['v'], tracking: 'k' }, 1)
      expect(tracked.map((row) => row[2])).toEqual(expected)
    }
    expect(await streamed(table, ['k', 'k2'])).toEqual(all)
    const second = (await source.readRows({ table, columns: [], key: ['k', 'k2'], limit: 2 })).last
    expect(await streamed(table, ['k', 'k2'], second)).toEqual(all.slice(2))
    // And back again from the stored form.
    expect(await source.readRowsByKey({ table, columns: table.columns, key: ['k', 'k2'], keys: all.map((row) => row.slice(0, 2)) })).toHaveLength(all.length)
  })

  it.each(['LONGTEXT', 'TEXT COLLATE utf8mb4_unicode_ci', 'TINYTEXT CHARACTER SET latin1', 'VARCHAR(40)', 'LONGBLOB'])('%s without an index, around the empty value and the blank', async (type) => {
    await database.writer.query(`DROP TABLE IF EXISTS w; CREATE TABLE w (id INT PRIMARY KEY, w ${type} NOT NULL)`)
    await database.writer.query('INSERT INTO w VALUES (9, \'\'), (8, X\'09\'), (7, \' lead\'), (6, \'a\'), (5, X\'6109\'), (4, \'a b\'), (3, X\'01\'), (2, X\'00\'), (1, \'\')')
    const table = await describe(database, source, 'w')
    const all = await walk(table, { key: ['id'], tracking: 'w' }, 100)
    expect(all).toHaveLength(9)
    for (const limit of [1, 2, 3]) expect(await walk(table, { key: ['id'], tracking: 'w' }, limit)).toEqual(all)
    expect((await source.readHighMark({ table, key: ['id'], tracking: 'w' })).cursor?.key).toEqual([String(all.at(-1)?.[0])])
  })

  it.each(['LONGTEXT', 'VARCHAR(3000)', 'LONGTEXT COLLATE utf8mb4_unicode_ci', 'VARCHAR(3000) COLLATE utf8mb4_bin', 'TEXT CHARACTER SET latin1', 'LONGBLOB', 'VARBINARY(3000)'])('%s: long values that the server can\'t tell apart while sorting are refused, others are not', async (type) => {
    await database.writer.query(`DROP TABLE IF EXISTS l; CREATE TABLE l (id INT PRIMARY KEY, w ${type} NOT NULL)`)
    await database.writer.query('INSERT INTO l VALUES (1, CONCAT(\'b\', REPEAT(\'x\', 2000))), (2, CONCAT(\'a\', REPEAT(\'x\', 2000))), (3, \'\')')
    const table = await describe(database, source, 'l')
    const order = { key: ['id'], tracking: 'w' }
    expect((await walk(table, order, 1)).map(([id]) => id)).toEqual([3, 2, 1])
    await database.writer.query('INSERT INTO l VALUES (4, CONCAT(\'a\', REPEAT(\'x\', 1999), \'w\')), (5, CONCAT(\'a\', REPEAT(\'x\', 3)))')
    await expect(walk(table, order, 1)).rejects.toMatchObject({ code: 'CONFIG_INVALID', issues: [{ path: 'columns.w' }] })
    // A page that ends elsewhere loses none of them.
    expect(await walk(table, order, 5)).toHaveLength(5)
    const long = `a${'x'.repeat(2000)}`
    const cursor = { key: [type.endsWith('BLOB') || type.startsWith('VARBINARY') ? Buffer.from(long).toString('hex') : long] }
    await expect(streamed(table, ['w'], cursor)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })

  it('refuses a FLOAT to track and a type without order', async () => {
    await database.writer.query('CREATE TABLE f (id INT PRIMARY KEY, f FLOAT NOT NULL, g GEOMETRY NOT NULL)')
    const table = await describe(database, source, 'f')
    for (const tracking of ['f', 'g']) {
      await expect(source.readRows({ table, columns: table.columns, key: ['id'], tracking, limit: 1 })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    }
  })

  it('refuses a cursor that was tampered with', async () => {
    await database.writer.query('CREATE TABLE c (id INT PRIMARY KEY)')
    const table = await describe(database, source, 'c')
    for (const key of [['1 OR 1=1'], ['1', '2'], ['']]) {
      await expect(source.readRows({ table, columns: table.columns, key: ['id'], after: { key }, limit: 1 })).rejects.toMatchObject({ code: 'STATE_CORRUPT' })
    }
  })
})

group('what a page tells', () => {
  it('NULL tracking values are counted out, flagged, and read by their own pass', async () => {
    await database.writer.query('CREATE TABLE n (id INT PRIMARY KEY, at INT, KEY (at)); INSERT INTO n VALUES (1, NULL), (2, 5), (3, NULL), (4, 1)')
    const table = await describe(database, source, 'n')
    const page = await source.readRows({ table, columns: table.columns, key: ['id'], tracking: 'at', limit: 10 })
    expect(page).toMatchObject({ rows: [[4, 1], [2, 5]], hasNullTracking: true, isLast: true, last: { tracking: '5', key: ['2'] } })
    expect(await walk(table, { key: ['id'], tracking: 'at', nullTracking: true }, 1)).toEqual([[1, null], [3, null]])
    expect(await source.readHighMark({ table, key: ['id'], tracking: 'at' })).toMatchObject({ cursor: { tracking: '5', key: ['2'] }, hasNullTracking: true })
    await database.writer.query('DELETE FROM n WHERE at IS NULL')
    expect(await source.readRows({ table, columns: table.columns, key: ['id'], tracking: 'at', limit: 10 })).toMatchObject({ hasNullTracking: false })
  })

  it('an empty table has a page without rows, a version and no high mark', async () => {
    await database.writer.query('CREATE TABLE e (id INT PRIMARY KEY)')
    const table = await describe(database, source, 'e')
    expect(await source.readRows({ table, columns: table.columns, key: ['id'], limit: 10 }))
      .toMatchObject({ rows: [], last: undefined, isLast: true, schemaVersion: table.version, cursorAhead: false })
    expect(await source.readHighMark({ table, key: ['id'], tracking: 'id' })).toMatchObject({ cursor: undefined, hasNullTracking: false })
    expect(await streamed(table, ['id'])).toEqual([])
  })

  it('a cursor above every row is seen', async () => {
    await database.writer.query('CREATE TABLE a (id INT PRIMARY KEY, at INT NOT NULL, KEY (at)); INSERT INTO a VALUES (1, 10), (2, 20)')
    const table = await describe(database, source, 'a')
    const ahead = async (tracking: string): Promise<boolean> =>
      (await source.readRows({ table, columns: table.columns, key: ['id'], tracking: 'at', after: { tracking, key: ['2'] }, limit: 1 })).cursorAhead
    expect(await ahead('20')).toBe(false)
    expect(await ahead('21')).toBe(true)
    expect(await ahead('1')).toBe(false)
  })

  it.each([
    'ADD COLUMN w INT', 'MODIFY v BIGINT', 'MODIFY v INT NOT NULL', 'CHANGE v w INT', 'DROP COLUMN v', 'DROP PRIMARY KEY, ADD PRIMARY KEY (id, t)',
    'MODIFY t VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL',
  ])('the version changes with %s', async (change) => {
    await database.writer.query('DROP TABLE IF EXISTS s; CREATE TABLE s (id INT PRIMARY KEY, v INT, t VARCHAR(10) NOT NULL)')
    const table = await describe(database, source, 's')
    const read = (): Promise<{ readonly schemaVersion: string | undefined }> =>
      source.readRows({ table, columns: table.columns.slice(0, 1), key: ['id'], limit: 1 })
    await database.writer.query('INSERT INTO s VALUES (1, 1, \'a\'); ALTER TABLE s ADD INDEX (v), COMMENT = \'x\'')
    expect((await read()).schemaVersion).toBe(table.version)
    await database.writer.query(`ALTER TABLE s ${change}`)
    const after = (await read()).schemaVersion
    expect(after).not.toBe(table.version)
    expect((await describe(database, source, 's')).version).toBe(after)
  })
})

group('describeTable', () => {
  it('names keys, indexes, generated columns and estimates', async () => {
    await database.writer.query(`CREATE TABLE \`d\`\`1\` (b INT NOT NULL, a INT NOT NULL, t TEXT, u INT,
      g INT ${database.isMariaDb ? 'AS (a + b) VIRTUAL' : ''}, \`odd "name\` INT, PRIMARY KEY (a, b), UNIQUE (u), KEY ta (t(5)), KEY ub (u, b))`)
    const table = await describe(database, source, '`d``1`')
    expect(table).toMatchObject({ kind: 'table', key: ['a', 'b'], ref: { schema: database.name, name: 'd`1' } })
    expect(table.indexes).toEqual([{ columns: ['u'], unique: true }, { columns: ['u', 'b'], unique: false }])
    expect(table.columns.map((column) => column.name)).toEqual(['b', 'a', 't', 'u', 'g', 'odd "name'])
    expect(table.columns.map((column) => column.nullable)).toEqual([false, false, true, true, true, true])
    expect(typeof table.estimatedRows).toBe('number')
    await database.writer.query('INSERT INTO `d``1` (a, b, `odd "name`) VALUES (1, 2, 3)')
    const page = await source.readRows({ table, columns: table.columns, key: table.key, limit: 1 })
    expect(page.rows).toEqual([[2, 1, null, null, database.isMariaDb ? 3 : null, 3]])
  })

  it('numbers columns by their place, and says that the numbers do not last', async () => {
    await database.writer.query('CREATE TABLE r (a INT, b INT, c INT); ALTER TABLE r DROP COLUMN b')
    const { columns } = await describe(database, source, 'r')
    expect(columns.map(({ name, ordinal }) => [name, ordinal])).toEqual([['a', 1], ['c', 2]])
    expect(mysqlSource({ url: database.url }).capabilities.keepsOrdinals).toBe(false)
  })

  it('knows no table of another name', async () => {
    await expect(describe(database, source, 'nothing')).rejects.toMatchObject({ code: 'TABLE_UNKNOWN' })
    await expect(describe(database, source, 'no_such_database.nothing')).rejects.toMatchObject({ code: 'TABLE_UNKNOWN' })
  })

  it('reads names that end a statement elsewhere', async () => {
    const name = 'x\'; DROP TABLE y -- ?'
    await database.writer.query(`CREATE TABLE \`${name}\` (\`se"lect\\\` INT PRIMARY KEY); INSERT INTO \`${name}\` VALUES (1)`)
    const table = await describe(database, source, `\`${name}\``)
    expect(await walk(table, { key: ['se"lect\\'], tracking: 'se"lect\\' }, 1)).toEqual([[1]])
  })
})

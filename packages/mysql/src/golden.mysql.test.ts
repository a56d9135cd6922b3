import { afterAll, beforeAll, expect, it } from 'vitest'
import type { RowValues, TableSchema } from '@tidemark/core/adapter'
import type { MysqlSourceConnection } from './mysql-source-connection.ts'
import { RowCollector } from './row-collector.ts'
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

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))

/** Column type; pairs of what is inserted (SQL) and the cell that must come out. */
const GOLDEN: readonly (readonly [type: string, logicalType: string, ...cases: readonly (readonly [sql: string, cell: unknown])[]])[] = [
  ['TINYINT', 'integer', ['-128', -128], ['127', 127]],
  ['TINYINT(1)', 'integer', ['-1', -1], ['2', 2]],
  ['TINYINT UNSIGNED', 'integer', ['255', 255]],
  ['SMALLINT', 'integer', ['-32768', -32768]],
  ['MEDIUMINT', 'integer', ['-8388608', -8388608], ['8388607', 8388607]],
  ['INT', 'integer', ['-2147483648', -2147483648], ['0', 0]],
  ['INT(8) UNSIGNED ZEROFILL', 'integer', ['42', 42], ['4294967295', 4294967295]],
  ['BIGINT', 'integer', ['9223372036854775807', 9223372036854775807n], ['-9223372036854775808', -9223372036854775808n], ['9007199254740993', 9007199254740993n], ['9007199254740991', 9007199254740991]],
  ['BIGINT UNSIGNED', 'integer', ['9223372036854775807', 9223372036854775807n], ['0', 0]],
  ['DECIMAL(10,2)', 'decimal', ['1.10', '1.10'], ['-0.05', '-0.05'], ['99999999.99', '99999999.99']],
  ['DECIMAL(65,30)', 'decimal', ['12345678901234567890123456789012345.123456789012345678901234567890', '12345678901234567890123456789012345.123456789012345678901234567890'], ['0.000000000000000000000000000001', '0.000000000000000000000000000001']],
  ['DECIMAL(8,2) ZEROFILL', 'decimal', ['1.5', '1.50'], ['0', '0.00']],
  ['FLOAT', 'real', ['0.1', 0.1], ['16777215', 16777215], ['3.40282e38', 3.40282e38], ['1.17549e-38', 1.17549e-38], ['123456.789', 123456.79], ['-1.5', -1.5]],
  ['FLOAT(7,3)', 'real', ['1234.567', 1234.567], ['0.001', 0.001]],
  ['DOUBLE', 'real', ['0.1', 0.1], ['1.7976931348623157e308', 1.7976931348623157e308], ['2.2250738585072014e-308', 2.2250738585072014e-308], ['0.30000000000000004', 0.30000000000000004], ['-1', -1]],
  ['DOUBLE(20,3)', 'real', ['1234567890123.456', 1234567890123.456]],
  ['BIT(1)', 'integer', ['b\'1\'', 1], ['b\'0\'', 0]],
  ['BIT(10)', 'integer', ['b\'1000000001\'', 513]],
  ['BIT(63)', 'integer', ['b\'111111111111111111111111111111111111111111111111111111111111111\'', 9223372036854775807n], ['b\'11\'', 3]],
  ['BIT(64)', 'bits', ['b\'1\'', '1'.padStart(64, '0')], ['0xFFFFFFFFFFFFFFFF', '1'.repeat(64)]],
  ['DATE', 'date', ['\'2024-02-29\'', '2024-02-29'], ['\'0000-00-00\'', '0000-00-00'], ['\'2024-00-15\'', '2024-00-15'], ['\'9999-12-31\'', '9999-12-31']],
  ['DATETIME', 'timestamp', ['\'2024-01-02 03:04:05\'', '2024-01-02T03:04:05.000000'], ['\'0000-00-00 00:00:00\'', '0000-00-00 00:00:00']],
  ['DATETIME(3)', 'timestamp', ['\'2024-01-02 03:04:05.678\'', '2024-01-02T03:04:05.678000'], ['\'2024-05-00 01:02:03.004\'', '2024-05-00 01:02:03.004']],
  ['DATETIME(6)', 'timestamp', ['\'9999-12-31 23:59:59.999999\'', '9999-12-31T23:59:59.999999'], ['\'1000-01-01 00:00:00.000001\'', '1000-01-01T00:00:00.000001']],
  ['TIMESTAMP NULL', 'timestamp-utc', ['\'2038-01-19 03:14:07\'', '2038-01-19T03:14:07.000000Z'], ['\'0000-00-00 00:00:00\'', '0000-00-00 00:00:00']],
  ['TIMESTAMP(6) NULL', 'timestamp-utc', ['\'1970-01-01 00:00:01.5\'', '1970-01-01T00:00:01.500000Z']],
  ['TIME', 'time', ['\'-838:59:59\'', '-838:59:59'], ['\'838:59:59\'', '838:59:59'], ['\'00:00:00\'', '00:00:00']],
  ['TIME(2)', 'time', ['\'-25:00:00.5\'', '-25:00:00.500000'], ['\'01:02:03\'', '01:02:03.000000']],
  ['TIME(6)', 'time', ['\'01:02:03.000004\'', '01:02:03.000004']],
  ['YEAR', 'integer', ['1901', 1901], ['0', 0], ['2155', 2155]],
  ['CHAR(10)', 'text', ['\'a\'', 'a'], ['\'\'', '']],
  ['VARCHAR(50)', 'text', ['\'naïve 表 😀\'', 'naïve 表 😀'], ['0x610062', 'a\0b'], ['\'it\'\'s\\\\ "q" \\n?\'', 'it\'s\\ "q" \n?'], ['\'trailing  \'', 'trailing  ']],
  ['VARCHAR(50) CHARACTER SET latin1', 'text', ['\'é€\'', 'é€']],
  ['VARCHAR(50) CHARACTER SET utf16', 'text', ['\'表😀\'', '表😀']],
  ['TEXT', 'text', ['REPEAT(\'x\', 300)', 'x'.repeat(300)], ['\'\'', '']],
  ['MEDIUMTEXT', 'text', ['REPEAT(\'é\', 50000)', 'é'.repeat(50_000)]],
  ['BINARY(4)', 'blob', ['0x0102', bytes('01020000')]],
  ['VARBINARY(20)', 'blob', ['0x00FF00', bytes('00ff00')], ['\'\'', bytes('')]],
  ['BLOB', 'blob', ['0xFEFBFF', bytes('fefbff')]],
  ['ENUM(\'small\',\'it\'\'s, unsigned\',\'\')', 'enum', ['\'small\'', 'small'], ['2', 'it\'s, unsigned'], ['0', '']],
  ['SET(\'a\',\'b\',\'c\')', 'text', ['\'c,a\'', 'a,c'], ['\'\'', '']],
  ['GEOMETRY', 'blob', ['ST_GeomFromText(\'POINT(1 2)\', 5)', bytes('050000000101000000000000000000f03f0000000000000040')]],
]

async function readBoth(table: TableSchema): Promise<readonly [readonly RowValues[], readonly RowValues[]]> {
  const columns = table.columns
  const page = await source.readRows({ table, columns, key: ['id'], limit: 100 })
  const stream = await source.streamRows({ table, columns, key: ['id'] })
  const sink = new RowCollector(columns.length)
  for await (const chunk of stream) stream.decoder.push(chunk, sink)
  stream.decoder.end()
  const byKey = await source.readRowsByKey({ table, columns, key: ['id'], keys: page.rows.map((row) => [row[0] ?? null]) })
  expect(byKey).toEqual(page.rows)
  return [page.rows, sink.rows]
}

it.each(GOLDEN)('%s comes as it is, by page, by key and by stream', async (type, logicalType, ...cases) => {
  const name = `g${Math.abs(hash(type))}`
  await database.writer.query(`CREATE TABLE ${name} (id INT PRIMARY KEY, v ${type}${type.endsWith('NULL') ? '' : ' NULL'}) ENGINE = InnoDB`)
  for (const [i, [sql]] of cases.entries()) await database.writer.query(`INSERT INTO ${name} VALUES (${i}, ${sql})`)
  await database.writer.query(`INSERT INTO ${name} VALUES (1000, NULL)`)
  const table = await describe(database, source, name)
  expect(table.columns[1]?.logicalType).toBe(logicalType)
  const expected = [...cases.map(([, cell], i) => [i, cell]), [1000, null]]
  const [page, stream] = await readBoth(table)
  expect(page).toEqual(expected)
  expect(stream).toEqual(expected)
})

function hash(text: string): number {
  return [...text].reduce((sum, character) => (Math.imul(sum, 31) + (character.codePointAt(0) ?? 0)) | 0, 7)
}

const OVERRIDES: readonly (readonly [type: string, override: object, sql: string, cell: unknown])[] = [
  ['BIGINT UNSIGNED', { type: 'decimal' }, '18446744073709551615', '18446744073709551615'],
  ['BIGINT UNSIGNED', { type: 'text' }, '42', '00000000000000000042'],
  ['BIGINT UNSIGNED', { onUnrepresentable: 'null' }, '18446744073709551615', null],
  ['BIGINT UNSIGNED', { onUnrepresentable: 'text' }, '18446744073709551615', '18446744073709551615'],
  ['DECIMAL(10,2)', { type: 'scaled' }, '-1.10', -110],
  ['DECIMAL(18,4)', { type: 'scaled' }, '99999999999999.9999', 999999999999999999n],
  ['DECIMAL(10,2)', { type: 'real' }, '1.10', 1.1],
  ['DECIMAL(10,2)', { type: 'raw' }, '1.10', '1.10'],
  ['TINYINT(1)', { type: 'boolean' }, '1', 1],
  ['BIT(5)', { type: 'bits' }, 'b\'101\'', '00101'],
  ['DATETIME(6)', { type: 'epoch-us' }, '\'1969-12-31 23:59:59.999999\'', -1],
  ['DATETIME', { type: 'epoch-us' }, '\'0001-01-01 00:00:00\'', -62135596800000000n],
  ['DATETIME', { onUnrepresentable: 'null' }, '\'0000-00-00 00:00:00\'', null],
  ['DATETIME(3)', { type: 'raw' }, '\'2024-01-02 03:04:05.678\'', '2024-01-02 03:04:05.678'],
  ['CHAR(36)', { type: 'uuid' }, '\'0F8FAD5B-D9CB-469F-A165-70867728950E\'', '0f8fad5b-d9cb-469f-a165-70867728950e'],
  ['CHAR(36)', { type: 'uuid-blob' }, '\'0F8FAD5B-D9CB-469F-A165-70867728950E\'', bytes('0f8fad5bd9cb469fa16570867728950e')],
  ['BINARY(16)', { type: 'uuid' }, '0x0F8FAD5BD9CB469FA16570867728950E', '0f8fad5b-d9cb-469f-a165-70867728950e'],
  ['LONGTEXT', { type: 'json' }, '\'{"a": 12345678901234567890}\'', '{"a": 12345678901234567890}'],
]

it.each(OVERRIDES)('%s as %j', async (type, override, sql, cell) => {
  await database.writer.query(`DROP TABLE IF EXISTS o1; CREATE TABLE o1 (id INT PRIMARY KEY, v ${type} NULL); INSERT INTO o1 VALUES (1, ${sql})`)
  const [page, stream] = await readBoth(await describe(database, source, 'o1', { v: override }))
  expect(page).toEqual([[1, cell]])
  expect(stream).toEqual([[1, cell]])
})

it.each([
  ['BIGINT UNSIGNED', {}, '9223372036854775808'],
  ['DATE', { onUnrepresentable: 'error' }, '\'0000-00-00\''],
  ['TINYINT', { type: 'boolean' }, '2'],
  ['DATETIME', { type: 'epoch-us' }, '\'0000-00-00 00:00:00\''],
  ['CHAR(36)', { type: 'uuid' }, '\'hunter2\''],
])('%s %j refuses %s', async (type, override, sql) => {
  await database.writer.query(`DROP TABLE IF EXISTS o2; CREATE TABLE o2 (id INT PRIMARY KEY, v ${type} NULL); INSERT INTO o2 VALUES (1, ${sql})`)
  const table = await describe(database, source, 'o2', { v: override })
  const error: unknown = await source.readRows({ table, columns: table.columns, key: ['id'], limit: 1 }).catch((caught: unknown) => caught)
  expect(error).toMatchObject({ code: 'VALUE_UNREPRESENTABLE' })
  expect(String(error)).not.toContain('hunter2')
})

it('refuses an override that the type does not allow, and one of no column', async () => {
  await database.writer.query('DROP TABLE IF EXISTS o3; CREATE TABLE o3 (id INT PRIMARY KEY, v DECIMAL(20,2))')
  await expect(describe(database, source, 'o3', { v: { type: 'blob' } })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  await expect(describe(database, source, 'o3', { v: { type: 'scaled' } })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  await expect(describe(database, source, 'o3', { w: { type: 'raw' } })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})

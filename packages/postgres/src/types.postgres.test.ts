import type { ColumnOverride, LogicalType, SourceConnection, TableSchema, Value } from '@tidemark/core/adapter'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postgresSource } from './postgres-source.ts'
import { readStream } from './test/read-stream.ts'
import { useTestDatabase } from './test/test-database.ts'

interface Golden {
  readonly type: string
  /** SQL of the value, cast to the type. */
  readonly value: string
  readonly logicalType: LogicalType
  readonly stored: Value
  readonly override?: ColumnOverride
}

function golden(type: string, logicalType: LogicalType, pairs: readonly (readonly [string, Value])[], override?: ColumnOverride): Golden[] {
  return pairs.map(([value, stored]) => ({ type, value, logicalType, stored, ...(override === undefined ? {} : { override }) }))
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.of(...values)
const asText: ColumnOverride = { onUnrepresentable: 'text' }
const asNull: ColumnOverride = { onUnrepresentable: 'null' }

const table: readonly Golden[] = [
  ...golden('int2', 'integer', [['-32768', -32_768], ['32767', 32_767], ['0', 0]]),
  ...golden('int4', 'integer', [['-2147483648', -2_147_483_648], ['2147483647', 2_147_483_647]]),
  ...golden('int8', 'integer', [
    ['9007199254740991', Number.MAX_SAFE_INTEGER], ['9007199254740993', 9_007_199_254_740_993n], ['-9223372036854775808', -(2n ** 63n)],
    ['9223372036854775807', 2n ** 63n - 1n], ['999999999999999', 999_999_999_999_999],
  ]),
  ...golden('oid', 'integer', [['4294967295', 4_294_967_295]]),
  ...golden('numeric', 'decimal', [
    ['1.10', '1.10'], ['NaN', 'NaN'], ['Infinity', 'Infinity'], ['-Infinity', '-Infinity'], ['0.00001234567890123456', '0.00001234567890123456'],
    ['123456789012345678901234567890.123456789', '123456789012345678901234567890.123456789'],
  ]),
  ...golden('numeric(10,2)', 'decimal', [['1.1', '1.10'], ['-0.005', '-0.01']]),
  ...golden('numeric(18,4)', 'scaled', [['1.1', 11_000], ['-0.0001', -1], ['99999999999999.9999', 999_999_999_999_999_999n]], { type: 'scaled' }),
  ...golden('numeric(6,0)', 'scaled', [['-42', -42]], { type: 'scaled' }),
  ...golden('numeric(10,2)', 'scaled', [['NaN', 'NaN']], { type: 'scaled', ...asText }),
  ...golden('numeric', 'real', [['1.5', 1.5], ['0.1', 0.1]], { type: 'real' }),
  ...golden('float4', 'real', [['0.1', 0.1], ['3.4e38', 3.4e38], ['NaN', 'NaN']]),
  ...golden('float8', 'real', [
    ['0.1', 0.1], ['1e308', 1e308], ['5e-324', 5e-324], ['-0', -0], ['Infinity', 'Infinity'], ['-Infinity', '-Infinity'], ['NaN', 'NaN'],
    ['1e22', 1e22], ['0.30000000000000004', 0.300_000_000_000_000_04], ['123456789.125', 123_456_789.125],
  ]),
  ...golden('bool', 'boolean', [['true', 1], ['false', 0]]),
  ...golden('text', 'text', [
    ['', ''], ['a\tb\nc\\d\re\bf\fg\vh', 'a\tb\nc\\d\re\bf\fg\vh'], ['\\N', '\\N'], ['é漢🌊', 'é漢🌊'], ['\uFEFFbom', '\uFEFFbom'], ['\\.', '\\.'],
  ]),
  ...golden('varchar(5)', 'text', [['abc', 'abc']]),
  ...golden('char(5)', 'text', [['ab', 'ab   ']]),
  ...golden('name', 'text', [['n', 'n']]),
  ...golden('"char"', 'text', [['x', 'x']]),
  ...golden('xml', 'text', [['<a>&amp;</a>', '<a>&amp;</a>']]),
  ...golden('citext', 'text', [['MiXed', 'MiXed']]),
  ...golden('uuid', 'uuid', [['A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11']]),
  ...golden('uuid', 'uuid-blob', [['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    bytes(0xa0, 0xee, 0xbc, 0x99, 0x9c, 0x0b, 0x4e, 0xf8, 0xbb, 0x6d, 0x6b, 0xb9, 0xbd, 0x38, 0x0a, 0x11)]], { type: 'uuid-blob' }),
  ...golden('bytea', 'blob', [['\\x00ff5c5c0a09', bytes(0, 255, 92, 92, 10, 9)], ['', bytes()]]),
  ...golden('json', 'json', [['{"b":1, "a": 12345678901234567890}', '{"b":1, "a": 12345678901234567890}'], ['"\\u0000\\n"', '"\\u0000\\n"']]),
  ...golden('jsonb', 'json', [['{"b":1,"a":1.10}', '{"a": 1.10, "b": 1}']]),
  ...golden('timestamptz', 'timestamp-utc', [
    ['2024-01-02 03:04:05+02', '2024-01-02T01:04:05.000000Z'], ['2024-01-02 03:04:05.6Z', '2024-01-02T03:04:05.600000Z'],
    ['2024-01-02 03:04:05.123456Z', '2024-01-02T03:04:05.123456Z'], ['infinity', 'infinity'], ['-infinity', '-infinity'],
    ['0001-01-01 00:00:00Z', '0001-01-01T00:00:00.000000Z'], ['9999-12-31 23:59:59.999999Z', '9999-12-31T23:59:59.999999Z'],
  ]),
  ...golden('timestamptz', 'timestamp-utc', [['0044-03-15 12:00:00Z BC', '0044-03-15 12:00:00+00 BC'], ['12024-01-01 00:00:00Z', '12024-01-01 00:00:00+00']], asText),
  ...golden('timestamptz', 'timestamp-utc', [['0044-03-15 12:00:00Z BC', null], ['10000-01-01 00:00:00Z', null]], asNull),
  ...golden('timestamptz', 'epoch-us', [
    ['1970-01-01 00:00:00Z', 0], ['1969-12-31 23:59:59.999999Z', -1], ['2024-01-02 03:04:05.123456Z', 1_704_164_645_123_456],
    ['9999-12-31 23:59:59.999999Z', 253_402_300_799_999_999n], ['0001-01-01 00:00:00Z BC', -62_167_219_200_000_000n], ['2000-02-29 00:00:00Z', 951_782_400_000_000],
  ], { type: 'epoch-us' }),
  ...golden('timestamptz', 'epoch-us', [['infinity', 'infinity']], { type: 'epoch-us', ...asText }),
  ...golden('timestamp', 'timestamp', [
    ['2024-01-02 03:04:05', '2024-01-02T03:04:05.000000'], ['2024-01-02 03:04:05.1', '2024-01-02T03:04:05.100000'], ['-infinity', '-infinity'],
  ]),
  ...golden('timestamp(3)', 'timestamp', [['2024-01-02 03:04:05.123456', '2024-01-02T03:04:05.123000']]),
  ...golden('timestamp', 'timestamp', [['0044-03-15 12:00:00 BC', '0044-03-15 12:00:00 BC'], ['0044-03-15 12:00:00.5 BC', '0044-03-15 12:00:00.5 BC']], asText),
  ...golden('date', 'date', [['2024-02-29', '2024-02-29'], ['infinity', 'infinity'], ['-infinity', '-infinity'], ['0001-01-01', '0001-01-01']]),
  ...golden('date', 'date', [['0044-03-15 BC', '0044-03-15 BC'], ['10000-01-01', '10000-01-01']], asText),
  ...golden('time', 'time', [['24:00:00', '24:00:00'], ['01:02:03.000001', '01:02:03.000001']]),
  ...golden('timetz', 'raw', [['01:02:03+02', '01:02:03+02']]),
  ...golden('interval', 'interval', [['1 year 2 mons -3 days 04:05:06.7', 'P1Y2M-3DT4H5M6.7S'], ['0', 'PT0S']]),
  ...golden('interval day to second(3)', 'interval', [['1 day 00:00:01.2345', 'P1DT1.235S']]),
  ...golden('bit(3)', 'bits', [['010', '010']]),
  ...golden('varbit', 'bits', [['0101', '0101'], ['', '']]),
  ...golden('money', 'decimal', [['1234.50', '1234.50']]),
  ...golden('mood', 'enum', [['1.0', '1.0'], ['glad, not\tsad', 'glad, not\tsad']]),
  ...golden('int8[]', 'array', [['{9223372036854775807,NULL,-1}', '[9223372036854775807,null,-1]'], ['{}', '[]'], ['{{1,2},{3,4}}', '[[1,2],[3,4]]'], ['[0:1]={7,8}', '[0:1]={7,8}']]),
  ...golden('text[]', 'array', [['{"a\\"b","c\\\\d",NULL,"NULL","","x,y","{}",plain}', '["a\\"b","c\\\\d",null,"NULL","","x,y","{}","plain"]']]),
  ...golden('numeric(6,2)[]', 'array', [['{1.1,NaN}', '["1.10","NaN"]']]),
  ...golden('float8[]', 'array', [['{1.5,Infinity}', '["1.5","Infinity"]']]),
  ...golden('bool[]', 'array', [['{t,f,NULL}', '["true","false",null]']]),
  ...golden('bytea[]', 'array', [['{"\\\\x00ff"}', '["\\\\x00ff"]']]),
  ...golden('timestamptz[]', 'array', [['{"2024-01-02 03:04:05Z",infinity}', '["2024-01-02T03:04:05.000000Z","infinity"]']]),
  ...golden('mood[]', 'array', [['{1.0}', '["1.0"]']]),
  ...golden('box[]', 'array', [['{(1,1),(0,0);(3,3),(2,2)}', '["(1,1),(0,0)","(3,3),(2,2)"]']]),
  ...golden('money[]', 'array', [['{1.50}', '["1.50"]']]),
  ...golden('positive', 'integer', [['7', 7]]),
  ...golden('small_positive', 'integer', [['7', 7]]),
  ...golden('price', 'decimal', [['7', '7.00']]),
  ...golden('positive[]', 'array', [['{7,8}', '[7,8]']]),
  ...golden('numbers', 'array', [['{7,8}', '[7,8]']]),
  ...golden('pair', 'raw', [['(1,"a b")', '(1,"a b")']]),
  ...golden('int4range', 'raw', [['[1,5)', '[1,5)']]),
  ...golden('int4multirange', 'raw', [['{[1,3),[5,7)}', '{[1,3),[5,7)}']]),
  ...golden('hstore', 'raw', [['a=>1', '"a"=>"1"']]),
  ...golden('inet', 'raw', [['192.168.0.1/24', '192.168.0.1/24']]),
  ...golden('cidr', 'raw', [['10.0.0.0/8', '10.0.0.0/8']]),
  ...golden('macaddr', 'raw', [['08-00-2b-01-02-03', '08:00:2b:01:02:03']]),
  ...golden('pg_lsn', 'raw', [['16/B374D848', '16/B374D848']]),
  ...golden('tsvector', 'raw', [['a fat cat', '\'a\' \'cat\' \'fat\'']]),
  ...golden('point', 'raw', [['(1,2)', '(1,2)']]),
  ...golden('int2vector', 'raw', [['1 2', '1 2']]),
  ...golden('ltree', 'raw', [['a.b.c', 'a.b.c']]),
  ...golden('bool', 'raw', [['true', 't']], { type: 'raw' }),
  ...golden('jsonb', 'text', [['{}', '{}']], { type: 'text' }),
]

const database = await useTestDatabase('types')

describe('type catalogue', () => {
  let connection: SourceConnection
  let schema: TableSchema

  beforeAll(async () => {
    await database.execute(`
      CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE EXTENSION ltree;
      CREATE TYPE mood AS ENUM ('1.0', E'glad, not\\tsad');
      CREATE DOMAIN positive AS int8 CHECK (VALUE > 0); CREATE DOMAIN small_positive AS positive CHECK (VALUE < 100);
      CREATE DOMAIN price AS numeric(10,2); CREATE DOMAIN numbers AS int4[];
      CREATE TYPE pair AS (a int, b text);
      CREATE TABLE every_type (id int PRIMARY KEY, ${table.map((row, i) => `c${i} ${row.type}`).join(', ')});
      INSERT INTO every_type VALUES (1, ${table.map((row) => `${literal(row.value)}::${row.type}`).join(', ')}), (2${', NULL'.repeat(table.length)})`)
    connection = await postgresSource({ url: database.url }).connect()
    const overrides = Object.fromEntries(table.flatMap((row, i) => (row.override === undefined ? [] : [[`c${i}`, row.override]])))
    schema = await connection.describeTable({ schema: 'public', name: 'every_type' }, { overrides })
  })
  afterAll(() => connection[Symbol.asyncDispose]())

  const expected = [table.map((row) => row.stored), table.map(() => null)]

  it('decides the logical type', () => {
    const decided = schema.columns.slice(1).map((column) => `${column.name} ${column.logicalType}`)
    expect(decided).toEqual(table.map((row, i) => `c${i} ${row.logicalType}`))
  })

  it('reads every type by page', async () => {
    const page = await connection.readRows({ table: schema, columns: schema.columns.slice(1), key: ['id'], limit: 10 })
    expect(labelled(page.rows)).toEqual(labelled(expected))
  })

  it('reads every type by key', async () => {
    const rows = await connection.readRowsByKey({ table: schema, columns: schema.columns.slice(1), key: ['id'], keys: [[1], [2]] })
    expect(labelled(rows)).toEqual(labelled(expected))
  })

  it('reads every type by stream, wherever its chunks break', async () => {
    for (const breakAt of [1, 7, Number.MAX_SAFE_INTEGER]) {
      const stream = await connection.streamRows?.({ table: schema, columns: schema.columns.slice(1), key: ['id'] })
      if (stream === undefined) throw new TypeError('no stream')
      const { rows, last } = await readStream(stream, breakAt)
      expect(labelled(rows)).toEqual(labelled(expected))
      expect(last).toEqual({ key: ['2'] })
    }
  })

  it('stops at a value that can\'t be stored, by page and by stream', async () => {
    await database.execute('CREATE TABLE ancient (id int PRIMARY KEY, at timestamptz, d date); INSERT INTO ancient VALUES (1, \'0044-03-15 12:00:00Z BC\', \'0044-03-15 BC\')')
    const ancient = await connection.describeTable({ schema: 'public', name: 'ancient' })
    for (const column of ancient.columns.slice(1)) {
      const request = { table: ancient, columns: [column], key: ['id'] }
      await expect(connection.readRows({ ...request, limit: 1 })).rejects.toMatchObject({ code: 'VALUE_UNREPRESENTABLE' })
      const stream = await connection.streamRows?.(request)
      if (stream === undefined) throw new TypeError('no stream')
      await expect(readStream(stream)).rejects.toMatchObject({ code: 'VALUE_UNREPRESENTABLE' })
    }
  })
})

/** An E'' literal, so that the table above can hold control characters. */
function literal(text: string): string {
  return `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
}

/** Beside its type and SQL, a wrong value is found at a glance. */
function labelled(rows: readonly (readonly Value[])[]): unknown {
  return rows.map((row) => row.map((value, i) => [table[i]?.type, table[i]?.value, value instanceof Uint8Array ? [...value] : value]))
}

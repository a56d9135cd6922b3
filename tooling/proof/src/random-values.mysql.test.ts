import { mysqlForTests } from '@tidemark/test-servers/vitest'
import { describe } from 'vitest'
import { mysqlFixture } from './fixtures/mysql-fixture.ts'
import { decimal, double, hexBytes, int64, moment, randomValueTests, text, type RandomType } from './scenarios/random-values.ts'
import { seed } from './seed.ts'

const engines = [await mysqlForTests({ engine: 'mariadb' }), await mysqlForTests({ engine: 'mysql' })]

const number = (value: string): string => String(Number(value))
const utf8 = (value: string): string => `CONVERT(x'${Buffer.from(value).toString('hex')}' USING utf8mb4)`

const TYPES: readonly RandomType[] = [
  { type: 'bigint', literal: int64 },
  { type: 'bigint unsigned', literal: (random) => int64(random).replace('-', '') .replace('9223372036854775808', '1') },
  { type: 'int', literal: (random) => String(Math.floor((random() - 0.5) * 2 ** 32)) },
  { type: 'decimal(60,25)', literal: (random) => decimal(random, { before: 35, after: 25 }) },
  { type: 'double', literal: double, normal: number },
  { type: 'varchar(200) CHARACTER SET utf8mb4', literal: (random) => utf8(text(random)) },
  { type: 'varbinary(100)', literal: (random) => `x'${hexBytes(random, Math.floor(random() * 40))}'`, expected: 'LOWER(HEX(v))', stored: 'lower(hex(v))' },
  { type: 'datetime(6)', literal: (random) => `'${moment(random)}'`, expected: 'DATE_FORMAT(v, \'%Y-%m-%dT%H:%i:%s.%f\')' },
  { type: 'date', literal: (random) => `'${moment(random).slice(0, 10)}'` },
  { type: 'set(\'a\',\'b\',\'c\')', literal: (random) => `'${['', 'a', 'b,c', 'a,c'][Math.floor(random() * 4)] ?? ''}'` },
]

describe.each(engines)(`random values of $engine $version, seed ${seed}`, (server) => {
  randomValueTests(TYPES, () => mysqlFixture(server))
})

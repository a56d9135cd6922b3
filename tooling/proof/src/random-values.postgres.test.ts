import { postgresForTests } from '@tidemark/test-servers/vitest'
import { describe } from 'vitest'
import { postgresFixture } from './fixtures/postgres-fixture.ts'
import { decimal, double, hexBytes, int64, moment, randomValueTests, text, type RandomType } from './scenarios/random-values.ts'
import { seed } from './seed.ts'

const server = await postgresForTests()

const number = (value: string): string => String(Number(value))
const quoted = (value: string): string => `E'${value.replaceAll('\\', '\\\\').replaceAll('\'', '\\\'')}'`

const TYPES: readonly RandomType[] = [
  { type: 'bigint', literal: int64, expected: 'v::text' },
  { type: 'integer', literal: (random) => String(Math.floor((random() - 0.5) * 2 ** 32)) },
  { type: 'boolean', literal: (random) => (random() < 0.1 ? 'NULL' : String(random() < 0.5)), expected: 'v::int' },
  { type: 'numeric', literal: (random) => decimal(random, { before: 40, after: 25 }), expected: 'v::text' },
  { type: 'numeric(20,4)', literal: (random) => decimal(random, { before: 15, after: 6 }), expected: 'v::text' },
  { type: 'double precision', literal: (random) => `'${double(random)}'`, expected: 'v::text', normal: number },
  { type: 'real', literal: (random) => `'${1 + random() * 9}e${Math.floor(random() * 70) - 35}'`, expected: 'v::text', normal: number },
  { type: 'text', literal: (random) => quoted(text(random)) },
  { type: 'bytea', literal: (random) => `'\\x${hexBytes(random, Math.floor(random() * 40))}'`, expected: 'encode(v, \'hex\')', stored: 'lower(hex(v))' },
  { type: 'uuid', literal: (random) => `'${hexBytes(random, 16)}'`, expected: 'v::text' },
  { type: 'timestamptz', literal: (random) => `'${moment(random)}+00'`, expected: 'to_char(v AT TIME ZONE \'UTC\', \'YYYY-MM-DD"T"HH24:MI:SS.US"Z"\')' },
  { type: 'timestamp', literal: (random) => `'${moment(random)}'`, expected: 'to_char(v, \'YYYY-MM-DD"T"HH24:MI:SS.US\')' },
  { type: 'date', literal: (random) => `'${moment(random).slice(0, 10)}'`, expected: 'to_char(v, \'YYYY-MM-DD\')' },
  { type: 'jsonb', literal: (random) => `jsonb_build_object(${quoted(`k${text(random)}`)}, ${int64(random)}, 'n', ${decimal(random, { before: 20, after: 9 })})`, expected: 'v::text' },
  { type: 'bigint[]', literal: (random) => `ARRAY[${int64(random)}, NULL, ${int64(random)}]::bigint[]`, expected: 'to_json(v)::text' },
]

describe(`random values of PostgreSQL, seed ${seed}`, () => {
  randomValueTests(TYPES, () => postgresFixture(server))
})

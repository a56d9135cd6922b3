import type { LogicalType, Value } from '@tidemark/core/adapter'
import { describe, expect, it } from 'vitest'
import { sourceValue } from './stored-value.ts'

const bytes = Uint8Array.from({ length: 16 }, (_, index) => index)

describe('a stored value comes back as', () => {
  it.each<[LogicalType, string, number, Value, Value]>([
    ['boolean', 'boolean', 0, 1, true],
    ['boolean', 'boolean', 0, 0, false],
    ['integer', 'integer', 0, 5, 5],
    ['integer', 'bigint', 0, 5, 5n],
    ['integer', 'bigint unsigned', 0, 9_223_372_036_854_775_807n, 9_223_372_036_854_775_807n],
    ['scaled', 'numeric(12,2)', 2, -5, '-0.05'],
    ['scaled', 'numeric(12,2)', 2, 123_456, '1234.56'],
    ['scaled', 'numeric(12,0)', 0, 7, '7'],
    ['real', 'double precision', 0, 'NaN', Number.NaN],
    ['real', 'double precision', 0, '-Infinity', Number.NEGATIVE_INFINITY],
    ['real', 'double precision', 0, 1.5, 1.5],
    ['epoch-us', 'timestamp with time zone', 0, 0, '1970-01-01T00:00:00.000000Z'],
    ['epoch-us', 'timestamp with time zone', 0, -1, '1969-12-31T23:59:59.999999Z'],
    ['epoch-us', 'timestamp with time zone', 0, 1_715_065_689_123_456, '2024-05-07T07:08:09.123456Z'],
    ['uuid-blob', 'uuid', 0, bytes, '00010203-0405-0607-0809-0a0b0c0d0e0f'],
    ['decimal', 'numeric', 0, '1.10', '1.10'],
    ['json', 'jsonb', 0, '{"a": 1}', '{"a": 1}'],
    ['blob', 'bytea', 0, bytes, bytes],
    ['text', 'text', 0, null, null],
  ])('%s of %s, scale %i: %s -> %s', (logicalType, sourceType, scale, stored, expected) => {
    expect(sourceValue({ name: 'c', sourceType, logicalType, scale, nullable: true }, stored)).toEqual(expected)
  })
})

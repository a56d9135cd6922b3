import { describe, expect, test } from 'vitest'
import { cursorText, cursorValue, valueReader } from './kysely-source-values.ts'
import type { ColumnSchema, LogicalType, StorageClass } from './table.ts'

const integer = column('integer', 'integer')
const real = column('real', 'real')
const text = column('text', 'text')
const moment = column('timestamp-utc', 'text')

describe('what a driver gives', () => {
  test.each([
    [integer, 1, 1], [integer, 5n, 5], [integer, '9007199254740993', 9_007_199_254_740_993n], [integer, true, true], [integer, null, null],
    [real, 1n, 1], [real, '1.5', 1.5], [real, Number.NaN, 'NaN'], [real, Number.NEGATIVE_INFINITY, '-Infinity'],
    [text, '', ''], [text, 12n, '12'],
    [moment, new Date(Date.UTC(2024, 1, 29, 1, 2, 3, 4)), '2024-02-29T01:02:03.004000Z'],
    [column('timestamp', 'text'), new Date(0), '1970-01-01T00:00:00.000000'],
    [column('date', 'text'), new Date(0), '1970-01-01'],
  ])('%o: %s becomes %s', (schema, given, expected) => {
    expect(valueReader(schema)(given)).toEqual(expected)
  })

  test.each([
    [integer, 2 ** 53], [integer, 2n ** 63n], [integer, 1.5], [integer, 'x'], [real, ''], [text, { a: 1 }], [text, undefined], [text, 1.5], [text, Uint8Array.of(1)],
    [moment, new Date(Number.NaN)],
  ])('%o: %s can\'t be told exactly', (schema, given) => {
    expect(() => valueReader(schema)(given)).toThrow(expect.objectContaining({ code: 'VALUE_UNREPRESENTABLE' }))
  })

  test('a policy decides what happens instead', () => {
    expect(valueReader({ ...integer, onUnrepresentable: 'null' })(2 ** 53)).toBeNull()
    expect(valueReader({ ...integer, onUnrepresentable: 'text' })(2n ** 63n)).toBe('9223372036854775808')
    expect(() => valueReader({ ...text, onUnrepresentable: 'text' })({ a: 1 })).toThrow()
  })

  test('no value shows up in the error', () => {
    expect(() => valueReader(integer)('secret')).toThrow(expect.objectContaining({ message: expect.not.stringContaining('secret') }))
  })
})

test.each([[integer, -5], [integer, 2n ** 63n - 1n], [real, 0.1], [real, 1e300], [text, 'ü'], [column('blob', 'blob'), Uint8Array.of(0, 255)]])(
  '%o: the cursor of %s gives it back', (schema, value) => {
    expect(cursorValue(cursorText(value), schema)).toEqual(value)
  },
)

function column(logicalType: LogicalType, storage: StorageClass): ColumnSchema {
  return { name: 'c', ordinal: 1, sourceType: '', logicalType, storage, scale: 0, nullable: true, onUnrepresentable: 'error' }
}

import { DatabaseSync } from 'node:sqlite'
import { isDeepStrictEqual } from 'node:util'
import type { TargetTable, Value } from '@tidemark/core/adapter'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { insertStatements } from './insert-statements.ts'

const LIMITS = { maxParameters: 100, maxLength: 32_000 }

/** Columns without a type keep what they are given. */
function table(width: number): TargetTable {
  const columns = Array.from({ length: width }, (_, index) => ({
    name: `c"${index}`, ordinal: index + 1, sourceType: '', logicalType: 'blob' as const, storage: 'blob' as const, scale: 0, nullable: true, onUnrepresentable: 'error' as const,
  }))
  return { name: 't "1"', columns, key: [], indexes: [], enforceUniques: false, origin: 't', deletedAtColumn: undefined }
}

const long = fc.constantFrom(199, 200, 201, 1_000)
const cell: fc.Arbitrary<Exclude<Value, boolean>> = fc.oneof(
  fc.constant(null), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.double({ noNaN: true }), fc.constantFrom(0, -1, 1e21, 1e300, 5e-324), fc.string({ unit: 'grapheme' }), fc.uint8Array(),
  fc.constantFrom('\'', '\0', 'a\0\'b', '\uFEFF', ''), long.map((length) => 'é'.repeat(length)), long.map((length) => '\''.repeat(length)), long.map((length) => new Uint8Array(length)),
)

const rows = fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constant(100)).chain((width) => fc.array(fc.array(cell, { minLength: width, maxLength: width }), { maxLength: Math.ceil(1_000 / width), size: 'max' }).map((of) => ({ width, rows: of })))

describe('rows as statements', () => {
  it('keep every value and its storage class, within the limits', () => {
    fc.assert(fc.property(rows, ({ width, rows: given }) => {
      using database = new DatabaseSync(':memory:')
      const of = table(width)
      database.exec(`CREATE TABLE "t ""1""" (${of.columns.map(({ name }) => `"${name.replaceAll('"', '""')}"`).join(', ')})`)
      for (const { sql, parameters = [] } of insertStatements(of, given, LIMITS)) {
        expect(parameters.length).toBeLessThanOrEqual(100)
        expect(Buffer.byteLength(sql)).toBeLessThan(100_000)
        database.prepare(sql).run(...parameters)
      }
      const read = database.prepare('SELECT * FROM "t ""1""" ORDER BY rowid')
      read.setReadBigInts(true)
      read.setReturnArrays(true)
      // Not by toEqual, which takes seconds for these.
      expect(isDeepStrictEqual(read.all(), given)).toBe(true)
    }), { numRuns: 200 })
  })

  it('are none for no rows, and refuse NaN', () => {
    expect([...insertStatements(table(1), [], LIMITS)]).toEqual([])
    expect(() => [...insertStatements(table(1), [[Number.NaN]], LIMITS)]).toThrow(expect.objectContaining({ code: 'VALUE_UNREPRESENTABLE' }))
    expect(() => [...insertStatements(table(1), [[2n ** 63n]], LIMITS)]).toThrow(expect.objectContaining({ code: 'VALUE_UNREPRESENTABLE' }))
  })
})

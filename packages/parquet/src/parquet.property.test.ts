import type { ManifestTable, RowValues, Value } from '@tidemark/core/adapter'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parquetFormat } from './parquet-format.ts'

type Column = ManifestTable['columns'][number]

const format = parquetFormat()

function column(fields: Partial<Column>, index: number): Column {
  return { name: `c.${index}`, ordinal: index + 1, sourceType: '', logicalType: 'integer', storage: 'integer', scale: 0, nullable: true, ...fields }
}

function table(columns: readonly Partial<Column>[]): ManifestTable {
  return { name: 't', columns: columns.map(column), key: [], rows: 0 }
}

function encode(of: ManifestTable, rows: readonly RowValues[]): Uint8Array {
  const encoder = format.encoder(of)
  for (const row of rows) encoder.add(row)
  return encoder.take()
}

async function* cutAt(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.slice(at, at + size))
}

async function decode(of: ManifestTable, bytes: Uint8Array, size = 1_000): Promise<readonly RowValues[]> {
  const rows: RowValues[] = []
  for await (const batch of format.decode(of, cutAt(bytes, size))) {
    expect(batch.rows.length).toBeLessThanOrEqual(1_000)
    rows.push(...batch.rows)
  }
  return rows
}

const integer = fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: -3n, max: 3n }), fc.constantFrom(2n ** 53n, 2n ** 53n + 1n, -(2n ** 53n) - 1n))
const float = fc.oneof(fc.double(), fc.constantFrom(-0, 0, 0.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2 ** 53, 1e300, 5e-324, 9.5))
const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.constantFrom('', '\0', '\uFEFFx', '\uD800', 'NaN', 'Infinity', '1', '2026-11-26', '0000-01-01', '9999-12-31', '2026-02-30', '10000-01-01', '2026-11-26T12:34:56.123456', '1969-12-31T23:59:59.999999', '2026-11-26T12:34:56.123456Z', '2026-11-26 12:34:56', '2026-11-26T24:00:00.000000'))
const kinds: readonly fc.Arbitrary<Value>[] = [integer, float, text, fc.uint8Array({ maxLength: 9 }), fc.boolean()]
const cell: fc.Arbitrary<Value> = fc.oneof(fc.constant(null), ...kinds)

const declared: readonly Partial<Column>[] = [
  { sourceType: 'INTEGER' }, { sourceType: 'DECIMAL(10,2)' }, { sourceType: 'DATETIME' }, { sourceType: 'BOOLEAN', logicalType: 'boolean' },
  { storage: 'real', logicalType: 'real' }, { storage: 'text', logicalType: 'text' }, { storage: 'text', logicalType: 'date' }, { storage: 'text', logicalType: 'timestamp' },
  { storage: 'text', logicalType: 'timestamp-utc' }, { storage: 'text', logicalType: 'decimal' }, { storage: 'blob', logicalType: 'blob' },
]

/** A whole double in a column of integers is an integer, and comes back as one: no database of ours has another there. */
function cellsOf(of: Partial<Column>, kind: fc.Arbitrary<Value>): fc.Arbitrary<Value> {
  const all = fc.oneof({ weight: 1, arbitrary: fc.constant(null) }, { weight: 5, arbitrary: kind })
  return of.storage === undefined ? all.filter((value) => !Number.isSafeInteger(value) || Object.is(value, -0)) : all
}

describe('parquet', () => {
  it('gives back every value with its type', async () => {
    const given = fc.array(fc.constantFrom(...declared), { minLength: 1, maxLength: 4 }).chain((columns) => fc.record({
      columns: fc.constant(columns),
      // A column is of one kind mostly, since that is what makes a type of it.
      data: fc.tuple(...columns.map((of) => fc.constantFrom(...kinds, cell).chain((kind) => fc.array(cellsOf(of, kind), { minLength: 12, maxLength: 12 })))),
      count: fc.integer({ min: 0, max: 12 }),
      size: fc.integer({ min: 1, max: 500 }),
    }))
    await fc.assert(fc.asyncProperty(given, async ({ columns, data, count, size }) => {
      const of = table(columns)
      const rows = Array.from({ length: count }, (_, row) => data.map((values) => values[row] ?? null))
      expect(await decode(of, encode(of, rows), size)).toEqual(rows)
    }), { numRuns: 3_000 })
  })

  it('gives the same bytes for the same rows', async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.tuple(cell, cell), { maxLength: 20 }), async (rows) => {
      const of = table([{ storage: 'blob' }, { storage: 'text' }])
      expect(encode(of, rows)).toEqual(encode(of, await Promise.resolve(rows)))
    }))
  })
})

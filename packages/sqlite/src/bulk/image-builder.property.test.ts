import type { StorageClass, Value } from '@tidemark/core/adapter'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ImageBuilder } from './image-builder.ts'
import { cellsOf, openImage } from './test/open-image.ts'

const MAX_ROW_BYTES = 1_000_000_000
const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.integer({ min: 0, max: 63 }).chain((bits) => fc.constantFrom(2n ** BigInt(bits) - 1n, -(2n ** BigInt(bits)))),
  fc.integer({ min: -3, max: 3 }).map(BigInt),
)
// Long enough, now and then, for overflow pages.
const text = fc.oneof({ weight: 9, arbitrary: fc.string({ unit: 'binary' }) }, { weight: 1, arbitrary: fc.nat(200_000).map((length) => 'é'.repeat(length)) })
const blob = fc.oneof({ weight: 9, arbitrary: fc.uint8Array() }, { weight: 1, arbitrary: fc.nat(200_000).map((length) => new Uint8Array(length).fill(7)) })

const cellOf: Readonly<Record<StorageClass, fc.Arbitrary<Value>>> = {
  integer: fc.oneof(fc.constant(null), int64),
  real: fc.oneof(fc.constant(null), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constant('NaN')),
  text: fc.oneof(fc.constant(null), text),
  blob: fc.oneof(fc.constant(null), blob),
}
const storage = fc.constantFrom<StorageClass>('integer', 'real', 'text', 'blob')

interface Table {
  readonly columns: readonly StorageClass[]
  readonly rowidColumn: number | undefined
  readonly rows: readonly (readonly Value[])[]
}

const tables: fc.Arbitrary<Table> = fc.tuple(fc.array(storage, { minLength: 1, maxLength: 12 }), fc.boolean()).chain(([others, hasRowid]) => {
  const columns: readonly StorageClass[] = hasRowid ? [...others, 'integer'] : others
  const cells = fc.array(fc.tuple(...others.map((column) => cellOf[column])), { maxLength: 300 })
  const keys = fc.uniqueArray(int64, { minLength: 300, maxLength: 300 })
  return fc.tuple(cells, keys).map(([rows, ids]) => {
    const sorted = ids.toSorted((a, b) => (a < b ? -1 : 1))
    return { columns, rowidColumn: hasRowid ? others.length : undefined, rows: hasRowid ? rows.map((row, index) => [...row, sorted[index] ?? 0n]) : rows }
  })
})

function feed(builder: ImageBuilder, rows: Table['rows']): void {
  const encoder = new TextEncoder()
  for (const row of rows) {
    for (const cell of row) {
      if (typeof cell !== 'string') builder.value(cell)
      else {
        const bytes = encoder.encode(`..${cell}..`)
        builder.text(bytes, 2, bytes.length - 2)
      }
    }
    builder.endRow()
  }
}

function createSql(table: Table): string {
  return `CREATE TABLE bound(${table.columns.map((column, index) => `c${index} ${column}${index === table.rowidColumn ? ' PRIMARY KEY' : ''}`).join(', ')})`
}

describe('a database image', () => {
  it('holds the very cells that bound parameters would have stored, and is sound', () => {
    fc.assert(fc.property(tables, (table) => {
      const builder = new ImageBuilder({ columns: table.columns, rowidColumn: table.rowidColumn, maxRowBytes: MAX_ROW_BYTES })
      feed(builder, table.rows)
      using image = openImage(builder.finish())
      image.database.exec(createSql(table))
      const insert = image.database.prepare(`INSERT INTO bound VALUES (${table.columns.map(() => '?').join(', ')})`)
      for (const row of table.rows) insert.run(...row.map((cell) => cell as null))
      expect(cellsOf(image.database, 'image.t', table.columns.length)).toEqual(cellsOf(image.database, 'bound', table.columns.length))
      expect(image.database.prepare('PRAGMA image.integrity_check').all()).toMatchObject([{ integrity_check: 'ok' }])
    }), { numRuns: 150 })
  }, 120_000)
})

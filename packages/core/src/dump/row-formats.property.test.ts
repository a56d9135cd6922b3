import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RowValues, Value } from '../change/value.ts'
import type { StorageClass } from '../dialect/table.ts'
import { csvFormat } from './csv/csv-format.ts'
import type { DumpFormat } from './dump-format.ts'
import type { ManifestTable } from './manifest.ts'
import { ndjsonFormat } from './ndjson/ndjson-format.ts'

const STORAGES: readonly StorageClass[] = ['integer', 'real', 'text', 'blob']

function table(storages: readonly StorageClass[]): ManifestTable {
  const columns = storages.map((storage, index) => ({ name: `c ${index}`, ordinal: index + 1, sourceType: storage, logicalType: storage, storage, scale: 0, nullable: true }))
  return { name: 't', columns, key: [], rows: 0 }
}

function encode(format: DumpFormat, of: ManifestTable, rows: readonly RowValues[]): Uint8Array {
  const encoder = format.encoder(of)
  const pieces = [format.header(of)]
  for (const row of rows) {
    encoder.add(row)
    // Taken in the middle, too: nothing may be held back.
    if (row.length % 2 === 0) pieces.push(encoder.take())
  }
  return Buffer.concat([...pieces, encoder.take()])
}

async function* cutAt(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b)
  let from = 0
  for (const place of [...places, bytes.length]) {
    yield await Promise.resolve(bytes.slice(from, place))
    from = place
  }
}

async function decode(format: DumpFormat, of: ManifestTable, source: AsyncIterable<Uint8Array>): Promise<readonly RowValues[]> {
  const rows: RowValues[] = []
  for await (const batch of format.decode(of, source)) rows.push(...batch.rows)
  return rows
}

const FORMATS = [csvFormat, ndjsonFormat] as const

/** Of a database: integers as bigint, everything else as it is. NaN and -0 are told apart by `toEqual` too. */
const cell: fc.Arbitrary<Value> = fc.oneof(
  fc.constant(null), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: -9n, max: 9n }), fc.double(), fc.double({ noDefaultInfinity: true, noInteger: true }), fc.boolean(),
  fc.string({ unit: 'binary' }), fc.string(), fc.uint8Array({ maxLength: 20 }),
  fc.constantFrom<Value>('', '"', '""', 'a,b', 'a\r\nb', '\n', '\r', ' x ', 'NULL', '\\x00', '1', 'true', '\0', '\uFEFF', 0n, -0, 1.5, 1e300, Number.POSITIVE_INFINITY, Number.NaN, new Uint8Array(0)),
)

/** What SQLite never has: it makes whole doubles of a column of integers integers, in the range that those have. */
function fits(value: Value | undefined, storage: StorageClass | undefined): boolean {
  return !(storage === 'integer' && typeof value === 'number' && Number.isInteger(value))
}

describe.each(FORMATS)('$name', (format) => {
  it('gives back every value with its type, however the bytes are cut', async () => {
    const rows = fc.array(fc.constantFrom(...STORAGES), { minLength: 1, maxLength: 4 }).chain((storages) => fc.record({
      storages: fc.constant(storages), rows: fc.array(fc.array(cell, { minLength: storages.length, maxLength: storages.length }), { maxLength: 6 }), cuts: fc.array(fc.nat(), { maxLength: 10 }),
    }))
    await fc.assert(fc.asyncProperty(rows, async ({ storages, rows: given, cuts }) => {
      fc.pre(given.every((row) => row.every((value, index) => fits(value, storages[index]))))
      const of = table(storages)
      const bytes = encode(format, of, given)
      expect(await decode(format, of, cutAt(bytes, cuts))).toEqual(given)
    }), { numRuns: 1_000 })
  })

  it('gives back rows of one column that are empty, and none', async () => {
    const of = table(['text'])
    for (const rows of [[], [[null]], [[null], [null]], [['']], [[''], [null], ['x']]]) expect(await decode(format, of, cutAt(encode(format, of, rows), []))).toEqual(rows)
  })

  it('names the row that is damaged, and not its values', async () => {
    const of = table(['integer', 'text'])
    const bytes = Buffer.from(encode(format, of, [[1n, 'secret'], [2n, 'secret'], [3n, 'secret']]))
    const at = bytes.indexOf(format.name === 'csv' ? '2,' : '2')
    for (const damaged of [Buffer.concat([bytes.subarray(0, at), Buffer.from('?'), bytes.subarray(at + 1)]), Buffer.concat([bytes.subarray(0, at), Buffer.of(0xff), bytes.subarray(at + 1)])]) {
      const error: unknown = await decode(format, of, cutAt(damaged, [])).catch((caught: unknown) => caught)
      expect(error).toMatchObject({ code: 'DUMP_CORRUPT' })
      expect(JSON.stringify(error)).not.toContain('secret')
    }
    await expect(decode(format, of, cutAt(bytes.subarray(0, bytes.length - 4), []))).rejects.toMatchObject({ code: 'DUMP_CORRUPT', detail: 't#3' })
    await expect(decode(format, table(['integer']), cutAt(bytes, []))).rejects.toMatchObject({ code: 'DUMP_CORRUPT' })
  })
})

describe('csv', () => {
  it('is read as other writers of RFC 4180 have it', async () => {
    const of = table(['text', 'text'])
    expect(await decode(csvFormat, of, cutAt(Buffer.from('"c 0","c 1"\n"a ""b""",1\r\n,"x\ny"'), []))).toEqual([['a "b"', 1n], [null, 'x\ny']])
  })

  it('refuses what is no text', () => {
    const encoder = csvFormat.encoder(table(['text']))
    expect(() => encoder.add(['\uD800'])).toThrow(expect.objectContaining({ code: 'VALUE_UNREPRESENTABLE' }))
  })

  it('looks at a field of many pieces a few times only', async () => {
    const of = table(['text'])
    const bytes = encode(csvFormat, of, [['"'.repeat(2_000_000)]])
    const cuts = Array.from({ length: 4_000 }, (_, index) => index * 1_000)
    expect(await decode(csvFormat, of, cutAt(bytes, cuts))).toHaveLength(1)
  })
})

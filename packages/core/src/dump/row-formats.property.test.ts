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

/** Where each batch ends that tells it, and how many rows are before that. */
async function* entries(format: DumpFormat, of: ManifestTable, source: AsyncIterable<Uint8Array>): AsyncGenerator<{ readonly end: number; readonly before: number }> {
  let before = 0
  for await (const { rows, end } of format.decode(of, source)) {
    before += rows.length
    if (end !== undefined) yield { end, before }
  }
}

const plainCsv = csvFormat({ guardFormulas: false })
const guardedCsv = csvFormat({ guardFormulas: true })
const FORMATS = [plainCsv, guardedCsv, ndjsonFormat] as const

/** Beginnings that make a formula of a text, and what a guard could be taken for. */
const formula = fc.tuple(fc.constantFrom('', '\'', '\'\''), fc.constantFrom('=', '+', '-', '@', '\t', '\r', '\n', '＝', '＠', ''), fc.constantFrom('', '1+1', 'HYPERLINK("x")', '\''))
  .map((parts) => parts.join(''))

/** Of a database: integers as bigint, everything else as it is. NaN and -0 are told apart by `toEqual` too. */
const cell: fc.Arbitrary<Value> = fc.oneof(
  fc.constant(null), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: -9n, max: 9n }), fc.double(), fc.double({ noDefaultInfinity: true, noInteger: true }), fc.boolean(),
  fc.string({ unit: 'binary' }), fc.string(), formula, fc.uint8Array({ maxLength: 20 }),
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
      // And from every place at which decoding says that it can begin.
      for await (const { end, before } of entries(format, of, cutAt(bytes, cuts))) {
        const rest: RowValues[] = []
        for await (const batch of format.decode(of, cutAt(bytes.subarray(end), cuts), { byte: end, row: before })) rest.push(...batch.rows)
        expect(rest).toEqual(given.slice(before))
      }
    }), { numRuns: 1_000 })
  })

  it('can be entered once in each piece that ends a row', async () => {
    const of = table(['text'])
    const bytes = encode(format, of, Array.from({ length: 3_000 }, (_, index) => [`é\n${index}`]))
    const cuts = Array.from({ length: 100 }, (_, index) => index * 400)
    const found: number[] = []
    for await (const { end } of entries(format, of, cutAt(bytes, cuts))) found.push(end)
    expect(found.length).toBeGreaterThan(90)
    expect(found.at(-1)).toBe(bytes.length)
  })

  it('gives back rows of one column that are empty, and none', async () => {
    const of = table(['text'])
    for (const rows of [[], [[null]], [[null], [null]], [['']], [[''], [null], ['x']]]) expect(await decode(format, of, cutAt(encode(format, of, rows), []))).toEqual(rows)
  })

  it('names the row that is damaged, and not its values', async () => {
    const of = table(['integer', 'text'])
    const bytes = Buffer.from(encode(format, of, [[1n, 'secret'], [2n, 'secret'], [3n, 'secret']]))
    const at = bytes.indexOf(format === ndjsonFormat ? '2' : '2,')
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
    expect(await decode(plainCsv, of, cutAt(Buffer.from('"c 0","c 1"\n"a ""b""",1\r\n,"x\ny"'), []))).toEqual([['a "b"', 1n], [null, 'x\ny']])
  })

  it('refuses what is no text', () => {
    const encoder = plainCsv.encoder(table(['text']))
    expect(() => encoder.add(['\uD800'])).toThrow(expect.objectContaining({ code: 'VALUE_UNREPRESENTABLE' }))
  })

  it('looks at a field of many pieces a few times only', async () => {
    const of = table(['text'])
    const bytes = encode(plainCsv, of, [['"'.repeat(2_000_000)]])
    const cuts = Array.from({ length: 4_000 }, (_, index) => index * 1_000)
    expect(await decode(plainCsv, of, cutAt(bytes, cuts))).toHaveLength(1)
  })
})

describe('csv-guarded', () => {
  it('has no text, and no name of a column, that a spreadsheet would run', async () => {
    await fc.assert(fc.asyncProperty(fc.array(formula, { minLength: 1, maxLength: 9 }), async (texts) => {
      const of: ManifestTable = { ...table(['text']), columns: table(['text']).columns.map((column) => ({ ...column, name: texts[0] ?? '' })) }
      const bytes = encode(guardedCsv, of, texts.map((text) => [text]))
      // As a spreadsheet has them: what is in quotes, with the quotes within undoubled.
      const fields = Array.from(new TextDecoder().decode(bytes).matchAll(/"((?:[^"]|"")*)"/g), ([, field = '']) => field.replaceAll('""', '"'))
      expect(fields.slice(-texts.length)).toHaveLength(texts.length)
      expect(fields.filter((field) => /^[=+\-@\t\r\n＝＋－＠]/.test(field))).toEqual([])
      expect(await decode(guardedCsv, of, cutAt(bytes, []))).toEqual(texts.map((text) => [text]))
    }))
  })

  it('touches nothing else', () => {
    const row = ['it\'s', '\'quoted\'', '', '1=1', -5n, -1.5, null, true]
    const of = table(row.map(() => 'text'))
    expect(encode(guardedCsv, of, [row])).toEqual(encode(plainCsv, of, [row]))
    expect(Buffer.from(encode(guardedCsv, table(['text', 'text']), [['=1+1', '\'=1']])).toString()).toBe('"c 0","c 1"\r\n"\'=1+1","\'\'=1"\r\n')
  })
})

import type { ColumnSchema, LogicalType, StorageClass, Value } from '@tidemark/core/adapter'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileCodec } from './column-codec.ts'
import { CopyDecoder } from './copy-decoder.ts'
import { CollectingSink } from './test/collecting-sink.ts'

interface Kind {
  readonly logicalType: LogicalType
  readonly storage: StorageClass
  readonly sourceType: string
  readonly scale?: number
  /** Texts as the server prints them. */
  readonly texts: fc.Arbitrary<string>
}

const digits = (count: number): fc.Arbitrary<string> => fc.integer({ min: 0, max: 10 ** count - 1 }).map((value) => String(value).padStart(count, '0'))
const int64 = fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.maxSafeInteger().map(BigInt), fc.integer({ min: -1000, max: 1000 }).map(BigInt), fc.constantFrom(2n ** 53n, -(2n ** 53n), 2n ** 53n - 1n, 10n ** 15n, 10n ** 16n)).map(String)
const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 20 }), fc.string({ unit: fc.constantFrom('\\', '\t', '\n', '\r', '\b', '\f', '\v', 'N', 'x', '.', 'é', '🌊') })).map((value) => value.replaceAll('\0', ''))
const day = fc.tuple(fc.oneof(digits(4), digits(5).map((year) => `1${year}`)), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 28 }), fc.constantFrom('', '', '', ' BC'))
const dayText = day.map(([year, month, dayOfMonth, era]) => ({ date: `${year === '0000' ? '0001' : year}-${String(month).padStart(2, '0')}-${String(dayOfMonth).padStart(2, '0')}`, era }))
const clock = fc.tuple(fc.integer({ min: 0, max: 86_399 }), fc.oneof(fc.constant(''), fc.integer({ min: 1, max: 999_999 }).map((micros) => `.${String(micros).padStart(6, '0').replace(/0+$/, '')}`)))
  .map(([second, fraction]) => `${[Math.floor(second / 3600), Math.floor(second / 60) % 60, second % 60].map((part) => String(part).padStart(2, '0')).join(':')}${fraction}`)
const moment = (zone: string): fc.Arbitrary<string> => fc.oneof(
  { weight: 9, arbitrary: fc.tuple(dayText, clock).map(([{ date, era }, time]) => `${date} ${time}${zone}${era}`) },
  { weight: 1, arbitrary: fc.constantFrom('infinity', '-infinity') },
)
const float = fc.oneof(fc.double(), fc.float(), fc.integer().map((value) => value / 8), fc.constantFrom(0, -0, 5e-324, 1.797_693_134_862_315_7e308, 1e22, 1e23, 9_007_199_254_740_993))
  // PostgreSQL writes at least two digits of exponent.
  .map((value) => (Object.is(value, -0) ? '-0' : String(value).replace(/e([+-])(\d)$/, 'e$10$2')))
const decimal = fc.tuple(fc.boolean(), digits(12), digits(4)).map(([minus, whole, fraction]) => `${minus ? '-' : ''}${Number(whole)}.${fraction}`)
const hex = (min: number, max: number): fc.Arbitrary<string> => fc.uint8Array({ minLength: min, maxLength: max }).map((value) => Buffer.from(value).toString('hex'))

const kinds: readonly Kind[] = [
  { logicalType: 'boolean', storage: 'integer', sourceType: 'boolean', texts: fc.constantFrom('t', 'f') },
  { logicalType: 'integer', storage: 'integer', sourceType: 'bigint', texts: int64 },
  { logicalType: 'decimal', storage: 'text', sourceType: 'numeric', texts: fc.oneof(decimal, fc.constantFrom('NaN', 'Infinity', '-Infinity')) },
  { logicalType: 'scaled', storage: 'integer', sourceType: 'numeric(16,4)', scale: 4, texts: fc.oneof(decimal, fc.constantFrom('NaN', 'Infinity')) },
  { logicalType: 'real', storage: 'real', sourceType: 'double precision', texts: float },
  { logicalType: 'text', storage: 'text', sourceType: 'text', texts: text },
  { logicalType: 'json', storage: 'text', sourceType: 'jsonb', texts: fc.json() },
  { logicalType: 'uuid', storage: 'text', sourceType: 'uuid', texts: fc.uuid() },
  { logicalType: 'uuid-blob', storage: 'blob', sourceType: 'uuid', texts: fc.uuid() },
  { logicalType: 'blob', storage: 'blob', sourceType: 'bytea', texts: fc.oneof(hex(0, 40), hex(70_000, 70_010)).map((value) => `\\x${value}`) },
  { logicalType: 'date', storage: 'text', sourceType: 'date', texts: fc.oneof(dayText.map(({ date, era }) => `${date}${era}`), fc.constantFrom('infinity', '-infinity')) },
  { logicalType: 'timestamp', storage: 'text', sourceType: 'timestamp without time zone', texts: moment('') },
  { logicalType: 'timestamp-utc', storage: 'text', sourceType: 'timestamp with time zone', texts: moment('+00') },
  { logicalType: 'epoch-us', storage: 'integer', sourceType: 'timestamp with time zone', texts: moment('+00') },
  { logicalType: 'array', storage: 'text', sourceType: 'text[]', texts: fc.array(text).map((items) => `{${items.map((item) => `"${item.replace(/["\\]/g, '\\$&')}"`).join(',')}}`) },
]

/** As COPY writes it (manual, COPY). */
function copyField(value: string | null): string {
  const letters: Readonly<Record<string, string>> = { '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't', '\v': 'v', '\\': '\\' }
  return value === null ? '\\N' : value.replace(/[\b\f\n\r\t\v\\]/g, (char) => `\\${letters[char] ?? ''}`)
}

function column(kind: Kind): ColumnSchema {
  return { name: kind.logicalType, ordinal: 1, nullable: true, onUnrepresentable: 'text', scale: kind.scale ?? 0, logicalType: kind.logicalType, storage: kind.storage, sourceType: kind.sourceType }
}

/** Splits bytes at the given places, which wrap around. */
function split(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length]
  return places.slice(1).map((end, i) => bytes.slice(places[i] ?? 0, end))
}

const comparable = (rows: readonly (readonly Value[])[]): unknown => rows.map((row) => row.map((value) => (value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value)))

describe('CopyDecoder', () => {
  it.each(kinds.map((kind) => [kind.logicalType, kind] as const))('gives the cells of the %s codec', (_, kind) => {
    fc.assert(fc.property(fc.array(fc.option(kind.texts), { minLength: 1, maxLength: 8 }), fc.array(fc.nat(), { maxLength: 4 }), (texts, cuts) => {
      const codec = compileCodec(column(kind))
      const decoder = new CopyDecoder({ columns: [column(kind)], extraFields: 0, keyFields: [] })
      const sink = new CollectingSink()
      const bytes = new TextEncoder().encode(texts.map((value) => `${copyField(value)}\n`).join(''))
      for (const chunk of split(bytes, cuts)) decoder.push(chunk, sink)
      decoder.end()
      expect(comparable(sink.rows)).toEqual(comparable(texts.map((value) => [value === null ? null : codec(value)])))
    }), { numRuns: kind.logicalType === 'blob' ? 60 : 600 })
  })

  it('keeps rows, fields and the cursor apart wherever chunks break', () => {
    const row = fc.tuple(text, fc.option(text), text)
    fc.assert(fc.property(fc.array(row, { minLength: 1, maxLength: 20 }), fc.array(fc.nat(), { maxLength: 20 }), (rows, cuts) => {
      const kind = kinds.find((candidate) => candidate.logicalType === 'text')
      if (kind === undefined) throw new TypeError('no text')
      const decoder = new CopyDecoder({ columns: [column(kind), column(kind)], extraFields: 1, keyFields: [2, 0] })
      const sink = new CollectingSink()
      const bytes = new TextEncoder().encode(rows.map((cells) => `${cells.map(copyField).join('\t')}\n`).join(''))
      for (const chunk of split(bytes, cuts)) {
        decoder.push(chunk, sink)
        // The caller may write over what it gave.
        chunk.fill(0xff)
        const [first, , key] = rows[decoder.rows - 1] ?? []
        expect(decoder.last).toEqual(decoder.rows === 0 ? undefined : { key: [key, first] })
      }
      decoder.end()
      expect(sink.rows).toEqual(rows.map(([first, second]) => [first, second]))
    }), { numRuns: 500 })
  })
})

import type { ManifestTable, RowValues } from '@tidemark/core/adapter'
import { parquetMetadata, parquetReadObjects } from 'hyparquet'
import { describe, expect, it } from 'vitest'
import { parquetFormat, type ParquetOptions } from './parquet-format.ts'

type Column = ManifestTable['columns'][number]

function table(columns: readonly (Partial<Column> & { readonly name: string })[]): ManifestTable {
  return { name: 't', columns: columns.map((fields, index) => ({ ordinal: index + 1, sourceType: 'INTEGER', logicalType: 'integer', storage: 'integer', scale: 0, nullable: true, ...fields })), key: [], rows: 0 }
}

function encode(of: ManifestTable, rows: readonly RowValues[], options: ParquetOptions = {}): Uint8Array<ArrayBuffer> {
  const encoder = parquetFormat(options).encoder(of)
  for (const row of rows) encoder.add(row)
  return new Uint8Array(encoder.take())
}

async function* whole(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes)
}

async function decode(of: ManifestTable, bytes: Uint8Array): Promise<readonly RowValues[]> {
  const rows: RowValues[] = []
  for await (const batch of parquetFormat().decode(of, whole(bytes))) rows.push(...batch.rows)
  return rows
}

function typesOf(bytes: Uint8Array<ArrayBuffer>): readonly string[] {
  return parquetMetadata(bytes.buffer).schema.slice(1).map(({ type = '', logical_type: logical }) => (logical === undefined ? type : logical.type))
}

const ANY = table([
  { name: 'i' }, { name: 'price', sourceType: 'DECIMAL(10,2)' }, { name: 'at', sourceType: 'DATETIME' }, { name: 'r', storage: 'real', logicalType: 'real' },
  { name: 't', storage: 'text', logicalType: 'text' }, { name: 'b', storage: 'blob', logicalType: 'blob' }, { name: 'any', storage: 'blob', logicalType: 'blob', sourceType: '' },
  { name: 'day', storage: 'text', logicalType: 'date' }, { name: 'moment', storage: 'text', logicalType: 'timestamp-utc' },
])

describe('the types of a file', () => {
  it('are the declared ones, also where there is nothing', async () => {
    const row: RowValues = [1n, 9.5, '2026-11-26 12:00:00', 1, 'x', new Uint8Array([0, 255]), new Uint8Array(0), '2026-11-26', '2026-11-26T12:00:00.000001Z']
    const types = ['INT64', 'DOUBLE', 'STRING', 'DOUBLE', 'STRING', 'BYTE_ARRAY', 'BYTE_ARRAY', 'DATE', 'TIMESTAMP']
    for (const rows of [[], [row.map(() => null)], [row, row.map(() => null)]]) {
      const bytes = encode(ANY, rows)
      expect(typesOf(bytes)).toEqual(types)
      expect(await decode(ANY, bytes)).toEqual(rows)
    }
  })

  it('are others where all rows have those, and text where they have none in common', async () => {
    const rows: readonly RowValues[] = [['a', 10n, '2026-11-26', 'NaN', new Uint8Array(1), 7n, 1n, 'never', null], ['b', 9.5, '2026-11-27', 2.5, null, -7n, 'one', null, null]]
    const bytes = encode(ANY, rows)
    expect(typesOf(bytes)).toEqual(['STRING', 'DOUBLE', 'STRING', 'DOUBLE', 'BYTE_ARRAY', 'INT64', 'STRING', 'STRING', 'TIMESTAMP'])
    expect(await decode(ANY, bytes)).toEqual(rows)
  })

  it('are read by others as the values that they are', async () => {
    const bytes = encode(ANY, [[2n ** 63n - 1n, 10n, '2026-11-26 12:00:00', -0, 'é\0', new Uint8Array([0, 255]), 'x', '1969-12-31', '2026-11-26T12:00:00.000Z'.replace('.000', '.500000')]])
    expect(await parquetReadObjects({ file: bytes.buffer, utf8: false })).toEqual([{
      i: 2n ** 63n - 1n, price: 10, at: '2026-11-26 12:00:00', r: -0, t: 'é\0', b: new Uint8Array([0, 255]), any: 'x', day: new Date('1969-12-31'), moment: new Date('2026-11-26T12:00:00.500Z'),
    }])
  })
})

describe('a file', () => {
  it('has rows of many groups, and doubles that are told apart', async () => {
    const of = table([{ name: 'i' }, { name: 'r', storage: 'real' }, { name: 't', storage: 'text' }])
    // A dictionary is worth it for all of them.
    const rows = Array.from({ length: 120_001 }, (_, index): RowValues => [BigInt(index % 3), index % 2 === 0 ? -0 : 0, index % 5 === 0 ? null : `v${index % 7}`])
    for (const codec of ['SNAPPY', 'UNCOMPRESSED'] as const) {
      const bytes = encode(of, rows, { codec })
      expect(parquetMetadata(bytes.buffer).row_groups).toHaveLength(3)
      expect(await decode(of, bytes)).toEqual(rows)
    }
  })

  it('has columns of any name, and rows without one', async () => {
    const of = table(['a.b', '', '__proto__', 'constructor', '"', 'é', 'row', 'a.b.c', 'A.B'].map((name) => ({ name })))
    const rows = [of.columns.map((_, index) => BigInt(index)), of.columns.map(() => null)]
    expect(await decode(of, encode(of, rows))).toEqual(rows)
    const none = table([])
    expect(await decode(none, encode(none, Array.from({ length: 2_500 }, () => [])))).toEqual(Array.from({ length: 2_500 }, () => []))
  })

  it('that is damaged, or another table\'s, is refused with the row, and without its values', async () => {
    const of = table([{ name: 'i' }, { name: 't', storage: 'text' }])
    const bytes = encode(of, Array.from({ length: 200 }, (_, index): RowValues => [BigInt(index), 'secret']))
    const wrong = [bytes.slice(0, bytes.length - 5), bytes.slice(0, 100), new Uint8Array(0), new Uint8Array(5_000), encode(table([{ name: 'i' }]), [[1n]]), encode(table([{ name: 'i' }, { name: 'u' }]), [[1n, null]])]
    for (const damaged of wrong) {
      const error: unknown = await decode(of, damaged).catch((caught: unknown) => caught)
      expect(error).toMatchObject({ code: 'DUMP_CORRUPT', detail: 't#1' })
      expect(JSON.stringify(error)).not.toContain('secret')
    }
  })

  it('that fails on its way fails as it does', async () => {
    const of = table([{ name: 'i' }])
    const failing = async function* (): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(new Uint8Array(3))
      throw new RangeError('of the storage')
    }
    await expect(async () => {
      for await (const batch of parquetFormat().decode(of, failing())) expect(batch).toBeUndefined()
    }).rejects.toThrow('of the storage')
  })
})

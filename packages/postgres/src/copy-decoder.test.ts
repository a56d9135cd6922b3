import type { ColumnSchema } from '@tidemark/core/adapter'
import { describe, expect, it } from 'vitest'
import { CopyDecoder } from './copy-decoder.ts'
import { CollectingSink } from './test/collecting-sink.ts'

const column: ColumnSchema = {
  name: 'n', ordinal: 1, sourceType: 'integer', logicalType: 'integer', storage: 'integer', scale: 0, nullable: true, onUnrepresentable: 'error',
}

function decode(text: string, end = true): unknown {
  const decoder = new CopyDecoder({ columns: [column, column], extraFields: 0, keyFields: [0] })
  const sink = new CollectingSink()
  decoder.push(new TextEncoder().encode(text), sink)
  if (end) decoder.end()
  return [sink.rows, decoder.last]
}

describe('CopyDecoder', () => {
  it('reads rows', () => {
    expect(decode('1\t2\n3\t\\N\n')).toEqual([[[1, 2], [3, null]], { key: ['3'] }])
  })

  it.each(['1\n', '1\t2\t3\n', '1\tx\n', '1\t2\n3', '1\t2\n3\t4'])('refuses %j', (text) => {
    expect(() => decode(text)).toThrow(expect.objectContaining({ code: 'SOURCE_CORRUPT_RESULT' }))
  })

  it('refuses a key that is NULL when asked for the cursor', () => {
    expect(() => decode('\\N\t2\n')).toThrow(expect.objectContaining({ code: 'KEY_REQUIRED' }))
  })

  it('joins a row of many pieces once', () => {
    const textColumn: ColumnSchema = { ...column, logicalType: 'text', storage: 'text' }
    const decoder = new CopyDecoder({ columns: [textColumn], extraFields: 0, keyFields: [] })
    const sink = new CollectingSink()
    const piece = new Uint8Array(65_536).fill(0x78)
    for (let i = 0; i < 100; i += 1) decoder.push(piece, sink)
    decoder.push(Uint8Array.of(10), sink)
    expect(sink.rows[0]?.[0]).toBe('x'.repeat(100 * 65_536))
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PacketTap } from './packet-tap.ts'
import { MysqlRowDecoder } from './row-decoder.ts'
import { RowCollector } from './row-collector.ts'

type Row = readonly (Uint8Array | null)[]

function cell(bytes: Uint8Array | null): Buffer {
  if (bytes === null) return Buffer.from([0xfb])
  const { length } = bytes
  const prefix = length < 251 ? Buffer.from([length]) : length < 65_536 ? Buffer.from([0xfc, length & 255, length >> 8]) : Buffer.from([0xfd, length & 255, (length >> 8) & 255, length >> 16])
  return Buffer.concat([prefix, bytes])
}

function packet(payload: Buffer, sequence: number): Buffer {
  const header = Buffer.alloc(4)
  header.writeUIntLE(payload.length, 0, 3)
  header[3] = sequence & 255
  return Buffer.concat([header, payload])
}

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = []
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? 1
    chunks.push(bytes.subarray(at, at + size))
    at += size
  }
  return chunks
}

const COLUMNS = 3
const rows = fc.array(fc.array(fc.option(fc.oneof(fc.uint8Array({ maxLength: 12 }), fc.uint8Array({ minLength: 245, maxLength: 300 }))), { minLength: COLUMNS, maxLength: COLUMNS }), { maxLength: 8 })
const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 })

function decode(chunks: readonly Buffer[]): { readonly rows: readonly (readonly unknown[])[]; readonly decoder: MysqlRowDecoder } {
  const blob = (bytes: Buffer, start: number, end: number, sink: { blob(bytes: Uint8Array, start: number, end: number): void }): void => sink.blob(bytes, start, end)
  const decoder = new MysqlRowDecoder({ lead: 0, columns: [blob, blob, blob], cursor: undefined })
  const sink = new RowCollector(COLUMNS)
  for (const chunk of chunks) decoder.push(chunk, sink)
  return { rows: sink.rows, decoder }
}

describe('packets cut anywhere', () => {
  it('decode to the rows they were made of', () => {
    fc.assert(fc.property(rows, sizes, (expected: readonly Row[], cuts) => {
      const bytes = Buffer.concat(expected.map((row, i) => packet(Buffer.concat(row.map(cell)), i)))
      const { rows: actual, decoder } = decode(cut(bytes, cuts))
      decoder.end()
      expect(actual).toEqual(expected)
      expect(decoder.rows).toBe(expected.length)
    }))
  })

  it('say so when the last row is cut off', () => {
    fc.assert(fc.property(rows.filter((some) => some.length > 0), sizes, fc.integer({ min: 1, max: 5 }), (some: readonly Row[], cuts, missing) => {
      const bytes = Buffer.concat(some.map((row, i) => packet(Buffer.concat(row.map(cell)), i)))
      const last = some.at(-1) ?? []
      const lastLength = packet(Buffer.concat(last.map(cell)), 0).length
      const { decoder } = decode(cut(bytes.subarray(0, bytes.length - Math.min(missing, lastLength - 1)), cuts))
      expect(() => decoder.end()).toThrow(expect.objectContaining({ code: 'SOURCE_CORRUPT_RESULT' }))
    }))
  })

  it('go row by row to the tap and everything else to the driver', () => {
    fc.assert(fc.property(rows, sizes, fc.boolean(), (some: readonly Row[], cuts, fails) => {
      const eof = Buffer.from([0xfe, 0, 0, 2, 0])
      const head = [Buffer.from([COLUMNS]), ...Array.from({ length: COLUMNS }, () => Buffer.from('\x03def and more', 'latin1')), eof]
      const body = some.map((row) => Buffer.concat(row.map(cell)))
      const tail = fails ? Buffer.from('\xff\x15\x04#28000denied', 'latin1') : eof
      const packets = [...head, ...body, tail].map((payload, i) => packet(payload, i + 1))
      const forDriver: Buffer[] = []
      const forTap: Buffer[] = []
      const connection = { packetParser: { execute: (chunk: Buffer) => forDriver.push(Buffer.from(chunk)) }, sequenceId: 0 }
      const tap = new PacketTap(connection)
      tap.begin((chunk) => forTap.push(chunk))
      for (const chunk of cut(Buffer.concat(packets), cuts)) connection.packetParser.execute(chunk)
      expect(Buffer.concat(forTap)).toEqual(Buffer.concat(packets.slice(head.length, -1)))
      expect(Buffer.concat(forDriver)).toEqual(Buffer.concat([...packets.slice(0, head.length), packets.at(-1) ?? eof]))
      expect(connection.sequenceId).toBe(packets.length & 255)
    }))
  })
})

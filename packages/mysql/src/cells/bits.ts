import { TidemarkError, type ColumnSchema } from '@tidemark/core/adapter'
import type { CellDecoder } from '../cell-decoder.ts'
import { putBigInt } from './integers.ts'
import { unrepresentable } from './unrepresentable.ts'

/** Six bytes are below 2^53. */
const SAFE_BYTES = 6

/** BIT(n) comes as its bytes, most significant first, also in the text protocol. */
export const bits: CellDecoder = (bytes, start, end, sink) => {
  if (end - start <= SAFE_BYTES) sink.integer(end === start ? 0 : bytes.readUIntBE(start, end - start))
  else putBigInt(readBig(bytes, start, end), sink)
}

function readBig(bytes: Buffer, start: number, end: number): bigint {
  let value = 0n
  for (let i = start; i < end; i++) value = (value << 8n) | BigInt(bytes[i] ?? 0)
  return value
}

/** As many digits as the column has bits. */
export function bitsAsDigits(count: number): CellDecoder {
  return (bytes, start, end, sink) => {
    const digits = readBig(bytes, start, end).toString(2).padStart(count, '0')
    if (digits.length > count) throw new TidemarkError('SOURCE_CORRUPT_RESULT', 'A BIT value is longer than its column.')
    sink.text(Buffer.from(digits, 'latin1'), 0, count)
  }
}

export function bitsAsBoolean(column: ColumnSchema): CellDecoder {
  const other = unrepresentable(column)
  return (bytes, start, end, sink) => {
    const value = readBig(bytes, start, end)
    if (value < 2n) sink.integer(Number(value))
    else other(bytes, start, end, sink)
  }
}

import type { ColumnSchema, RowSink } from '@tidemark/core/adapter'
import type { CellDecoder } from '../cell-decoder.ts'
import { unrepresentable } from './unrepresentable.ts'

const MINUS = 0x2d
const ZERO = 0x30
/** Fifteen digits are below 2^53 and need no check. */
const SAFE_DIGITS = 15
const MAX_INT64 = 2n ** 63n - 1n
const UNSIGNED_DIGITS = 20

/** Any integer type. BIGINT UNSIGNED above 2^63-1 goes the column's way. */
export function integer(column: ColumnSchema): CellDecoder {
  const tooLarge = unrepresentable(column)
  return (bytes, start, end, sink) => {
    if (end - start <= SAFE_DIGITS) {
      sink.integer(readSmall(bytes, start, end))
      return
    }
    const value = BigInt(bytes.toString('latin1', start, end))
    if (value > MAX_INT64) tooLarge(bytes, start, end, sink)
    else putBigInt(value, sink)
  }
}

export function readSmall(bytes: Buffer, start: number, end: number): number {
  const isNegative = bytes[start] === MINUS
  let value = 0
  for (let i = isNegative ? start + 1 : start; i < end; i++) value = value * 10 + (bytes[i] ?? ZERO) - ZERO
  return isNegative ? 0 - value : value
}

/** Safe integers as numbers, so that a value takes the same door whatever type it came from. */
export function putBigInt(value: bigint, sink: RowSink): void {
  const narrow = Number(value)
  if (Number.isSafeInteger(narrow)) sink.integer(narrow)
  else sink.bigint(value)
}

/** TINYINT read as a boolean; it really holds -128 to 127, and what is neither 0 nor 1 goes the column's way. */
export function boolean(column: ColumnSchema): CellDecoder {
  const other = unrepresentable(column)
  return (bytes, start, end, sink) => {
    const value = readSmall(bytes, start, end)
    if (value === 0 || value === 1) sink.integer(value)
    else other(bytes, start, end, sink)
  }
}

/** BIGINT UNSIGNED as text whose order is the order of the numbers: twenty digits, zeros in front. */
export const paddedDigits: CellDecoder = (bytes, start, end, sink) => {
  const padded = Buffer.alloc(UNSIGNED_DIGITS, ZERO)
  bytes.copy(padded, UNSIGNED_DIGITS - (end - start), start, end)
  sink.text(padded, 0, UNSIGNED_DIGITS)
}

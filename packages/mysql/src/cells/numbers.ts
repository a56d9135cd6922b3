import type { ColumnSchema } from '@tidemark/core/adapter'
import type { CellDecoder } from '../cell-decoder.ts'
import { putBigInt } from './integers.ts'
import { unrepresentable } from './unrepresentable.ts'

const ZERO = 0x30
const POINT = 0x2e
const MAX_INT64 = 2n ** 63n - 1n
const MIN_INT64 = -(2n ** 63n)
/** Every float32 is told from its neighbours by nine digits, many by six. */
const MIN_FLOAT_DIGITS = 6
const MAX_FLOAT_DIGITS = 9

/** The server prints a DOUBLE with as few digits as give it back. */
export const real: CellDecoder = (bytes, start, end, sink) => sink.real(Number(bytes.toString('latin1', start, end)))

/** FLOAT is selected as the double it widens to, and stored as the double nearest to its shortest decimal form, as PostgreSQL prints it. */
export const shortestFloat: CellDecoder = (bytes, start, end, sink) => {
  const wide = Number(bytes.toString('latin1', start, end))
  sink.real(shortestOf(wide))
}

function shortestOf(wide: number): number {
  if (Number.isInteger(wide) && Math.abs(wide) < 1e6) return wide
  for (let digits = MIN_FLOAT_DIGITS; digits < MAX_FLOAT_DIGITS; digits++) {
    const candidate = Number(wide.toPrecision(digits))
    if (Math.fround(candidate) === wide) return candidate
  }
  return Number(wide.toPrecision(MAX_FLOAT_DIGITS))
}

/** A ZEROFILL column prints zeros that are not digits of the value. */
export const decimalText: CellDecoder = (bytes, start, end, sink) => {
  let first = start
  while (first < end - 1 && bytes[first] === ZERO && bytes[first + 1] !== POINT) first++
  sink.text(bytes, first, end)
}

/** The server prints all digits of a DECIMAL's scale: without the point they are the value times 10^scale. */
export function scaled(column: ColumnSchema): CellDecoder {
  const tooLarge = unrepresentable(column)
  return (bytes, start, end, sink) => {
    const value = BigInt(bytes.toString('latin1', start, end).replace('.', ''))
    if (value > MAX_INT64 || value < MIN_INT64) tooLarge(bytes, start, end, sink)
    else putBigInt(value, sink)
  }
}

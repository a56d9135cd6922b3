import type { ColumnSchema } from '@tidemark/core/adapter'
import type { CellDecoder } from '../cell-decoder.ts'
import { readSmall } from './integers.ts'
import { unrepresentable } from './unrepresentable.ts'

const ZERO = 0x30
const POINT = 0x2e
const LETTER_T = 0x54
const LETTER_Z = 0x5a
const DATE_BYTES = 10
/** `YYYY-MM-DD HH:MM:SS` */
const SECONDS_BYTES = 19
/** The same with six digits of a second. */
const MICROS_BYTES = 26
const SEPARATOR_AT = 10
const MICROS_PER_MILLI = 1000n

/** Month or day zero: `0000-00-00`, `2024-00-15`. No calendar has them, MySQL does (manual, "NO_ZERO_IN_DATE"). */
function isZeroDate(bytes: Buffer, start: number): boolean {
  return (bytes[start + 5] === ZERO && bytes[start + 6] === ZERO) || (bytes[start + 8] === ZERO && bytes[start + 9] === ZERO)
}

export function date(column: ColumnSchema): CellDecoder {
  const notADate = unrepresentable(column)
  return (bytes, start, end, sink) => {
    if (isZeroDate(bytes, start)) notADate(bytes, start, end, sink)
    else sink.text(bytes, start, end)
  }
}

/** Rewritten as bytes: `T` for the blank, six digits of a second, `Z` where the session's UTC is the value's meaning. */
export function timestamp(column: ColumnSchema): CellDecoder {
  const notADate = unrepresentable(column)
  const length = column.logicalType === 'timestamp-utc' ? MICROS_BYTES + 1 : MICROS_BYTES
  const canonical = Buffer.alloc(MICROS_BYTES + 1, ZERO)
  canonical[MICROS_BYTES] = LETTER_Z
  return (bytes, start, end, sink) => {
    if (isZeroDate(bytes, start)) {
      notADate(bytes, start, end, sink)
      return
    }
    const copied = end - start
    for (let i = 0; i < copied; i++) canonical[i] = bytes[start + i] ?? ZERO
    canonical[SEPARATOR_AT] = LETTER_T
    canonical[SECONDS_BYTES] = POINT
    for (let i = Math.max(copied, SECONDS_BYTES + 1); i < MICROS_BYTES; i++) canonical[i] = ZERO
    sink.text(canonical, 0, length)
  }
}

/** Microseconds since 1970; a DATETIME is taken as UTC, which is what asking for this type means. */
export function epochMicroseconds(column: ColumnSchema): CellDecoder {
  const notADate = unrepresentable(column)
  return (bytes, start, end, sink) => {
    const at = (from: number, to: number): number => readSmall(bytes, start + from, start + to)
    const day = new Date(0)
    // `Date.UTC` would read the years 0 to 99 as 1900 to 1999.
    day.setUTCFullYear(at(0, 4), at(5, 7) - 1, at(8, DATE_BYTES))
    const isReal = !isZeroDate(bytes, start) && day.getUTCDate() === at(8, DATE_BYTES)
    if (!isReal) {
      notADate(bytes, start, end, sink)
      return
    }
    const millis = day.getTime() + (at(11, 13) * 3600 + at(14, 16) * 60 + at(17, SECONDS_BYTES)) * 1000
    const fraction = end - start > SECONDS_BYTES + 1 ? bytes.toString('latin1', start + SECONDS_BYTES + 1, end).padEnd(6, '0') : '0'
    const micros = BigInt(millis) * MICROS_PER_MILLI + BigInt(fraction)
    const narrow = Number(micros)
    if (Number.isSafeInteger(narrow)) sink.integer(narrow)
    else sink.bigint(micros)
  }
}

/** An amount of time from -838:59:59 to 838:59:59; a declared fraction is padded to six digits. */
export const time: CellDecoder = (bytes, start, end, sink) => {
  const point = bytes.indexOf(POINT, start)
  if (point === -1 || point >= end || end - point > 6) {
    sink.text(bytes, start, end)
    return
  }
  const padded = Buffer.alloc(point - start + 7, ZERO)
  bytes.copy(padded, 0, start, end)
  sink.text(padded, 0, padded.length)
}

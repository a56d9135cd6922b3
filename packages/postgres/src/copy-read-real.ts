import { Buffer } from 'node:buffer'
import type { RowSink } from '@tidemark/core/adapter'
import { fieldEnd } from './copy-text.ts'

const PLUS = 0x2b
const MINUS = 0x2d
const POINT = 0x2e
const ZERO = 0x30
const LETTER_E = 0x65
const TAB = 0x09
const NEWLINE = 0x0a

/** Powers of ten that a double holds exactly. */
const POWERS = Array.from({ length: 23 }, (_, i) => 10 ** i)
const MAX_POWER = 22
const MAX_DIGITS = 15

/** The chunk last seen, as the kind of view that gives short Latin-1 strings without a decoder's overhead. */
let view: Buffer = Buffer.alloc(0)

/**
 * A float of any length. `undefined` for NaN and the infinities, which the codec keeps as text.
 *
 * Most doubles print with 16 or 17 digits, so the long way is as common as the short one.
 */
export function readReal(bytes: Uint8Array, from: number, sink: RowSink): number | undefined {
  const short = readShortReal(bytes, from, sink)
  if (short !== undefined) return short
  if (view.buffer !== bytes.buffer || view.byteOffset !== bytes.byteOffset || view.length !== bytes.length) {
    view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  }
  const end = fieldEnd(bytes, from)
  const value = Number(view.toString('latin1', from, end))
  if (!Number.isFinite(value)) return undefined
  sink.real(value)
  return end
}

/**
 * A float of at most 15 digits and a small power of ten: both are exact doubles, so their one product or quotient is
 * the correctly rounded value (Clinger, "How to read floating point numbers accurately", 1990). `undefined` for all
 * others.
 */
function readShortReal(bytes: Uint8Array, from: number, sink: RowSink): number | undefined {
  let at = bytes[from] === MINUS ? from + 1 : from
  const first = at
  let mantissa = 0
  let point = -1
  for (let byte = bytes[at] ?? 0; ; byte = bytes[at] ?? 0) {
    const digit = byte - ZERO
    if (digit >= 0 && digit <= 9) mantissa = mantissa * 10 + digit
    else if (byte === POINT && point === -1) point = at
    else break
    at += 1
  }
  const digits = at - first - (point === -1 ? 0 : 1)
  if (digits === 0 || digits > MAX_DIGITS) return undefined
  let power = point === -1 ? 0 : point + 1 - at
  if (bytes[at] === LETTER_E) {
    const negative = bytes[at + 1] === MINUS
    at += negative || bytes[at + 1] === PLUS ? 2 : 1
    let exponent = 0
    for (let digit = (bytes[at] ?? 0) - ZERO; digit >= 0 && digit <= 9; digit = (bytes[at] ?? 0) - ZERO) {
      exponent = exponent * 10 + digit
      at += 1
    }
    power += negative ? -exponent : exponent
  }
  if (power > MAX_POWER || power < -MAX_POWER || (bytes[at] !== TAB && bytes[at] !== NEWLINE)) return undefined
  const value = power < 0 ? mantissa / (POWERS[-power] ?? 1) : mantissa * (POWERS[power] ?? 1)
  sink.real(bytes[from] === MINUS ? -value : value)
  return at
}

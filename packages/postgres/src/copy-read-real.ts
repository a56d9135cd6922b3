import { Buffer } from 'node:buffer'
import type { RowSink } from '@tidemark/core/adapter'
import { fieldEnd } from './copy-text.ts'
import { divideExactly } from './divide-exactly.ts'

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
/** Digits that a double surely holds exactly, and those of the longest that a server prints. */
const HEAD_DIGITS = 15
const MAX_DIGITS = 17

/** The chunk last seen, as the kind of view that gives short Latin-1 strings without a decoder's overhead. */
let view: Buffer = Buffer.alloc(0)

/** A float of any length. `undefined` for NaN and the infinities, which the codec keeps as text. */
export function readReal(bytes: Uint8Array, from: number, sink: RowSink): number | undefined {
  const quick = readDecimal(bytes, from, sink)
  if (quick !== undefined) return quick
  if (view.buffer !== bytes.buffer || view.byteOffset !== bytes.byteOffset || view.length !== bytes.length) {
    view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  }
  const end = fieldEnd(bytes, from)
  const value = Number(view.toString('latin1', from, end))
  if (!Number.isFinite(value)) return undefined
  sink.real(value)
  return end
}

/** A float without making a string of it, where that can be done exactly. `undefined`, with nothing given to the sink, for all others. */
function readDecimal(bytes: Uint8Array, from: number, sink: RowSink): number | undefined {
  const first = bytes[from] === MINUS ? from + 1 : from
  let at = first
  let head = 0
  let tail = 0
  let digits = 0
  let point = -1
  for (let byte = bytes[at] ?? 0; ; byte = bytes[at] ?? 0) {
    const digit = byte - ZERO
    if (digit >= 0 && digit <= 9) {
      if (digits < HEAD_DIGITS) head = head * 10 + digit
      else tail = tail * 10 + digit
      // Leading zeros are none.
      if (head !== 0) digits += 1
    } else if (byte === POINT && point === -1) point = at
    else break
    at += 1
  }
  if (at - first === (point === -1 ? 0 : 1) || digits > MAX_DIGITS) return undefined
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
  if (bytes[at] !== TAB && bytes[at] !== NEWLINE) return undefined
  const value = digits <= HEAD_DIGITS ? scaled(head, power) : scaledLong(head, { tail, tailDigits: digits - HEAD_DIGITS, power })
  if (value === undefined) return undefined
  sink.real(first === from ? value : -value)
  return at
}

/**
 * At most 15 digits and a small power of ten are both exact doubles, so their one product or quotient is the correctly
 * rounded value (Clinger, "How to read floating point numbers accurately", 1990).
 */
function scaled(head: number, power: number): number | undefined {
  if (power > MAX_POWER || power < -MAX_POWER) return undefined
  return power < 0 ? head / (POWERS[-power] ?? 1) : head * (POWERS[power] ?? 1)
}

/** Most doubles print with 16 or 17 digits and a point. */
function scaledLong(head: number, { tail, tailDigits, power }: { readonly tail: number; readonly tailDigits: number; readonly power: number }): number | undefined {
  if (power >= 0 || power < -MAX_POWER) return undefined
  return divideExactly(head, { tail, scale: POWERS[tailDigits] ?? 1, divisor: POWERS[-power] ?? 1 })
}

import type { ColumnSchema, Value } from '@tidemark/core/adapter'
import { compileCodec } from '../column-codec.ts'
import { undecodable } from './undecodable.ts'
import type { ValueReader } from './pgoutput-messages.ts'

const MINUS = 0x2d
const ZERO = 0x30
const LETTER_T = 0x74
const LETTER_X = 0x78
const BACKSLASH = 0x5c
const SPACE = 0x20
const PLUS = 0x2b
const SECONDS_LENGTH = 19
const MICROSECONDS_LENGTH = 26
/** Digits that surely fit a safe integer. */
const SAFE_DIGITS = 15

/** By bytes where that is simpler than by text, else by the codec that pages use. Both give the same values. */
export function compileValueReader(column: ColumnSchema): ValueReader {
  if (column.sourceType === 'money' || column.sourceType === 'money[]') return moneyReader(column)
  const codec = compileCodec(column)
  const slow: ValueReader = (bytes, from, to) => codec(bytes.toString('utf8', from, to))
  switch (column.logicalType) {
    case 'integer': return (bytes, from, to) => (to - from > SAFE_DIGITS ? slow(bytes, from, to) : integer(bytes, from, to))
    case 'boolean': return (bytes, from, to) => (to - from === 1 ? Number(bytes[from] === LETTER_T) : slow(bytes, from, to))
    case 'decimal': case 'text': case 'enum': case 'raw': case 'uuid': case 'json': case 'time': case 'interval': case 'bits':
      return readText
    case 'blob': return readBlob
    case 'timestamp': return (bytes, from, to) => timestamp(bytes, from, to) ?? slow(bytes, from, to)
    case 'timestamp-utc': return (bytes, from, to) => (bytes[to - 3] === PLUS ? timestamp(bytes, from, to - 3, 'Z') : undefined) ?? slow(bytes, from, to)
    case 'real': case 'scaled': case 'uuid-blob': case 'date': case 'epoch-us': case 'array':
      return slow
    default: return column.logicalType satisfies never
  }
}

function readText(bytes: Buffer, from: number, to: number): Value {
  return bytes.toString('utf8', from, to)
}

function integer(bytes: Buffer, from: number, to: number): number {
  const first = bytes[from] === MINUS ? from + 1 : from
  if (first === to) throw undecodable('has a number that is none')
  let value = 0
  for (let at = first; at < to; at += 1) {
    const digit = (bytes[at] ?? 0) - ZERO
    if (digit < 0 || digit > 9) throw undecodable('has a number that is none')
    value = value * 10 + digit
  }
  return first === from || value === 0 ? value : -value
}

/** `2024-01-02 03:04:05.6`; `undefined` for infinities, BC, years above 9999 and a zone that is not UTC: the codec then decides. */
function timestamp(bytes: Buffer, from: number, to: number, zone = ''): string | undefined {
  const length = to - from
  if (length < SECONDS_LENGTH || length > MICROSECONDS_LENGTH || bytes[from + 4] !== MINUS || bytes[from + 10] !== SPACE) return undefined
  const last = (bytes[to - 1] ?? 0) - ZERO
  if (last < 0 || last > 9) return undefined
  const text = bytes.toString('latin1', from, to)
  return `${text.slice(0, 10)}T${text.slice(11, 19)}.${text.slice(20).padEnd(6, '0')}${zone}`
}

/** Values of hexadecimal digits by their byte; 16 for what is none. */
const DIGITS = new Uint8Array(256).fill(16)
for (let digit = 0; digit < 16; digit += 1) DIGITS[digit.toString(16).charCodeAt(0)] = digit

/** `\x00ff`. */
function readBlob(bytes: Buffer, from: number, to: number): Value {
  if (bytes[from] !== BACKSLASH || bytes[from + 1] !== LETTER_X || (to - from) % 2 !== 0) throw undecodable('has a bytea value that is not in hexadecimal')
  const blob = new Uint8Array((to - from) / 2 - 1)
  for (let place = 0, at = from + 2; place < blob.length; place += 1, at += 2) {
    const high = DIGITS[bytes[at] ?? 0] ?? 16
    const low = DIGITS[bytes[at + 1] ?? 0] ?? 16
    if (high === 16 || low === 16) throw undecodable('has a bytea value that is not in hexadecimal')
    blob[place] = (high << 4) | low
  }
  return blob
}

/** A page asks for money as numeric, which a stream can't. The session has `lc_monetary` C: `-$1,234.50`. */
function moneyReader(column: ColumnSchema): ValueReader {
  const codec = compileCodec(column)
  if (column.sourceType === 'money') return (bytes, from, to) => codec(bytes.toString('latin1', from, to).replace(/[$,]/g, ''))
  return (bytes, from, to) => {
    const text = bytes.toString('latin1', from, to)
    // Amounts with a comma are quoted, and nothing else is.
    return codec(text.replace(/"([^"]*)"/g, (_, amount: string) => amount.replaceAll(',', '')).replaceAll('$', ''))
  }
}

import { TidemarkError, type ColumnSchema, type Value } from '@tidemark/core/adapter'
import { quoteBytes, quoteText } from './quote.ts'
import { parseSourceType } from './source-type.ts'

const DIGITS = /^-?\d+(?:\.\d+)?$/u
const MICROS = 1_000_000n

/**
 * A value as the target stores it, as a literal for the source: the way back through the codec of `cell-decoder.ts`.
 * `undefined`: no row of the source can have this value.
 */
export function storedLiteral(column: ColumnSchema, value: Value): string | undefined {
  if (value === null) return undefined
  const { base, isZerofill } = parseSourceType(column.sourceType)
  switch (column.logicalType) {
    case 'integer':
    case 'boolean':
    case 'decimal':
      return number(value)
    case 'scaled':
      return scaledNumber(value, column.scale)
    case 'real':
      return realNumber(value, base)
    case 'epoch-us':
      return epoch(value)
    case 'timestamp':
    case 'timestamp-utc':
      return text(value, (stored) => `'${plain(stored).replace('T', ' ').replace('Z', '')}'`)
    case 'date':
    case 'time':
      return text(value, (stored) => `'${plain(stored)}'`)
    case 'bits':
      return text(value, (stored) => /^[01]+$/u.test(stored) ? `b'${stored}'` : undefined)
    case 'uuid':
    case 'uuid-blob':
      return uuid(value, base)
    case 'blob':
      return value instanceof Uint8Array ? quoteBytes(value) : undefined
    case 'text':
    case 'raw':
      // Numbers stored as text are compared as numbers: padding is ours.
      if (isZerofill || base.endsWith('int') || base === 'year') return number(value)
      return text(value, quoteText)
    case 'enum':
    case 'json':
    case 'array':
    case 'interval':
      return text(value, quoteText)
    default:
      return column.logicalType satisfies never
  }
}

function text(value: Value, quote: (stored: string) => string | undefined): string | undefined {
  return typeof value === 'string' ? quote(value) : undefined
}

function number(value: Value): string | undefined {
  if (typeof value === 'boolean') return value ? '1' : '0'
  const digits = String(value)
  return DIGITS.test(digits) ? digits : undefined
}

function scaledNumber(value: Value, scale: number): string | undefined {
  const digits = number(value)
  if (digits === undefined || scale === 0) return digits
  const padded = digits.replace('-', '').padStart(scale + 1, '0')
  return `${digits.startsWith('-') ? '-' : ''}${padded.slice(0, -scale)}.${padded.slice(-scale)}`
}

function realNumber(value: Value, base: string): string | undefined {
  const stored = Number(value)
  if (!Number.isFinite(stored)) return undefined
  // A FLOAT is compared as the double it widens to, not as its shortest decimal form.
  const exact = String(base === 'float' ? Math.fround(stored) : stored)
  return exact.includes('e') ? exact : `${exact}e0`
}

function epoch(value: Value): string | undefined {
  if (typeof value !== 'bigint' && typeof value !== 'number') return undefined
  const micros = BigInt(value)
  const fraction = ((micros % MICROS) + MICROS) % MICROS
  const iso = new Date(Number((micros - fraction) / 1000n)).toISOString()
  return `'${iso.slice(0, 19).replace('T', ' ')}.${String(fraction).padStart(6, '0')}'`
}

function uuid(value: Value, base: string): string | undefined {
  const hex = value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value).replaceAll('-', '').toLowerCase()
  if (!/^[0-9a-f]{32}$/u.test(hex)) return undefined
  if (base === 'binary' || base === 'varbinary' || base.endsWith('blob')) return `X'${hex}'`
  return quoteText(`${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`)
}

function plain(stored: string): string {
  if (/^[-+0-9:. TZ]*$/u.test(stored)) return stored
  throw new TidemarkError('CONFIG_INVALID', 'A key value is not a date or time.', { issues: [{ path: 'keys', message: 'Not a date or time.' }] })
}

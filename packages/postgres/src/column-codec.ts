import { TidemarkError } from '@tidemark/core/adapter'
import type { ColumnSchema, Value } from '@tidemark/core/adapter'
import { arrayJson } from './array-text.ts'
import { dateText, epochMicroseconds, timestampText } from './timestamp-text.ts'
import { baseTypeName, defaultLogicalType } from './type-catalogue.ts'

/** The server's text of a value that is not NULL, to the value as it is stored. */
export type ColumnCodec = (text: string) => Value

/** Built once per column. Errors of the codec: `VALUE_UNREPRESENTABLE`, `SOURCE_CORRUPT_RESULT`. */
export function compileCodec(column: ColumnSchema): ColumnCodec {
  switch (column.logicalType) {
    case 'boolean': return (text) => (text === 't' ? 1 : 0)
    case 'integer': return (text) => (text.length < 16 ? Number(text) : narrow(BigInt(text)))
    case 'real': return realValue
    case 'scaled': return scaledCodec(column)
    case 'uuid-blob': return (text) => hexBytes(text.replaceAll('-', ''), 0)
    case 'blob': return blobValue
    case 'date': return orPolicy(column, dateText)
    case 'timestamp': return orPolicy(column, (text) => timestampText(text, false))
    case 'timestamp-utc': return orPolicy(column, (text) => timestampText(text, true))
    case 'epoch-us': return orPolicy(column, (text) => {
      const microseconds = epochMicroseconds(text)
      return microseconds === undefined ? undefined : narrow(microseconds)
    })
    case 'array': return arrayCodec(column)
    case 'decimal': case 'text': case 'enum': case 'raw': case 'uuid': case 'json': case 'time': case 'interval': case 'bits':
      return (text) => text
    default: return column.logicalType satisfies never
  }
}

function realValue(text: string): Value {
  const value = Number(text)
  return Number.isFinite(value) ? value : text
}

/** Safe integers as numbers, the rest as they are. */
export function narrow(value: bigint): number | bigint {
  const asNumber = Number(value)
  return Number.isSafeInteger(asNumber) ? asNumber : value
}

function scaledCodec(column: ColumnSchema): ColumnCodec {
  return orPolicy(column, (text) => {
    const match = /^(-?\d+)(?:\.(\d+))?$/.exec(text)
    if (match === null || (match[2] ?? '').length > column.scale) return undefined
    return narrow(BigInt(`${match[1]}${(match[2] ?? '').padEnd(column.scale, '0')}`))
  })
}

function blobValue(text: string): Uint8Array {
  if (!text.startsWith('\\x')) throw new TidemarkError('SOURCE_CORRUPT_RESULT', 'A bytea value is not in hexadecimal: the session lost bytea_output.')
  return hexBytes(text, 2)
}

function hexBytes(text: string, from: number): Uint8Array {
  const bytes = new Uint8Array((text.length - from) / 2)
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = Number.parseInt(text.slice(from + 2 * i, from + 2 * i + 2), 16)
  return bytes
}

/** Integers as digits, every other scalar as a string in its own canonical form. */
function arrayCodec(column: ColumnSchema): ColumnCodec {
  const elementType = column.sourceType.slice(0, -2)
  const element: ColumnSchema = { ...column, sourceType: elementType, logicalType: elementLogicalType(elementType) }
  const codec = compileCodec(element)
  const toJson = ((): (text: string) => string => {
    switch (element.logicalType) {
      case 'integer': return (text) => text
      case 'boolean': return (text) => (text === 't' ? '"true"' : '"false"')
      case 'date': case 'timestamp': case 'timestamp-utc': return (text) => JSON.stringify(codec(text))
      default: return (text) => JSON.stringify(text)
    }
  })()
  // Of all types only box has another delimiter.
  const delimiter = elementType === 'box' ? ';' : ','
  return (text) => arrayJson(text, toJson, delimiter)
}

function elementLogicalType(name: string): ColumnSchema['logicalType'] {
  return defaultLogicalType({ name: baseTypeName(name), kind: 'b', isArray: false })
}

function orPolicy(column: ColumnSchema, convert: (text: string) => Value | undefined): ColumnCodec {
  return (text) => convert(text) ?? unrepresentable(column, text)
}

/** Applies the column's policy. The error names the column, never the value. */
export function unrepresentable(column: ColumnSchema, text: string): Value {
  if (column.onUnrepresentable === 'text') return text
  if (column.onUnrepresentable === 'null') return null
  throw new TidemarkError('VALUE_UNREPRESENTABLE', `The column '${column.name}' holds a value that can't be stored as ${column.logicalType}.`)
}

import type { ColumnSchema, RowSink } from '@tidemark/core/adapter'
import { bits, bitsAsBoolean, bitsAsDigits } from './cells/bits.ts'
import { boolean, integer, paddedDigits } from './cells/integers.ts'
import { decimalText, real, scaled, shortestFloat } from './cells/numbers.ts'
import { date, epochMicroseconds, time, timestamp } from './cells/temporals.ts'
import { uuidFromBytes, uuidFromText } from './cells/uuids.ts'
import { parseSourceType, type SourceType } from './source-type.ts'
import { bitCount } from './type-catalogue.ts'

/** Writes the cell that lies at `start` to `end` into a sink. NULL never comes here. */
export type CellDecoder = (bytes: Buffer, start: number, end: number, sink: RowSink) => void

const asText: CellDecoder = (bytes, start, end, sink) => sink.text(bytes, start, end)
const asBlob: CellDecoder = (bytes, start, end, sink) => sink.blob(bytes, start, end)

/** The one place where a column's bytes get their meaning: pages, keys and streams all go through it. */
export function compileCell(column: ColumnSchema): CellDecoder {
  const type = parseSourceType(column.sourceType)
  switch (column.logicalType) {
    case 'integer':
      return type.base === 'bit' ? bits : integer(column)
    case 'boolean':
      return type.base === 'bit' ? bitsAsBoolean(column) : boolean(column)
    case 'decimal':
      return type.isZerofill ? decimalText : asText
    case 'scaled':
      return scaled(column)
    case 'real':
      return type.base === 'float' ? shortestFloat : real
    case 'bits':
      return bitsAsDigits(bitCount(type))
    case 'date':
      return date(column)
    case 'timestamp':
    case 'timestamp-utc':
      return timestamp(column)
    case 'epoch-us':
      return epochMicroseconds(column)
    case 'time':
      return time
    case 'uuid':
    case 'uuid-blob':
      return isBinary(type) ? uuidFromBytes(column) : uuidFromText(column)
    case 'blob':
      return asBlob
    case 'text':
      return type.base === 'bigint' && type.isUnsigned ? paddedDigits : asText
    case 'enum':
    case 'raw':
    case 'json':
    case 'array':
    case 'interval':
      return asText
    default:
      column.logicalType satisfies never
      return asText
  }
}

function isBinary(type: SourceType): boolean {
  return type.base.endsWith('binary') || type.base.endsWith('blob')
}

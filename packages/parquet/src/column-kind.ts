import type { ManifestTable, Value } from '@tidemark/core/adapter'
import type { SchemaElement } from 'hyparquet/src/index.js'
import { cellText, cellValue, dateDays, daysText, instantMicros, microsText } from './cell-text.ts'

export type Column = ManifestTable['columns'][number]

/** What the library takes for a cell, and gives for it. */
export type Physical = null | undefined | boolean | number | bigint | string | Uint8Array

/** A way to keep the values of a column in a file. Of all rows of the file every one that is not NULL must fit. */
export interface Kind {
  readonly element: Omit<SchemaElement, 'name' | 'repetition_type'>
  /** Says no to what would not come back as it is. */
  fits(value: Exclude<Value, null>, column: Column): boolean
  /** Absent: the value itself. */
  encode?(value: Exclude<Value, null>, column: Column): Physical
  /** `undefined` for what `encode` never gives. */
  decode(physical: Exclude<Physical, null | undefined>, column: Column): Value | undefined
}

export type KindName = 'int64' | 'double' | 'number' | 'named-double' | 'text' | 'bytes' | 'boolean' | 'date' | 'timestamp' | 'instant' | 'json'

const TEXT = { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } } as const
const LONE_SURROGATE = /\p{Surrogate}/u

/** Without an integer's look: in a column of integers, a number that is one is written as such. */
function isInteger(value: Value, { storage }: Column): value is number | bigint {
  return typeof value === 'bigint' ? value === BigInt.asIntN(64, value) : storage === 'integer' && Number.isSafeInteger(value) && !Object.is(value, -0)
}

/** Not found in its integers, so that a reader knows which of the two it was. */
function isFraction(value: Value, column: Column): value is number {
  return typeof value === 'number' && !isInteger(value, column) && !Object.is(value, -0) && !Number.isSafeInteger(value)
}

function isNamed(value: Value): value is string {
  return value === 'NaN' || value === 'Infinity' || value === '-Infinity'
}

export const KINDS: Readonly<Record<KindName, Kind>> = {
  int64: {
    element: { type: 'INT64' },
    fits: isInteger,
    encode: (value) => BigInt(value as number | bigint), // as `fits` has found
    decode: (physical) => (typeof physical === 'bigint' ? physical : undefined),
  },
  double: {
    element: { type: 'DOUBLE' },
    fits: (value, column) => typeof value === 'number' && !isInteger(value, column),
    decode: (physical) => (typeof physical === 'number' ? physical : undefined),
  },
  // Integers and fractions side by side, as SQLite has them in a column declared DECIMAL.
  number: {
    element: { type: 'DOUBLE' },
    fits: (value, column) => isFraction(value, column) || (isInteger(value, column) && Number.isSafeInteger(Number(value))),
    encode: Number,
    decode: (physical) => (typeof physical !== 'number' ? undefined : Number.isSafeInteger(physical) ? BigInt(physical) : physical),
  },
  // What is not finite is text of that name where it comes from.
  'named-double': {
    element: { type: 'DOUBLE' },
    fits: (value) => isNamed(value) || Number.isFinite(value),
    encode: Number,
    decode: (physical) => (typeof physical !== 'number' ? undefined : Number.isFinite(physical) ? physical : String(physical)),
  },
  text: {
    element: TEXT,
    fits: (value) => typeof value === 'string' && !LONE_SURROGATE.test(value),
    decode: (physical) => (typeof physical === 'string' ? physical : undefined),
  },
  bytes: {
    element: { type: 'BYTE_ARRAY' },
    fits: (value) => value instanceof Uint8Array,
    decode: (physical) => (physical instanceof Uint8Array ? physical : undefined),
  },
  boolean: {
    element: { type: 'BOOLEAN' },
    fits: (value) => typeof value === 'boolean',
    decode: (physical) => (typeof physical === 'boolean' ? physical : undefined),
  },
  date: {
    element: { type: 'INT32', converted_type: 'DATE', logical_type: { type: 'DATE' } },
    fits: (value) => dateDays(value) !== undefined,
    encode: dateDays,
    decode: (physical) => (typeof physical === 'number' ? daysText(physical) : undefined),
  },
  timestamp: {
    element: { type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit: 'MICROS' } },
    fits: (value) => instantMicros(value, '') !== undefined,
    encode: (value) => instantMicros(value, ''),
    decode: (physical) => (typeof physical === 'bigint' ? microsText(physical, '') : undefined),
  },
  instant: {
    element: { type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' } },
    fits: (value) => instantMicros(value, 'Z') !== undefined,
    encode: (value) => instantMicros(value, 'Z'),
    decode: (physical) => (typeof physical === 'bigint' ? microsText(physical, 'Z') : undefined),
  },
  // What has no type in common: each cell as JSON, as in NDJSON.
  json: {
    element: TEXT,
    fits: () => true,
    encode: cellText,
    decode: (physical, column) => (typeof physical === 'string' ? cellValue(physical, column) : undefined),
  },
}

/** In this order the first that fits all values of a file is taken. The column's declared type decides what comes first, and so what a file without values has. */
export function kindsFor({ storage, logicalType, sourceType }: Column): readonly KindName[] {
  switch (storage) {
    case 'real': return ['double', 'named-double', 'int64', 'text', 'bytes', 'boolean', 'json']
    case 'text': return [...temporal(logicalType), 'text', 'int64', 'double', 'bytes', 'boolean', 'json']
    case 'blob': return ['bytes', 'int64', 'double', 'text', 'boolean', 'json']
    default: return [...looseInteger(sourceType), 'int64', 'number', 'text', 'bytes', 'boolean', 'json']
  }
}

function temporal(logicalType: Column['logicalType']): readonly KindName[] {
  if (logicalType === 'date') return ['date']
  if (logicalType === 'timestamp') return ['timestamp']
  return logicalType === 'timestamp-utc' ? ['instant'] : []
}

/** SQLite stores what is declared so in its own way: numbers as integers where they are whole, dates as the texts that they are. */
function looseInteger(sourceType: string): readonly KindName[] {
  if (/int|bool/i.test(sourceType)) return []
  if (/dec|num|money/i.test(sourceType)) return ['number']
  return /date|time/i.test(sourceType) ? ['text'] : []
}

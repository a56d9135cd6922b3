import type { LogicalType, StorageClass } from '@tidemark/core/adapter'
import type { SourceType } from './source-type.ts'

/** How a family of types is stored: the default first, then what a user may ask for instead. */
interface TypeFamily {
  readonly logicalType: LogicalType
  readonly alternatives: readonly LogicalType[]
}

const INTEGER: TypeFamily = { logicalType: 'integer', alternatives: ['decimal', 'text', 'raw'] }
const TINYINT: TypeFamily = { logicalType: 'integer', alternatives: ['boolean', 'decimal', 'text', 'raw'] }
const DECIMAL: TypeFamily = { logicalType: 'decimal', alternatives: ['scaled', 'real', 'raw'] }
const REAL: TypeFamily = { logicalType: 'real', alternatives: ['raw'] }
const BITS: TypeFamily = { logicalType: 'integer', alternatives: ['bits', 'boolean'] }
const DATE: TypeFamily = { logicalType: 'date', alternatives: ['raw'] }
const DATETIME: TypeFamily = { logicalType: 'timestamp', alternatives: ['epoch-us', 'raw'] }
const TIMESTAMP: TypeFamily = { logicalType: 'timestamp-utc', alternatives: ['epoch-us', 'raw'] }
const TIME: TypeFamily = { logicalType: 'time', alternatives: ['raw'] }
const YEAR: TypeFamily = { logicalType: 'integer', alternatives: ['raw'] }
const CHARACTERS: TypeFamily = { logicalType: 'text', alternatives: ['json', 'uuid', 'uuid-blob', 'raw'] }
const BYTES: TypeFamily = { logicalType: 'blob', alternatives: ['uuid', 'uuid-blob'] }
const ENUM: TypeFamily = { logicalType: 'enum', alternatives: ['text', 'raw'] }
const SET: TypeFamily = { logicalType: 'text', alternatives: ['raw'] }
const JSON_TEXT: TypeFamily = { logicalType: 'json', alternatives: ['text', 'raw'] }
const UUID: TypeFamily = { logicalType: 'uuid', alternatives: ['uuid-blob', 'raw'] }
const GEOMETRY: TypeFamily = { logicalType: 'blob', alternatives: [] }
/** A type this table does not know arrives as the server prints it. */
const UNKNOWN: TypeFamily = { logicalType: 'raw', alternatives: ['text'] }

/** Types of MySQL 5.6 to 9 and MariaDB (manuals, "Data Types"). MariaDB's `json` is `longtext` and shows as such. */
const FAMILIES: Readonly<Record<string, TypeFamily>> = {
  tinyint: TINYINT, smallint: INTEGER, mediumint: INTEGER, int: INTEGER, bigint: INTEGER,
  decimal: DECIMAL, float: REAL, double: REAL, bit: BITS,
  date: DATE, datetime: DATETIME, timestamp: TIMESTAMP, time: TIME, year: YEAR,
  char: CHARACTERS, varchar: CHARACTERS, tinytext: CHARACTERS, text: CHARACTERS, mediumtext: CHARACTERS, longtext: CHARACTERS,
  binary: BYTES, varbinary: BYTES, tinyblob: BYTES, blob: BYTES, mediumblob: BYTES, longblob: BYTES, vector: BYTES,
  enum: ENUM, set: SET, json: JSON_TEXT, uuid: UUID,
  geometry: GEOMETRY, point: GEOMETRY, linestring: GEOMETRY, polygon: GEOMETRY, multipoint: GEOMETRY,
  multilinestring: GEOMETRY, multipolygon: GEOMETRY, geometrycollection: GEOMETRY, geomcollection: GEOMETRY,
}

const MAX_INTEGER_BITS = 63

/** The logical types that a source type allows, the default first. */
export function allowedTypes(type: SourceType): readonly LogicalType[] {
  const family = Object.hasOwn(FAMILIES, type.base) ? FAMILIES[type.base] ?? UNKNOWN : UNKNOWN
  // 64 bits do not fit a signed integer; only as digits are all of them kept.
  if (family === BITS && bitCount(type) > MAX_INTEGER_BITS) return ['bits']
  return [family.logicalType, ...family.alternatives]
}

export function bitCount(type: SourceType): number {
  return type.sizes[0] ?? 1
}

/** Digits after the point of a DECIMAL; the server's default is `decimal(10,0)`. */
export function decimalScale(type: SourceType): number {
  return type.base === 'decimal' ? type.sizes[1] ?? 0 : 0
}

/** Whether the text the server prints has fewer digits than the value: it does for FLOAT and for DOUBLE(M,D). */
export function isPrintedShort(type: SourceType): boolean {
  return type.base === 'float' || (type.base === 'double' && type.sizes.length === 2)
}

const STORAGE: Readonly<Record<LogicalType, StorageClass>> = {
  boolean: 'integer', integer: 'integer', scaled: 'integer', 'epoch-us': 'integer',
  real: 'real', 'uuid-blob': 'blob', blob: 'blob',
  decimal: 'text', text: 'text', enum: 'text', raw: 'text', uuid: 'text', json: 'text', array: 'text', date: 'text',
  timestamp: 'text', 'timestamp-utc': 'text', time: 'text', interval: 'text', bits: 'text',
}

export function storageOf(type: LogicalType): StorageClass {
  return STORAGE[type]
}

import { quoteIdentifier } from '../quote.ts'
import { parseSourceType } from '../source-type.ts'
import type { ExportColumn } from './export-columns.ts'

/** How the server itself prints a column's value as a literal. */
export interface LiteralExpression {
  /** Gives the literal as bytes; only for values that are not NULL. */
  readonly literal: string
  /** Gives the value as characters that are quoted here: the server takes twice the time for it, and nothing else can run meanwhile. */
  readonly text?: string | undefined
  /** Gives the value's bytes, for one that is too long for a statement; `undefined`: no value is long. */
  readonly raw: string | undefined
  /** The value, made of a variable that holds these bytes. */
  ofVariable(name: string): string
}

/** Values up to this length never need a variable. */
const SHORT_BYTES = 64

/**
 * Of these the bytes of a quoted literal are valid UTF-8 and come back as they were. Other character sets have bytes that no other one
 * has, or may hold bytes that are no characters: those are printed in hexadecimal digits, in their own character set.
 */
const AS_UTF8: Readonly<Record<string, (column: string) => string>> = {
  utf8mb4: (column) => `CAST(${column} AS BINARY)`,
  utf8mb3: (column) => `CAST(${column} AS BINARY)`,
  utf8: (column) => `CAST(${column} AS BINARY)`,
  // All 256 bytes of MySQL's latin1 have a character of their own.
  latin1: (column) => `CAST(CONVERT(${column} USING utf8mb4) AS BINARY)`,
}

const BINARY: ReadonlySet<string> = new Set(['binary', 'varbinary', 'tinyblob', 'blob', 'mediumblob', 'longblob'])
const CHARACTERS: ReadonlySet<string> = new Set(['char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext'])

export function literalExpression(column: ExportColumn): LiteralExpression {
  const name = quoteIdentifier(column.schema.name)
  const { base } = parseSourceType(column.schema.sourceType)
  if (BINARY.has(base)) return bound({ literal: hex('', name), raw: name, ofVariable: (variable) => variable }, column)
  if (CHARACTERS.has(base)) return { ...bound(text(name, column.charset), column), text: Object.hasOwn(AS_UTF8, column.charset ?? '') ? name : undefined }
  if (SPATIAL.has(base)) return { literal: hex('', name), raw: `UNHEX(HEX(${name}))`, ofVariable: (variable) => variable }
  if (base === 'json') return text(`CAST(${name} AS CHAR)`, 'utf8mb4')
  return short(shortLiteral(column, name, base))
}

function shortLiteral({ charset }: ExportColumn, name: string, base: string): string {
  switch (base) {
    case 'tinyint': case 'smallint': case 'mediumint': case 'int': case 'bigint': case 'decimal': case 'year':
      return name
    case 'float': case 'double':
      // As a double, which is printed in full. Quoted: the statement's own reading of `-0` is the integer 0.
      return `CONCAT('''', ${name} * 1e0, '''')`
    case 'bit':
      return `CONCAT('b''', BIN(${name} + 0), '''')`
    case 'enum': case 'set':
      // The empty text may be a member, or the value that stands for an error: its number tells them apart.
      return `IF(${name} = '', CONCAT(${name} + 0), ${text(name, charset).literal})`
    case 'date': case 'datetime': case 'timestamp': case 'time':
      return `CONCAT('''', ${name}, '''')`
    default:
      // Types that have no other form.
      return `CONCAT('''', CAST(${name} AS CHAR), '''')`
  }
}

/** Spatial values as they are stored: four bytes of SRID, then WKB. The server takes that form back. */
const SPATIAL: ReadonlySet<string> = new Set([
  'geometry', 'point', 'linestring', 'polygon', 'multipoint', 'multilinestring', 'multipolygon', 'geometrycollection', 'geomcollection', 'vector',
])

function short(literal: string): LiteralExpression {
  return { literal, raw: undefined, ofVariable: (variable) => variable }
}

function bound(expression: LiteralExpression, { maxBytes }: ExportColumn): LiteralExpression {
  return maxBytes !== undefined && maxBytes <= SHORT_BYTES ? { ...expression, raw: undefined } : expression
}

function hex(introducer: string, value: string): string {
  return `CONCAT('${introducer}X''', HEX(${value}), '''')`
}

/**
 * Backslashes mean one thing or another by `sql_mode`; the shells drop a carriage return before a line feed, end a statement at NUL and,
 * on Windows, a file at 0x1A. A text with one of these is printed in hexadecimal digits, so that nothing depends on who reads it.
 */
function text(name: string, charset = 'utf8mb4'): LiteralExpression {
  const raw = `CAST(${name} AS BINARY)`
  const ofVariable = (variable: string): string => `CONVERT(${variable} USING ${charset})`
  const asUtf8 = Object.hasOwn(AS_UTF8, charset) ? AS_UTF8[charset] : undefined
  if (asUtf8 === undefined) return { literal: hex(`_${charset} `, name), raw, ofVariable }
  const bytes = asUtf8(name)
  const isOdd = ['5C', '0D', '00', '1A'].map((byte) => `INSTR(${bytes}, X'${byte}')`).join(' OR ')
  const quoted = `CONCAT('''', REPLACE(${bytes}, '''', ''''''), '''')`
  return { literal: `IF(${isOdd}, ${hex('_utf8mb4 ', bytes)}, ${quoted})`, raw, ofVariable }
}

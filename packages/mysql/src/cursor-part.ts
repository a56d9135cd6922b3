import { TidemarkError, type ColumnSchema } from '@tidemark/core/adapter'
import { quoteIdentifier } from './quote.ts'
import { parseSourceType } from './source-type.ts'

/**
 * One column that rows are ordered by: how its value is selected as text, and how that text comes back as a literal
 * which compares exactly as the column is ordered.
 */
export interface CursorPart {
  readonly column: ColumnSchema
  /** Gives the cursor's text. */
  readonly select: string
  /** What is ordered and compared. */
  readonly order: string
  /** Errors: `STATE_CORRUPT` when a stored cursor is not a value of this type. */
  literal(text: string): string
}

type Form = 'number' | 'real' | 'ordinal' | 'plain' | 'text' | 'bytes'

/** Absent: a value of this type has no order, or none that its text can bring back. */
const FORMS: Readonly<Record<string, Form>> = {
  tinyint: 'number', smallint: 'number', mediumint: 'number', int: 'number', bigint: 'number', decimal: 'number', year: 'number',
  float: 'real', double: 'real', bit: 'ordinal', enum: 'ordinal', set: 'ordinal',
  date: 'plain', datetime: 'plain', timestamp: 'plain', time: 'plain', uuid: 'plain', inet4: 'plain', inet6: 'plain',
  char: 'text', varchar: 'text', tinytext: 'text', text: 'text', mediumtext: 'text', longtext: 'text',
  binary: 'bytes', varbinary: 'bytes', tinyblob: 'bytes', blob: 'bytes', mediumblob: 'bytes', longblob: 'bytes',
}

const NUMBER = /^-?\d+(?:\.\d+)?$/u
const REAL = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/iu
const PLAIN = /^[-+0-9a-f:. ]*$/iu
const HEX = /^(?:[0-9a-f]{2})*$/iu

/** Errors: `CONFIG_INVALID` for a type that rows can't be read in order of. */
export function cursorPart(column: ColumnSchema): CursorPart {
  const { base } = parseSourceType(column.sourceType)
  const form = Object.hasOwn(FORMS, base) ? FORMS[base] : undefined
  if (form === undefined) throw unordered(column, `Rows can't be read in order of a column of type ${base}.`)
  const name = quoteIdentifier(column.name)
  const literal = (text: string): string => literalOf(form, text)
  switch (form) {
    case 'real':
      return { column, select: `${name} * 1e0`, order: name, literal }
    case 'ordinal':
      // These are ordered by their number, not by their label.
      return { column, select: `${name} + 0`, order: name, literal }
    case 'bytes':
      return { column, select: `HEX(${name})`, order: name, literal }
    case 'number':
    case 'plain':
    case 'text':
      return { column, select: name, order: name, literal }
    default:
      return form satisfies never
  }
}

/** Like {@link cursorPart}, and refuses FLOAT: values that ought to differ by little are equal in it. */
export function trackingPart(column: ColumnSchema): CursorPart {
  if (parseSourceType(column.sourceType).base === 'float') {
    throw unordered(column, 'A FLOAT column can\'t be tracked: distinct values written to it become equal.')
  }
  return cursorPart(column)
}

function literalOf(form: Form, text: string): string {
  switch (form) {
    case 'number':
    case 'ordinal':
      return checked(text, NUMBER)
    case 'real':
      return /e/iu.test(text) ? checked(text, REAL) : `${checked(text, REAL)}e0`
    case 'plain':
      return `'${checked(text, PLAIN)}'`
    case 'text':
      // Compared under the column's collation: a literal gives way to a column (manual, "Collation Coercibility").
      return `_utf8mb4 X'${Buffer.from(text, 'utf8').toString('hex')}'`
    case 'bytes':
      return `X'${checked(text, HEX)}'`
    default:
      return form satisfies never
  }
}

function checked(text: string, pattern: RegExp): string {
  if (pattern.test(text)) return text
  throw new TidemarkError('STATE_CORRUPT', 'A stored cursor is not a value of the column it belongs to.')
}

function unordered(column: ColumnSchema, message: string): TidemarkError {
  return new TidemarkError('CONFIG_INVALID', message, {
    remedy: 'Track or key by an integer, a DECIMAL, a date or time, or a character or binary column.',
    issues: [{ path: `columns.${column.name}`, message }],
  })
}

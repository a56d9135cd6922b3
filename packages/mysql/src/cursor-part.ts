import { TidemarkError, type ColumnSchema } from '@tidemark/core/adapter'
import { quoteIdentifier } from './quote.ts'
import { parseSourceType } from './source-type.ts'

/** The server's default, pinned: more of it makes MySQL 5.6 run out of memory for sorting by two columns. */
export const MAX_SORT_LENGTH = 1024

/**
 * One column that rows are ordered by: how its value is selected as text, and how that text comes back as a literal
 * which compares exactly as the column is ordered.
 */
export interface CursorPart {
  readonly column: ColumnSchema
  /** Gives the cursor's text. */
  readonly select: string
  /** What is compared. */
  readonly order: string
  /** What the server sorts by, of `order` or of a column that holds its value. */
  sort(expression: string): string
  /**
   * From this many characters of a cursor's text on, the server may sort by a part of the value only, while it compares the
   * whole; see `refuseTruncated`. Absent: never.
   */
  readonly sortsShortFrom: number | undefined
  /** Errors: `STATE_CORRUPT` when a stored cursor is not a value of this type. */
  literal(text: string): string
}

/** Bytes of a value that a sort surely compares: the session's `max_sort_length`, less what is kept there of a binary value's length. */
export const SORTED_BYTES = MAX_SORT_LENGTH - 24

type Form = 'number' | 'real' | 'ordinal' | 'plain' | 'text' | 'bytes'

/** Absent: a value of this type has no order, or none that its text can bring back. */
const FORMS: Readonly<Record<string, Form>> = {
  tinyint: 'number', smallint: 'number', mediumint: 'number', int: 'number', bigint: 'number', decimal: 'number', year: 'number',
  float: 'real', double: 'real', bit: 'ordinal', enum: 'ordinal', set: 'ordinal',
  date: 'plain', datetime: 'plain', timestamp: 'plain', time: 'plain', uuid: 'plain', inet4: 'plain', inet6: 'plain',
  char: 'text', varchar: 'text', tinytext: 'text', text: 'text', mediumtext: 'text', longtext: 'text',
  binary: 'bytes', varbinary: 'bytes', tinyblob: 'bytes', blob: 'bytes', mediumblob: 'bytes', longblob: 'bytes',
}

/** Of a sort key's bytes: a character has at most eight, a byte has one and is two digits of a cursor. */
const SORTS_SHORT_FROM: Partial<Readonly<Record<Form, number>>> = { text: SORTED_BYTES / 8, bytes: SORTED_BYTES * 2 }

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
  return { column, select: selectOf(form, name), order: name, literal: (text) => literalOf(form, text), sort: sortOf(base), sortsShortFrom: SORTS_SHORT_FROM[form] }
}

function selectOf(form: Form, name: string): string {
  switch (form) {
    case 'real':
      return `${name} * 1e0`
    case 'ordinal':
      // These are ordered by their number, not by their label.
      return `${name} + 0`
    case 'bytes':
      return `HEX(${name})`
    case 'number':
    case 'plain':
    case 'text':
      return name
    default:
      return form satisfies never
  }
}

/**
 * MySQL 5.6 sorts the empty value of a TEXT column before all others (`Field_blob::make_sort_key`), while it compares as a blank
 * does: after a tab or a line feed. Here it is sorted as a blank where it is equal to one; under a collation without
 * padding it is not. No index is lost by it: one on TEXT holds a beginning only, and orders nothing.
 */
function sortOf(base: string): (expression: string) => string {
  return base.endsWith('text') ? (expression) => `IF(${expression} = ' ', ' ', ${expression})` : (expression) => expression
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

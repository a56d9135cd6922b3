import { TidemarkError, type Value } from '@tidemark/core/adapter'
import type { SqliteValue } from '../driver.ts'
import { narrowInteger } from '../narrow-integer.ts'
import { bytesOfHex } from '../source/bytes-of-hex.ts'
import type { StrictDecoder, TextForm } from '../source/cell-codec.ts'
import type { LayoutColumn } from './table-layout.ts'

/**
 * How values are asked for. `string`: as the driver gives them. `bytes`: texts as blobs. `tagged`: as the driver gives them where it rounds or
 * loses numbers; those then come as texts with a mark in front. `tagged-bytes`: both.
 */
export type ValueForm = TextForm | 'tagged' | 'tagged-bytes'

/** What a driver is first asked for. */
export type HostForm = Exclude<ValueForm, 'tagged-bytes'>

/** In front of a number, and of a text that itself begins with it. No driver loses it, and hardly a text begins with it. */
const TAG = '\u0001'
const TAG_CODE = 1
const TEXT_TAG = 't'

/** What to do with a text that is no valid text. */
export type TextPolicy = 'error' | 'replace'

export interface ReadingOptions {
  /** As texts were asked for. */
  readonly form: ValueForm
  /** Whether integers come as `bigint`, whatever their size. */
  readonly bigints: boolean
  /** Whether they shall stay that in every column. */
  readonly keepsBigints: boolean
  readonly decoder: StrictDecoder
  readonly onInvalidText: TextPolicy
}

/** Turns what a driver read for one column into the value of an event. */
export type ValueReader = (value: Value) => Value

export function isTagged(form: ValueForm): boolean {
  return form === 'tagged' || form === 'tagged-bytes'
}

/**
 * The expression to select for a value. As bytes, texts travel as blobs and, so that the two can be told apart without a second
 * expression, the few blobs as hexadecimal text.
 */
export function valueSql(expression: string, form: ValueForm): string {
  if (form === 'string') return expression
  const texts = form === 'tagged' ? markedText(expression) : ` WHEN 'text' THEN CAST(${expression} AS BLOB) WHEN 'blob' THEN hex(${expression})`
  return `CASE typeof(${expression})${texts}${isTagged(form) ? markedNumbers(expression) : ''} ELSE ${expression} END`
}

function markedText(expression: string): string {
  return ` WHEN 'text' THEN CASE unicode(${expression}) WHEN ${TAG_CODE} THEN char(${TAG_CODE}) || '${TEXT_TAG}' || ${expression} ELSE ${expression} END`
}

/** Every integer, since one and one point zero may be the same to the driver, and of doubles the infinities. */
function markedNumbers(expression: string): string {
  const marked = `char(${TAG_CODE}) || ${expression}`
  return ` WHEN 'integer' THEN ${marked} WHEN 'real' THEN CASE abs(${expression}) WHEN 9e999 THEN ${marked} ELSE ${expression} END`
}

/** Compiled once per column, so that no value is looked at for what its column already says. */
export function valueReader(column: LayoutColumn, options: ReadingOptions): ValueReader {
  const integer = integerReader(column, options)
  const { form, decoder, onInvalidText } = options
  if (form === 'string') return integer
  if (form === 'tagged') return (value) => (isMarked(value) ? integer(unmarked(value)) : value)
  return (value) => {
    if (value instanceof Uint8Array) return decoder(value) ?? invalidText(column, value, onInvalidText)
    if (typeof value !== 'string') return integer(value)
    return isMarked(value) ? integer(unmarked(value)) : bytesOfHex(value)
  }
}

/** Whether a value of a tagged form is another one than it looks. */
export function isMarked(value: Value): value is string {
  return typeof value === 'string' && value.startsWith(TAG)
}

/** What is behind the mark. Integers as `bigint`, for the reader of integers to decide on. */
export function unmarked(value: string): Value {
  if (value.charAt(TAG.length) === TEXT_TAG) return value.slice(TAG.length + TEXT_TAG.length)
  const text = value.slice(TAG.length)
  // SQLite's words for the infinities.
  if (text.endsWith('Inf')) return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  return BigInt(text)
}

/** What stands for a value of a comparison in SQL, and what is bound to it. The driver of a tagged form can't bind every number. */
export function boundValue(value: Value, form: ValueForm): { readonly sql: string; readonly parameters: readonly SqliteValue[] } {
  if (typeof value === 'boolean') return { sql: '?', parameters: [value ? 1 : 0] }
  if (isTagged(form) && typeof value === 'number' && !Number.isFinite(value)) return { sql: value > 0 ? '9e999' : '-9e999', parameters: [] }
  // The plus takes the affinity away that CAST would lend to the column compared with.
  if (isTagged(form) && typeof value === 'bigint' && BigInt.asIntN(SAFE_BITS, value) !== value) return { sql: '+CAST(? AS INTEGER)', parameters: [String(value)] }
  // Drivers bind a number as a double; a whole one is an integer to SQLite's keys either way, but exactly so only as one.
  return { sql: '?', parameters: [typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value] }
}

/** Numbers of these many bits are exact as doubles. */
const SAFE_BITS = 53

/** Without affinity 1 and 1.0 are different cells: there integers stay bigint, so that only doubles are numbers. */
function integerReader(column: LayoutColumn, options: ReadingOptions): ValueReader {
  const keeps = !options.bigints || options.keepsBigints || column.affinity === 'blob'
  return keeps ? (value) => value : (value) => (typeof value === 'bigint' ? narrowInteger(value) : value)
}

function invalidText(column: LayoutColumn, bytes: Uint8Array, policy: TextPolicy): string {
  if (policy === 'replace') return new TextDecoder().decode(bytes)
  throw new TidemarkError('VALUE_UNREPRESENTABLE', `The column '${column.name}' holds a text that is no valid text.`, {
    remedy: 'Mend the value, or set `onInvalidText` to \'replace\'.',
  })
}

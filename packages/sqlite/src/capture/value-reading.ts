import { TidemarkError, type Value } from '@tidemark/core/adapter'
import { narrowInteger } from '../narrow-integer.ts'
import { bytesOfHex } from '../source/bytes-of-hex.ts'
import type { StrictDecoder, TextForm } from '../source/cell-codec.ts'
import type { LayoutColumn } from './table-layout.ts'

/** What to do with a text that is no valid text. */
export type TextPolicy = 'error' | 'replace'

export interface ReadingOptions {
  /** As texts were asked for. */
  readonly form: TextForm
  /** Whether integers come as `bigint`, whatever their size. */
  readonly bigints: boolean
  /** Whether they shall stay that in every column. */
  readonly keepsBigints: boolean
  readonly decoder: StrictDecoder
  readonly onInvalidText: TextPolicy
}

/** Turns what a driver read for one column into the value of an event. */
export type ValueReader = (value: Value) => Value

/**
 * The expression to select for a value. As bytes, texts travel as blobs and, so that the two can be told apart without a second
 * expression, the few blobs as hexadecimal text.
 */
export function valueSql(expression: string, form: TextForm): string {
  if (form === 'string') return expression
  return `CASE typeof(${expression}) WHEN 'text' THEN CAST(${expression} AS BLOB) WHEN 'blob' THEN hex(${expression}) ELSE ${expression} END`
}

/** Compiled once per column, so that no value is looked at for what its column already says. */
export function valueReader(column: LayoutColumn, options: ReadingOptions): ValueReader {
  const integer = integerReader(column, options)
  if (options.form === 'string') return integer
  const { decoder, onInvalidText } = options
  return (value) => {
    if (value instanceof Uint8Array) return decoder(value) ?? invalidText(column, value, onInvalidText)
    return typeof value === 'string' ? bytesOfHex(value) : integer(value)
  }
}

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

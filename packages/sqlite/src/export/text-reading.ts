import type { Value } from '@tidemark/core/adapter'
import { valueReader, valueSql, type ReadingOptions } from '../capture/value-reading.ts'
import { strictDecoder } from '../source/cell-codec.ts'

/**
 * How values come from a driver exactly.
 *
 * - `string`: as they are; integers as `bigint`.
 * - `tagged`: it has no integers but doubles, so that numbers are asked for as marked texts.
 * - `bytes`: it does not survive a text that is none, so that texts are asked for as blobs, and numbers as marked texts.
 */
export type ExportTextForm = 'string' | 'tagged' | 'bytes'

export interface TextReading {
  /** What to select for a text that may hold anything; `decode` gives it back, with replacement characters for what is no text. */
  text(expression: string): string
  decode(value: Value | undefined): string
  /** What to select for a value of any kind; `read` gives it back. Integers are `bigint`. */
  value(expression: string): string
  read(value: Value): Value
}

/** Without affinity an integer stays a bigint, also a small one. */
const ANY_COLUMN = { name: '', type: '', nullable: true, generated: false, affinity: 'blob' } as const

export function textReading(form: ExportTextForm, encoding: string): TextReading {
  const valueForm = form === 'bytes' ? 'tagged-bytes' : form
  const options: ReadingOptions = { form: valueForm, bigints: true, keepsBigints: true, decoder: form === 'bytes' ? strictDecoder(encoding) : () => undefined, onInvalidText: form === 'bytes' ? 'error' : 'replace' }
  const decoder = new TextDecoder(encoding.toLowerCase(), { ignoreBOM: true })
  return {
    text: (expression) => (form === 'bytes' ? `CAST(${expression} AS BLOB)` : expression),
    decode: (value) => (value instanceof Uint8Array ? decoder.decode(value) : String(value)),
    value: (expression) => valueSql(expression, valueForm),
    read: valueReader(ANY_COLUMN, options),
  }
}

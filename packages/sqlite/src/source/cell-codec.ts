import { TidemarkError, type ColumnSchema, type RowValues, type Value } from '@tidemark/core/adapter'
import { isMarked, isTagged, unmarked, valueSql, type HostForm, type ValueForm } from '../capture/value-reading.ts'
import { narrowInteger } from '../narrow-integer.ts'
import { quote } from '../quote.ts'
import { bytesOfHex } from './bytes-of-hex.ts'

/** How texts are asked for: as the driver's strings, or as bytes that are decoded here, without loss. */
export type TextForm = 'string' | 'bytes'

/** Decodes or says `undefined`. */
export type StrictDecoder = (bytes: Uint8Array) => string | undefined

export interface TextReading {
  readonly form: ValueForm
  /** Of the database's own encoding. */
  readonly decoder: StrictDecoder
}

/** One value of a row: what to select for it, and how to read that. */
export interface CellCodec {
  /** One or two expressions over the table alias `s`. */
  readonly expressions: readonly string[]
  /**
   * The value as the copy stores it; `at` is where the first of the expressions stands.
   * Errors: `VALUE_UNREPRESENTABLE` by the column's policy, for bytes that are no text and for an infinity.
   */
  read(row: RowValues, at: number): Value
  /** The value itself. Errors: `VALUE_UNREPRESENTABLE` for bytes that are no text. */
  readExact(row: RowValues, at: number): Value
}

export function compileCell(column: ColumnSchema, text: TextReading): CellCodec {
  // An alias in front, or SQLite takes the name of a column that is gone for a string.
  const name = `s.${quote(column.name)}`
  if (isTagged(text.form)) return taggedCell(column, name, text)
  // Only a column without affinity can hold both 1 and 1.0, which are one number to JavaScript.
  if (text.form === 'string' && column.storage !== 'blob') {
    return { expressions: [name], read: (row, at) => finite(column, row[at] ?? null), readExact: (row, at) => row[at] ?? null }
  }
  if (column.storage !== 'blob') return swappedCell(column, name, text.decoder)
  const value = text.form === 'string' ? name : `CASE typeof(${name}) WHEN 'text' THEN CAST(${name} AS BLOB) ELSE ${name} END`
  return {
    expressions: [`typeof(${name})`, value],
    read: (row, at) => finite(column, ofClass(column, row[at + 1] ?? null, { storageClass: row[at], decoder: text.decoder })),
    readExact: (row, at) => ofClass({ ...column, onUnrepresentable: 'error' }, row[at + 1] ?? null, { storageClass: row[at], decoder: text.decoder }),
  }
}

/**
 * Texts travel as bytes and, so that the two can be told apart without a second expression, the few blobs of a column that is not
 * meant for them as text.
 */
function swappedCell(column: ColumnSchema, name: string, decoder: StrictDecoder): CellCodec {
  const swapped = (value: Value, owner: ColumnSchema): Value => {
    if (value instanceof Uint8Array) return textOf(owner, value, decoder)
    return typeof value === 'string' ? bytesOfHex(value) : value
  }
  return {
    expressions: [`CASE typeof(${name}) WHEN 'text' THEN CAST(${name} AS BLOB) WHEN 'blob' THEN hex(${name}) ELSE ${name} END`],
    read: (row, at) => finite(column, swapped(row[at] ?? null, column)),
    readExact: (row, at) => swapped(row[at] ?? null, { ...column, onUnrepresentable: 'error' }),
  }
}

/** Where the driver has no integers: numbers travel as marked texts, and with texts as bytes, blobs as in a swapped cell. */
function taggedCell(column: ColumnSchema, name: string, { form, decoder }: TextReading): CellCodec {
  const decoded = (value: Value, owner: ColumnSchema): Value => {
    if (isMarked(value)) return narrowed(unmarked(value), owner)
    if (form === 'tagged') return value
    if (value instanceof Uint8Array) return textOf(owner, value, decoder)
    return typeof value === 'string' ? bytesOfHex(value) : value
  }
  return {
    expressions: [valueSql(name, form)],
    read: (row, at) => finite(column, decoded(row[at] ?? null, column)),
    readExact: (row, at) => decoded(row[at] ?? null, { ...column, onUnrepresentable: 'error' }),
  }
}

/** Only a column without affinity can hold both 1 and 1.0: there an integer stays a `bigint`. */
function narrowed(value: Value, { storage }: ColumnSchema): Value {
  return typeof value === 'bigint' && storage !== 'blob' ? narrowInteger(value) : value
}

/** The form that tells a replacement character that was stored from bytes that are no text; `undefined`: `form` is one. */
export function formOfBytes(form: ValueForm): ValueForm | undefined {
  return WITH_BYTES[form]
}

const WITH_BYTES: Partial<Record<ValueForm, ValueForm>> = { string: 'bytes', tagged: 'tagged-bytes' } satisfies Partial<Record<HostForm, ValueForm>>

/** What a driver's string has in place of bytes that are no UTF-8. Also a character in its own right. */
const REPLACEMENT = '\uFFFD'

/** Whether a string may stand for bytes that are no text. */
export function isSuspect(value: Value | undefined): boolean {
  return typeof value === 'string' && value.includes(REPLACEMENT)
}

/** `encoding` as `PRAGMA encoding` names it. */
export function strictDecoder(encoding: string): StrictDecoder {
  const decoder = new TextDecoder(encoding.toLowerCase(), { fatal: true, ignoreBOM: true })
  return (bytes) => {
    try {
      return decoder.decode(bytes)
    } catch {
      return undefined
    }
  }
}

function ofClass(column: ColumnSchema, value: Value, cell: { readonly storageClass: Value | undefined; readonly decoder: StrictDecoder }): Value {
  if (cell.storageClass === 'text' && value instanceof Uint8Array) {
    return textOf(column, value, cell.decoder)
  }
  // A bigint is bound as an integer by every driver, a number as a double.
  if (cell.storageClass === 'integer' && typeof value === 'number' && column.storage === 'blob') return BigInt(value)
  return value
}

function textOf(column: ColumnSchema, bytes: Uint8Array, decoder: StrictDecoder): Value {
  return decoder(bytes) ?? unrepresentable(column, 'a text that is no valid text', () => new TextDecoder().decode(bytes))
}

function finite(column: ColumnSchema, value: Value): Value {
  if (typeof value !== 'number' || Number.isFinite(value)) return value
  // The form that `real` has in every copy; elsewhere a text would not be what it was.
  return column.logicalType === 'real' ? String(value) : unrepresentable(column, 'an infinity', () => String(value))
}

/** Applies the column's policy. The error names the column, never the value. */
function unrepresentable(column: ColumnSchema, what: string, toText: () => string): Value {
  if (column.onUnrepresentable === 'text') return toText()
  if (column.onUnrepresentable === 'null') return null
  throw new TidemarkError('VALUE_UNREPRESENTABLE', `The column '${column.name}' holds ${what}.`)
}

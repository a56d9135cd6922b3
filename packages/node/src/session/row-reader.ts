import type { DatabaseSync } from 'node:sqlite'
import { narrowInteger, quote, strictDecoder } from '@tidemark/sqlite'
import type { UnrepresentablePolicy, Value } from '@tidemark/core/adapter'
import { brokenText } from './cell-policy.ts'
import { allRows, type RawRow, type RawValue } from './statements.ts'

/** What a runtime's string has in place of bytes that are no UTF-8. Also a character in its own right. */
const REPLACEMENT = '\uFFFD'

export interface ReadableColumns {
  readonly names: readonly string[]
  readonly isUntyped: readonly boolean[]
  /** Columns to which no policy applies: another key would be another row's. */
  readonly key: readonly string[]
}

/** How texts are had without loss on this connection. */
export interface TextReading {
  /** Whether the runtime's strings end at a NUL, see `textForm`: texts are then always read as bytes. */
  readonly isCutAtNul: boolean
  /** As `PRAGMA encoding` names it. */
  readonly encoding: string
  readonly decode: (bytes: Uint8Array) => string | undefined
  readonly policy: UnrepresentablePolicy
}

export function textReading(database: DatabaseSync, policy: UnrepresentablePolicy): TextReading {
  const [probe] = allRows(database, 'SELECT \'a\' || char(0) || \'b\', (SELECT encoding FROM pragma_encoding)')
  const encoding = String(probe?.[1])
  return { isCutAtNul: probe?.[0] !== 'a\0b', encoding, decode: strictDecoder(encoding), policy }
}

/** Values of a row as they are in the table, for one list of columns. */
export class RowReader {
  readonly #columns: ReadableColumns
  readonly #text: TextReading
  /** The columns as the runtime reads them. */
  readonly plain: string
  /** The columns with their class and with texts as bytes. */
  readonly exact: string

  constructor(columns: ReadableColumns, text: TextReading) {
    this.#columns = columns
    this.#text = text
    // An alias in front, or SQLite takes the name of a column that is gone for a string.
    const names = columns.names.map((name) => `s.${quote(name)}`)
    this.exact = names.map((name) => `typeof(${name}), CASE typeof(${name}) WHEN 'text' THEN CAST(${name} AS BLOB) ELSE ${name} END`).join(', ')
    this.plain = text.isCutAtNul ? this.exact : names.join(', ')
  }

  /** `undefined`: a text may have been damaged on the way, read the row again as `exact`. */
  values(row: RawRow): readonly Value[] | undefined {
    if (this.#text.isCutAtNul) return this.exactValues(row)
    return row.some(isSuspect) ? undefined : row.map((value, index) => this.#value(value, index))
  }

  /** Errors: `VALUE_UNREPRESENTABLE` by policy. */
  exactValues(row: RawRow): readonly Value[] {
    return this.#columns.names.map((name, index) => {
      const value = row[2 * index + 1] ?? null
      if (row[2 * index] !== 'text' || !(value instanceof Uint8Array)) return this.#value(value, index)
      return this.#text.decode(value) ?? brokenText(value, name, this.#columns.key.includes(name) ? 'error' : this.#text.policy)
    })
  }

  #value(value: RawValue, index: number): Value {
    if (typeof value !== 'bigint') return value
    return this.#columns.isUntyped[index] === true ? value : narrowInteger(value)
  }
}

function isSuspect(value: RawValue): boolean {
  return typeof value === 'string' && value.includes(REPLACEMENT)
}


import type { Value } from '../change/value.ts'
import type { Cursor } from './cursor.ts'

/**
 * Takes the cells of a row one by one, in column order, then `endRow`. Byte ranges are copied before the call
 * returns, so a decoder may reuse its buffer. A decoder begins a row only when it has all of its bytes: between two
 * `push` calls no row is half given.
 *
 * `text` ranges are UTF-8 and stored as they are. A sink throws `TARGET_ROW_TOO_LARGE` from `endRow`.
 */
export interface RowSink {
  null(): void
  /** A safe integer. */
  integer(value: number): void
  /** Any 64-bit signed integer. */
  bigint(value: bigint): void
  /** A finite float. */
  real(value: number): void
  text(bytes: Uint8Array, start: number, end: number): void
  blob(bytes: Uint8Array, start: number, end: number): void
  /** The slow door for everything else. Booleans become 0 or 1. */
  value(value: Value): void
  endRow(): void
}

/**
 * Turns an engine's bytes into cells. Chunks may break anywhere, also inside a character or an escape.
 * Errors: `VALUE_UNREPRESENTABLE` by column policy, `SOURCE_CORRUPT_RESULT` on bytes that can't be.
 */
export interface RowDecoder {
  push(chunk: Uint8Array, sink: RowSink): void
  /** Call once after the last chunk: a row cut in half is `SOURCE_CORRUPT_RESULT`. */
  end(): void
  /** Rows completed so far. */
  readonly rows: number
  /** Cursor of the last completed row; `undefined` before the first, or when the stream has no key. */
  readonly last: Cursor | undefined
}

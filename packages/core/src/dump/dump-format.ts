import type { RowValues } from '../change/value.ts'
import type { DumpFormatName, ManifestTable } from './manifest.ts'

/** Rows into bytes, for one object. Deterministic: the same rows give the same bytes. */
export interface RowEncoder {
  /** Errors: `VALUE_UNREPRESENTABLE` with the column's name and no value. */
  add(row: RowValues): void
  /** Bytes encoded since the last `take`. A guess where `appends` is false. */
  readonly size: number
  /** What was encoded since the last `take`. Where `appends` is false: the whole object, once. */
  take(): Uint8Array
}

/** A stretch of decoded rows. */
export interface DecodedRows {
  /** In the order of the table's columns. */
  readonly rows: readonly RowValues[]
  /** Bytes of the object up to behind these rows, where decoding can begin another time. Absent: not here. */
  readonly end?: number | undefined
}

/** A place in an object at which decoding begins. */
export interface ObjectEntry {
  /** An `end` that was given before. */
  readonly byte: number
  /** Rows before it. */
  readonly row: number
}

export const OBJECT_BEGIN: ObjectEntry = { byte: 0, row: 0 }

/** How rows of a table are written and read. SQL is not one of them: the engine renders that. */
export interface DumpFormat {
  readonly name: Exclude<DumpFormatName, 'sql'>
  /** Without a dot. */
  readonly extension: string
  readonly contentType: string
  /** Whether rows can be added to an object that was begun earlier. Where not, an object is made at once and layout `single` is refused. */
  readonly appends: boolean
  /** Bytes before the first row of an object, such as CSV's header. */
  header(table: ManifestTable): Uint8Array
  encoder(table: ManifestTable): RowEncoder
  /**
   * The rows of one whole object (its header included), in batches of at most 1,000. The source may be cut anywhere. With `from`, which is asked only of who gives an `end`,
   * the source begins there.
   * Errors: `DUMP_CORRUPT` with the row's number (from 1) and no value.
   */
  decode(table: ManifestTable, bytes: AsyncIterable<Uint8Array>, from?: ObjectEntry): AsyncIterable<DecodedRows>
}

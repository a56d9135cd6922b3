import type { Value } from './value.ts'

/** What happened to a row; `snapshot` is a row as it stood when it was read. */
export type ChangeOp = 'insert' | 'update' | 'delete' | 'truncate' | 'snapshot'

/** A row by column name: a plain object, whose own properties are the columns, whatever they are called. */
export type ChangeRow = Readonly<Record<string, Value>>

/** The transaction a change belongs to. */
export interface ChangeTransaction {
  /**
   * Unique in one source. Where the source does not record where one transaction ends (`capabilities.transactions` is
   * `merged`), it names the whole transactions that were read together and may differ on redelivery.
   */
  readonly id: string
  /** Place of the change in its transaction, from 0. */
  readonly sequence: number
  /** Whether it is the transaction's last change. */
  readonly last: boolean
  /** Milliseconds since 1970; `undefined` where the source does not keep it. */
  readonly committedAtMs: number | undefined
  /** Who wrote it, where the writer said so: the peer of a propagated transaction. Prevents loops. */
  readonly origin: string | undefined
}

/** Where a change comes from. */
export interface ChangeOrigin {
  readonly connector: ChangeConnector
  /** The source's logical name, as the user chose it. */
  readonly name: string
  /** Whether the row was read from the table (`initial`) and not from the log. */
  readonly snapshot: false | 'initial'
  /** Epoch and sequence, printable. Equal on redelivery; string order is commit order within one epoch. */
  readonly position: string
  /** Grows with every change of the table's columns or key. */
  readonly schemaVersion: number
  /** When this process read it, in milliseconds since 1970. */
  readonly receivedAtMs: number
}

export type ChangeConnector = 'sqlite' | 'postgresql' | 'mysql' | 'mariadb'

interface ChangeBase<Table extends string> {
  /** Deterministic: equal on redelivery, unique in one source. */
  readonly id: string
  /** `public` in PostgreSQL, the database in MySQL, `main` in SQLite. */
  readonly schema: string | null
  readonly table: Table
  /** Columns that the source did not send; absent from the images, never an invented NULL. Nearly always empty. */
  readonly unavailable: readonly string[]
  readonly tx: ChangeTransaction
  readonly source: ChangeOrigin
}

/** How much of the row `before` has: all of it, its key only, or nothing. */
export type BeforeKind = 'full' | 'key' | 'none'

/**
 * A row that is there now. Where a source can't tell a replaced row from a new one, an insert may meet a row of the same
 * key: apply it as an upsert.
 */
export interface RowInserted<Table extends string = string, Row extends object = ChangeRow> extends ChangeBase<Table> {
  readonly op: 'insert' | 'snapshot'
  /** The row's key; of a table without one, the engine's own row number where it has one, else `null`. */
  readonly key: Readonly<Partial<Row>> | null
  readonly before: null
  readonly beforeKind: 'none'
  readonly after: Readonly<Row>
}

export interface RowUpdated<Table extends string = string, Row extends object = ChangeRow> extends ChangeBase<Table> {
  readonly op: 'update'
  /**
   * The key after the change. Where it differs from `before`'s, the row has moved: one event, not two. As with an insert, a row of the
   * new key may be there: it was replaced.
   */
  readonly key: Readonly<Partial<Row>> | null
  readonly before: Readonly<Partial<Row>> | null
  readonly beforeKind: BeforeKind
  /** Without the columns in `unavailable`. */
  readonly after: Readonly<Partial<Row>>
  /** Columns whose value differs; `undefined` unless both images are full. Empty for an update that changed nothing. */
  readonly changed: readonly string[] | undefined
}

export interface RowDeleted<Table extends string = string, Row extends object = ChangeRow> extends ChangeBase<Table> {
  readonly op: 'delete'
  /** The key before the change. */
  readonly key: Readonly<Partial<Row>> | null
  readonly before: Readonly<Partial<Row>> | null
  readonly beforeKind: BeforeKind
  readonly after: null
}

/** All rows of the table are gone. */
export interface TableTruncated<Table extends string = string> extends ChangeBase<Table> {
  readonly op: 'truncate'
  readonly key: null
  readonly before: null
  readonly beforeKind: 'none'
  readonly after: null
}

export type ChangeOf<Table extends string = string, Row extends object = ChangeRow> =
  | RowInserted<Table, Row> | RowUpdated<Table, Row> | RowDeleted<Table, Row> | TableTruncated<Table>

/** Any tables: what a stream without a `DB` type gives. */
export type AnyChangeTables = Record<string, ChangeRow>

/** A column as a query returns it: Kysely's `ColumnType` and `Generated` name that type `__select__`. */
type Selected<Column> = Column extends { readonly __select__: infer Type } ? Type : Column

/** One change; narrows by `table` where the stream was given a Kysely `DB` type, and by `op` always. */
export type ChangeEvent<DB = AnyChangeTables> = string extends keyof DB
  ? ChangeOf
  : { [Table in keyof DB & string]: ChangeOf<Table, { [Column in keyof DB[Table]]: Selected<DB[Table][Column]> }> }[keyof DB & string]

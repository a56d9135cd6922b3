import type { SourceCapabilities, SourceDialect } from '@tidemark/core/adapter'
import type { ConformanceSubject } from '../suite/conformance-case.ts'
import type { ColumnKind, ColumnSpec, CreatedTable, RowRecord, TableSpec } from './table-spec.ts'

/** What the engine is like and what its harness can stage. Every field is required. */
export interface SourceFacts {
  /** Kinds of columns the engine has. At least `int` and `text`. */
  readonly kinds: readonly ColumnKind[]
  /** Whether text may hold U+0000. False: the engine refuses it. */
  readonly textHoldsNul: boolean
  /** Longest table or column name, in ASCII characters. */
  readonly maxNameLength: number
  /** Whether `describeTable` lists secondary indexes. */
  readonly reportsIndexes: boolean
  /** Whether one session may hold a transaction open while another commits: `begin` exists. */
  readonly openTransactions: boolean
  /** Whether `blockReads` exists. */
  readonly blocksReads: boolean
  /** Whether `killConnections` exists. */
  readonly killsConnections: boolean
  /** Whether `unreachable` exists. */
  readonly unreachable: boolean
  /** Whether `wrongPassword` exists. */
  readonly wrongPassword: boolean
  /** For `settling: 'grace'`: whether the source itself waits. False: it settles every mark offered, and the wait is `settleGraceMs`. */
  readonly holdsMarksBack: boolean
  /**
   * Whether a mark settles while a writer holds the very next row. False for a proof by locks: a scan that ends at the mark
   * has met the row behind it already.
   */
  readonly settlesNextToWriter: boolean
}

export interface SourceTraits {
  readonly capabilities: SourceCapabilities
  readonly facts: SourceFacts
}

/** A transaction of another client. Its effects are seen by nobody before `commit`. */
export interface OpenTransaction {
  insert(table: CreatedTable, rows: readonly RowRecord[]): Promise<void>
  update(table: CreatedTable, key: RowRecord, change: RowRecord): Promise<void>
  delete(table: CreatedTable, key: RowRecord): Promise<void>
  commit(): Promise<void>
  rollback(): Promise<void>
}

/** Made to fail. The secret must not show up in anything that is thrown. */
export interface FailingSource {
  readonly source: SourceDialect
  readonly secret: string
}

/**
 * A fresh database of one engine, changed behind the SDK's back: by other clients, with the engine's own means.
 * Disposing drops the database and closes every client of the harness; open transactions are rolled back.
 */
export interface SourceHarness extends AsyncDisposable {
  /** The adapter under test, pointed at this database. */
  source(): SourceDialect
  createTable(spec: TableSpec): Promise<CreatedTable>
  dropTable(table: CreatedTable): Promise<void>
  /** Appends a nullable column. The returned table replaces the given one. */
  addColumn(table: CreatedTable, column: ColumnSpec): Promise<CreatedTable>
  insert(table: CreatedTable, rows: readonly RowRecord[]): Promise<void>
  update(table: CreatedTable, key: RowRecord, change: RowRecord): Promise<void>
  delete(table: CreatedTable, key: RowRecord): Promise<void>
  /** The clock for `Mark.readAtMs`. */
  nowMs(): number
  /** Makes every mark taken so far old enough for the source's own waiting time. */
  passGrace(): Promise<void>
  begin?(): Promise<OpenTransaction>
  /** Lets every read of the table wait at the server until it is disposed: an exclusive lock. */
  blockReads?(table: CreatedTable): Promise<AsyncDisposable>
  /** Ends all sessions of the adapter from the server's side. */
  killConnections?(): Promise<void>
  /** The adapter, pointed at an address where nobody listens, with a password. */
  unreachable?(): FailingSource
  /** The adapter with a password that the server refuses. */
  wrongPassword?(): FailingSource
}

export type SourceSubject = ConformanceSubject<SourceTraits, SourceHarness>

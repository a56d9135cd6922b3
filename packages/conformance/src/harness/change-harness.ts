import type { ChangeSource, ChangeSourceCapabilities, TableRef } from '@tidemark/core/adapter'
import type { Cell } from '../assert/cell.ts'
import type { ConformanceSubject } from '../suite/conformance-case.ts'
import type { CapturedTable, ChangeStatement, ChangeTableSpec, TableAlteration } from './change-spec.ts'
import type { ColumnKind } from './table-spec.ts'

/** What the engine is like and what its harness can stage. Every field is required. */
export interface ChangeFacts {
  /** Kinds of columns the engine has. At least `int` and `text`. */
  readonly kinds: readonly ColumnKind[]
  /** Whether text may hold U+0000. */
  readonly textHoldsNul: boolean
  /** Whether a `blob` column takes every value as it is: SQLite's columns without affinity. */
  readonly blobHoldsAny: boolean
  /** Longest table or column name, in ASCII characters. */
  readonly maxNameLength: number
  /** Whether `openClient` exists. */
  readonly clients: boolean
  /** Whether two clients may both have written in transactions that are still open. */
  readonly openTransactions: boolean
  /** Whether a transaction goes on after a statement in it has failed. */
  readonly outlivesFailure: boolean
  /** Which statements may push rows out of the way that share a unique key. */
  readonly replaces: readonly ('insert' | 'update')[]
  /** Whether what foreign keys do to other rows is seen by the source. */
  readonly cascades: boolean
  /** Whether the engine has `truncate`, and the source sees it. */
  readonly truncates: boolean
  readonly generated: readonly ('stored' | 'virtual')[]
  readonly withoutRowid: boolean
  /** What can be done to a table while it is captured. `recreate`: dropped and made anew. */
  readonly alters: readonly (TableAlteration['kind'] | 'recreate')[]
  /** Whether `createView` and `createVirtualTable` exist. */
  readonly views: boolean
  readonly virtualTables: boolean
  /** Whether `purge` takes all that no consumer retains, once any consumer does. False: the engine forgets by itself. */
  readonly purges: boolean
  /** `one`: the log keeps one place, whoever asks for it, and has one reader at a time. */
  readonly consumers: 'many' | 'one'
  /** Whether `backup` and `restore` exist. */
  readonly restores: boolean
  /** Whether `replaceDatabase` exists. */
  readonly replacesDatabase: boolean
  /** Whether a commit of the harness's own client calls the listeners of `onWake`. */
  readonly wakes: boolean
  /** Whether `unreachable` and `wrongPassword` exist. */
  readonly unreachable: boolean
  readonly wrongPassword: boolean
}

export interface ChangeTraits {
  readonly capabilities: ChangeSourceCapabilities
  readonly facts: ChangeFacts
}

/** A client of the database that is not the adapter's: in autocommit, except between `begin` and its end. */
export interface ChangeClient {
  /** Rejects when the database refuses the statement. */
  run(statement: ChangeStatement): Promise<void>
  begin(): Promise<void>
  commit(): Promise<void>
  rollback(): Promise<void>
  savepoint(name: string): Promise<void>
  rollbackTo(name: string): Promise<void>
  release(name: string): Promise<void>
  close(): Promise<void>
}

export interface ChangeSourceOptions {
  /** The tables to capture. */
  readonly tables: readonly TableRef[]
  /** Logical name of the source. */
  readonly name: string
}

/** Made to fail. The secret must not show up in anything that is thrown. */
export interface FailingChangeSource {
  readonly source: ChangeSource
  readonly secret: string
}

/**
 * A fresh database of one engine, changed behind the SDK's back: by other clients, with the engine's own means. Disposing drops the
 * database and closes every client of the harness.
 */
export interface ChangeHarness extends AsyncDisposable {
  /** A client whose writes every source sees: where one sees its own connection's only, the one it shares. */
  readonly client: ChangeClient
  /** The adapter under test, pointed at this database. Sources of the same name share one log. */
  source(options: ChangeSourceOptions): ChangeSource
  createTable(spec: ChangeTableSpec): Promise<CapturedTable>
  /** The returned table replaces the given one. */
  alterTable(table: CapturedTable, alteration: TableAlteration): Promise<CapturedTable>
  dropTable(table: CapturedTable): Promise<void>
  /** All rows as stored, in the order of the specification's columns, as the engine itself tells them; in no order. */
  cells(table: CapturedTable): Promise<readonly (readonly Cell[])[]>
  /** All there is in the database besides rows: tables, triggers, indexes, and what the server keeps for a reader of its log. */
  schemaDigest(): Promise<string>
  /** Another client. Where the source does not see all writers, one that it does not see. */
  openClient?(): Promise<ChangeClient>
  createView?(name: string, of: CapturedTable): Promise<TableRef>
  createVirtualTable?(name: string): Promise<TableRef>
  /** Keeps the database as it is now, log included. Nothing of the adapter is open. */
  backup?(): Promise<void>
  /** Puts the last backup in the place of the database. Nothing of the adapter is open. */
  restore?(): Promise<void>
  /** Puts an empty database in the place of this one. Nothing of the adapter is open. */
  replaceDatabase?(): Promise<void>
  /** The adapter, pointed at an address where nobody listens, with a password. */
  unreachable?(): FailingChangeSource
  /** The adapter with a password that the server refuses. */
  wrongPassword?(): FailingChangeSource
}

export type ChangeSubject = ConformanceSubject<ChangeTraits, ChangeHarness>

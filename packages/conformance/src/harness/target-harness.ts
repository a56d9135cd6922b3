import type { TargetCapabilities, TargetDialect } from '@tidemark/core/adapter'
import type { Cell } from '../assert/cell.ts'
import type { ConformanceSubject } from '../suite/conformance-case.ts'

/** What the target is like and what its harness can stage. Every field is required. */
export interface TargetFacts {
  /** Whether several connections reach the same database. False for a database in one connection's memory. */
  readonly reconnects: boolean
  /** Whether `watch` exists: users may have triggers. */
  readonly userTriggers: boolean
  /** Whether `unreachable` exists. */
  readonly unreachable: boolean
}

export interface TargetTraits {
  readonly capabilities: TargetCapabilities
  readonly facts: TargetFacts
}

/** What a user's triggers counted. */
export interface WriteCounts {
  readonly inserts: number
  readonly updates: number
  readonly deletes: number
}

/** The oracle: it reads and changes the target past the adapter, through a connection of its own. */
export interface TargetHarness extends AsyncDisposable {
  /** The adapter under test, pointed at this database. */
  target(): TargetDialect
  /** Names of all tables that are neither the engine's nor Tidemark's own. */
  tableNames(): Promise<readonly string[]>
  /** Column names in order. */
  columnNames(table: string): Promise<readonly string[]>
  /** All rows as stored, with the storage class the engine itself reports, in no order. */
  rows(table: string, columns: readonly string[]): Promise<readonly (readonly Cell[])[]>
  /** Columns of every secondary index, the user's included. */
  indexColumns(table: string): Promise<readonly (readonly string[])[]>
  /** Makes a table that Tidemark does not own, with one integer column `id` and one row: 7. */
  createForeignTable(name: string): Promise<void>
  /** An index as a user would add it. */
  addUserIndex(table: string, columns: readonly string[]): Promise<void>
  /** Puts a user's AFTER triggers on the table; the function returned reads what they counted so far. */
  watch?(table: string): Promise<() => Promise<WriteCounts>>
  /** Makes Tidemark's own tables of this prefix look as if a newer version had written them. */
  makeStateNewer(tablePrefix: string): Promise<void>
  /** A digest of Tidemark's own tables, to see that nothing touched them. */
  stateDigest(tablePrefix: string): Promise<string>
  /** The adapter, pointed at a place that can't be opened. */
  unreachable?(): TargetDialect
}

export type TargetSubject = ConformanceSubject<TargetTraits, TargetHarness>

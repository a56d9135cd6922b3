import { TidemarkError, type PeerChange, type PeerTable, type RowValues } from '@tidemark/core/adapter'
import type { BatchTransaction } from '../driver.ts'
import { flatten } from '../upsert.ts'
import type { PeerShape } from './peer-shape.ts'
import type { RowStatements } from './row-statements.ts'
import { isOfOneTable, TableFailed } from './table-failed.ts'

/** A table of a unit, and how its rows are written here. */
export interface AppliedTable {
  readonly table: PeerTable
  readonly shape: PeerShape
  readonly statements: RowStatements
  /** Whether the keys of its rows are noted for the end of a copy. */
  readonly notesCopied: boolean
}

export interface ApplyOptions {
  readonly origin: string
  /** By a unit's index; `undefined` for one that is not applied. */
  readonly tables: readonly (AppliedTable | undefined)[]
  readonly maxParameters: number
}

/** Beyond some fifty rows a longer statement gains nothing. */
const ROWS_PER_STATEMENT = 50

/** Changes of one kind and table that follow each other. */
interface Run {
  readonly op: PeerChange['op']
  readonly table: number
  readonly rows: RowValues[]
}

/** Applies changes in their order, those that follow each other of one table in one statement. */
export async function applyChanges(transaction: BatchTransaction, changes: readonly PeerChange[], options: ApplyOptions): Promise<void> {
  for (const run of runsOf(changes)) {
    const applied = options.tables[run.table]
    if (applied !== undefined) await applyRun(transaction, run, { ...options, applied }).catch((error: unknown) => fail(applied, error))
  }
}

function fail({ table }: AppliedTable, error: unknown): never {
  throw isOfOneTable(error) ? new TableFailed(table.name, error) : error
}

function* runsOf(changes: readonly PeerChange[]): Generator<Run> {
  let run: Run | undefined
  for (const change of changes) {
    if (run?.op !== change.op || run.table !== change.table) {
      if (run !== undefined) yield run
      run = { op: change.op, table: change.table, rows: [] }
    }
    if (change.op !== 'truncate') run.rows.push(change.values)
  }
  if (run !== undefined) yield run
}

interface RunOptions extends ApplyOptions {
  readonly applied: AppliedTable
}

async function applyRun(transaction: BatchTransaction, { op, rows }: Run, options: RunOptions): Promise<void> {
  const { applied: { statements } } = options
  switch (op) {
    case 'upsert':
      return upsert(transaction, rows, options)
    case 'delete':
      for (const key of rows) await transaction.run(statements.delete, flatten([key], 0, 1))
      return
    case 'truncate':
      await transaction.run(statements.truncate)
      return
    default:
      op satisfies never
  }
}

async function upsert(transaction: BatchTransaction, rows: readonly RowValues[], options: RunOptions): Promise<void> {
  const { applied: { table, statements }, maxParameters } = options
  const size = Math.max(1, Math.min(ROWS_PER_STATEMENT, Math.floor(maxParameters / table.columns.length)))
  const whole = rows.length - rows.length % size
  for (let at = 0; at < whole; at += size) await transaction.run(statements.upsert(size), flatten(rows, at, at + size))
  // One by one: each length of a statement would be prepared for its own.
  for (let at = whole; at < rows.length; at += 1) await transaction.run(statements.upsert(1), flatten(rows, at, at + 1))
  if (options.applied.notesCopied) await noteCopied(transaction, rows, options)
}

async function noteCopied(transaction: BatchTransaction, rows: readonly RowValues[], { origin, applied: { table, statements } }: RunOptions): Promise<void> {
  const places = table.key.map((name) => table.columns.findIndex((column) => column.name === name))
  for (const row of rows) {
    const key = places.map((place) => row[place] ?? null)
    await transaction.run(statements.noteCopied, [origin, table.name, ...flatten([key], 0, 1)])
  }
}

/** SQLite allows many rows whose key has a NULL, which nothing tells from each other. Errors: `KEY_REQUIRED`. */
export function nullKey(table: PeerTable, rows: Iterable<{ readonly values: RowValues; readonly isKey: boolean }>): TidemarkError | undefined {
  const places = table.key.map((name) => table.columns.findIndex((column) => column.name === name))
  for (const { values, isKey } of rows) {
    const hasNull = isKey ? values.includes(null) : places.some((place) => values[place] === null)
    if (hasNull) return new TidemarkError('KEY_REQUIRED', `The table '${table.name}' has a row whose key is NULL.`, { remedy: 'Declare the key NOT NULL, and give such rows a key.' })
  }
  return undefined
}

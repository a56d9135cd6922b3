import type { ChangeStatement, ChangeTableSpec } from '../harness/change-spec.ts'
import type { RowRecord } from '../harness/table-spec.ts'
import type { MemoryChangeLog, MemoryFlaw } from './memory-change-log.ts'
import { MemoryStatementRun, type MemoryChange, type MemoryTables } from './memory-change-table.ts'
import { netChanges } from './net-changes.ts'

export interface MemoryChangeDatabaseOptions {
  readonly changes: 'every' | 'net'
  readonly flaw: MemoryFlaw | undefined
}

/**
 * A small transactional row store with a log. A transaction works on a copy of the tables as they were when it began, and what it did
 * to each row is done to the tables at its commit: two open transactions get along as long as they keep to different rows.
 */
export class MemoryChangeDatabase {
  readonly log: MemoryChangeLog
  readonly views = new Set<string>()
  readonly virtualTables = new Set<string>()
  tables: MemoryTables = new Map()
  readonly #options: MemoryChangeDatabaseOptions
  readonly #listeners = new Set<() => void>()
  #rowNumber = 0

  constructor(options: MemoryChangeDatabaseOptions, log: MemoryChangeLog) {
    this.#options = options
    this.log = log
  }

  /** The database and its log as they are now, as a backup would have them. */
  clone(): MemoryChangeDatabase {
    const copy = new MemoryChangeDatabase(this.#options, this.log.clone())
    copy.tables = copyTables(this.tables)
    copy.#rowNumber = this.#rowNumber
    return copy
  }

  begin(): MemoryTransaction {
    return new MemoryTransaction(copyTables(this.tables), { next: () => (this.#rowNumber += 1) })
  }

  /** `unseen`: by a writer that the log does not see; it notices only that somebody wrote. */
  commit(transaction: MemoryTransaction, unseen: boolean): void {
    const { changes } = transaction
    for (const change of changes) this.#apply(change)
    if (this.#options.flaw !== 'uncommitted') this.#tell(this.#options.flaw === 'hooks' ? transaction.seenByHooks : changes, unseen)
  }

  /** Called after every statement, committed or not. */
  ran(changes: readonly MemoryChange[]): void {
    if (this.#options.flaw === 'uncommitted') this.#tell(changes, false)
  }

  #tell(changes: readonly MemoryChange[], unseen: boolean): void {
    if (changes.length === 0) return
    if (unseen) this.log.appendUnseen()
    else this.log.appendTransaction(this.#options.changes === 'net' ? netChanges(changes) : changes, (name) => this.tables.get(name)?.version ?? 0)
    for (const listener of this.#listeners) listener()
  }

  /** Makes, replaces or, without a specification, drops a table, and logs it. Rows are carried over by `convert`. */
  define(name: string, spec: ChangeTableSpec | undefined, convert?: (row: RowRecord) => RowRecord): void {
    const before = this.tables.get(name)
    const version = this.log.nextVersion()
    if (spec === undefined) this.tables.delete(name)
    else {
      const rows = convert === undefined || before === undefined ? [] : [...before.rows].map(([place, row]) => [place, convert(row)] as const)
      this.tables.set(name, { spec, version, rows: new Map(rows) })
    }
    this.log.appendSchema({ table: name, spec, version })
    for (const listener of this.#listeners) listener()
  }

  onWrite(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  #apply({ table, before, after }: MemoryChange): void {
    const rows = this.tables.get(table)?.rows
    if (before === undefined && after === undefined) rows?.clear()
    if (before !== undefined) rows?.delete(before.place)
    if (after !== undefined) rows?.set(after.place, after.row)
  }
}

interface Mark {
  readonly name: string
  readonly tables: MemoryTables
  readonly length: number
}

/** An open transaction: a copy of the tables, what was done to it, and its savepoints. */
export class MemoryTransaction {
  readonly changes: MemoryChange[] = []
  /** Every row that was touched, whatever became of it. */
  readonly seenByHooks: MemoryChange[] = []
  #tables: MemoryTables
  #savepoints: Mark[] = []
  readonly #numbers: { next(): number }

  constructor(tables: MemoryTables, numbers: { next(): number }) {
    this.#tables = tables
    this.#numbers = numbers
  }

  /** One statement: all of it, or nothing and its error. Returns what it did. */
  run(statement: ChangeStatement): readonly MemoryChange[] {
    const draft = copyTables(this.#tables)
    const run = new MemoryStatementRun(draft, this.#numbers)
    try {
      run.run(statement)
    } finally {
      this.seenByHooks.push(...run.changes)
    }
    this.#tables = draft
    this.changes.push(...run.changes)
    return run.changes
  }

  savepoint(name: string): void {
    this.#savepoints.push({ name, tables: this.#tables, length: this.changes.length })
  }

  /** The innermost savepoint of the name stays, those within it are gone. */
  rollbackTo(name: string): void {
    const index = this.#find(name)
    const mark = this.#savepoints[index]
    if (mark === undefined) return
    this.#tables = mark.tables
    this.changes.length = mark.length
    this.#savepoints = this.#savepoints.slice(0, index + 1)
  }

  release(name: string): void {
    this.#savepoints = this.#savepoints.slice(0, this.#find(name))
  }

  #find(name: string): number {
    const index = this.#savepoints.findLastIndex((mark) => mark.name === name)
    if (index === -1) throw new TypeError('There is no such savepoint.')
    return index
  }
}

function copyTables(tables: MemoryTables): MemoryTables {
  return new Map([...tables].map(([name, table]) => [name, { ...table, rows: new Map(table.rows) }]))
}

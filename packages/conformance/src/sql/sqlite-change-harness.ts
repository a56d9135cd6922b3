import type { ChangeSource } from '@tidemark/core/adapter'
import type { ChangeFacts, ChangeHarness, ChangeSourceOptions, FailingChangeSource } from '../harness/change-harness.ts'
import { COLUMN_KINDS } from '../harness/table-spec.ts'
import { changeSyntaxOfSqlite } from './change-sql.ts'
import { sqlChangeHarness } from './sql-change-harness.ts'
import type { SqlSession } from './sql-source-harness.ts'
import { sqliteSyntax } from './sql-syntax.ts'
import { sqliteCells } from './sqlite-cells.ts'
import type { SqliteOracle } from './sqlite-target-harness.ts'

export interface SqliteChangeHarnessConfig {
  /** A new session of the fresh database. Where the source sees one connection only, of that one. */
  readonly openSession: () => Promise<SqlSession>
  /** A connection that the source does not share. Default: `openSession`. */
  readonly openOther?: (() => Promise<SqlSession>) | undefined
  /** A connection for reading, opened when it is first needed. */
  readonly openOracle: () => Promise<SqliteOracle>
  readonly source: (options: ChangeSourceOptions) => ChangeSource
  /** `PRAGMA recursive_triggers` of every session. Default: off, as SQLite's. */
  readonly recursiveTriggers?: boolean | undefined
  /** What is done to the database's file while nobody has it open. Absent: the facts say that nothing is. */
  readonly file?: SqliteFile | undefined
  readonly unreachable?: (() => FailingChangeSource) | undefined
  /** Deletes the database, after every session of the harness is closed. */
  readonly dispose: () => Promise<void>
}

export interface SqliteFile {
  /** Keeps a copy of the file. */
  backup(): Promise<void>
  /** Puts the copy back, and removes what a write-ahead log has left. */
  restore(): Promise<void>
  /** Removes the file and its companions. */
  remove(): Promise<void>
}

/** What a SQLite file is like that every writer's triggers are in. A source that sees less says so in its own facts. */
export const SQLITE_CHANGE_FACTS: ChangeFacts = {
  kinds: COLUMN_KINDS,
  textHoldsNul: true,
  blobHoldsAny: true,
  maxNameLength: 63,
  clients: true,
  // A file has one writer at a time.
  openTransactions: false,
  outlivesFailure: true,
  replaces: ['insert', 'update'],
  cascades: true,
  truncates: false,
  generated: ['stored', 'virtual'],
  withoutRowid: true,
  // SQLite refuses to drop a column that a trigger names.
  alters: ['add', 'rename', 'recreate'],
  views: true,
  virtualTables: true,
  purges: true,
  consumers: 'many',
  restores: true,
  replacesDatabase: true,
  wakes: false,
  unreachable: false,
  wrongPassword: false,
}

/**
 * What is left where a source sees one connection of the process and keeps nothing: SQLite's sessions. `openClient` is then a client that it
 * does not see, and a column can be dropped, as there are no triggers.
 */
export const SQLITE_SESSION_FACTS: ChangeFacts = {
  ...SQLITE_CHANGE_FACTS,
  alters: ['add', 'rename', 'drop', 'recreate'],
  purges: false,
  restores: false,
  replacesDatabase: false,
  wakes: true,
}

/** A harness for every source of changes that is SQLite underneath, whatever the driver. */
export async function sqliteChangeHarness(config: SqliteChangeHarnessConfig): Promise<ChangeHarness> {
  const { openSession, openOther = openSession, source, file, unreachable, dispose } = config
  const oracle = new LazyOracle(config.openOracle)
  return sqlChangeHarness({
    syntax: changeSyntaxOfSqlite(sqliteSyntax),
    openSession: () => prepared(openSession, config),
    openOther: () => prepared(openOther, config),
    source, unreachable,
    cells: ({ ref, spec }) => oracle.use((one) => sqliteCells(one, ref.name, spec.columns.map((column) => column.name))),
    schemaDigest: () => oracle.use(async (one) => (await one.query('select type, name, tbl_name, sql from sqlite_schema order by type, name')).map((row) => row.join(' ')).join('\n')),
    createView: (name, table) => `create view ${name} as select * from ${table}`,
    createVirtualTable: (name) => `create virtual table ${name} using fts5(body)`,
    ...(file === undefined ? {} : {
      backup: () => oracle.whileClosed(async () => {
        await checkpoint(openOther)
        await file.backup()
      }),
      restore: () => oracle.whileClosed(() => file.restore()),
      replaceDatabase: () => oracle.whileClosed(() => file.remove()),
    }),
    dispose: () => oracle.whileClosed(dispose),
  })
}

async function prepared(open: () => Promise<SqlSession>, { recursiveTriggers = false }: SqliteChangeHarnessConfig): Promise<SqlSession> {
  const session = await open()
  await session.execute('pragma foreign_keys = on')
  await session.execute(`pragma recursive_triggers = ${recursiveTriggers ? 'on' : 'off'}`)
  return session
}

/** Moves all that is in a write-ahead log into the file: not every driver does so when the last connection is closed. */
async function checkpoint(open: () => Promise<SqlSession>): Promise<void> {
  const session = await open()
  await session.execute('pragma wal_checkpoint(truncate)')
  await session.close()
}

/** Opened when first used, and again after it was closed. */
class LazyOracle {
  readonly #open: () => Promise<SqliteOracle>
  #oracle: SqliteOracle | undefined

  constructor(open: () => Promise<SqliteOracle>) {
    this.#open = open
  }

  async use<T>(work: (oracle: SqliteOracle) => Promise<T>): Promise<T> {
    this.#oracle ??= await this.#open()
    return work(this.#oracle)
  }

  async whileClosed(work: () => Promise<void>): Promise<void> {
    const oracle = this.#oracle
    this.#oracle = undefined
    await oracle?.close()
    await work()
  }
}

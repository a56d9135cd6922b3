import type { ChangeSource, TableRef } from '@tidemark/core/adapter'
import type { Cell } from '../assert/cell.ts'
import type { ChangeClient, ChangeHarness, ChangeSourceOptions, FailingChangeSource } from '../harness/change-harness.ts'
import { altered, type CapturedTable, type ChangeStatement, type ChangeTableSpec, type TableAlteration } from '../harness/change-spec.ts'
import { ChangeSql, type ChangeSqlSyntax } from './change-sql.ts'
import type { SqlSession } from './sql-source-harness.ts'

export interface SqlChangeHarnessConfig {
  readonly syntax: ChangeSqlSyntax
  /** A new session of the fresh database, in autocommit, whose writes the source sees. */
  readonly openSession: () => Promise<SqlSession>
  /** A session for `openClient`. Absent: there is no second client. */
  readonly openOther?: (() => Promise<SqlSession>) | undefined
  /** The adapter, pointed at the fresh database. */
  readonly source: (options: ChangeSourceOptions) => ChangeSource
  /** Schema that tables are made in; absent: the session's default. */
  readonly schema?: string | undefined
  /** All cells of a table, read past the adapter. */
  readonly cells: (table: CapturedTable) => Promise<readonly (readonly Cell[])[]>
  readonly schemaDigest: () => Promise<string>
  /** Statement that makes a view of everything in a table. Absent: there are none. */
  readonly createView?: ((quotedName: string, quotedTable: string) => string) | undefined
  readonly createVirtualTable?: ((quotedName: string) => string) | undefined
  /** Called while no session of the harness is open. */
  readonly backup?: (() => Promise<void>) | undefined
  readonly restore?: (() => Promise<void>) | undefined
  readonly replaceDatabase?: (() => Promise<void>) | undefined
  readonly unreachable?: (() => FailingChangeSource) | undefined
  readonly wrongPassword?: (() => FailingChangeSource) | undefined
  /** Drops the database, after every session of the harness is closed. */
  readonly dispose: () => Promise<void>
}

/** A harness for change sources of any engine that speaks SQL: text in, nothing of the adapter used. */
export async function sqlChangeHarness(config: SqlChangeHarnessConfig): Promise<ChangeHarness> {
  return new SqlChangeHarness(config, new SqlChangeClient(config, await config.openSession()))
}

class SqlChangeHarness implements ChangeHarness {
  readonly client: SqlChangeClient
  readonly openClient?: () => Promise<ChangeClient>
  readonly createView?: (name: string, of: CapturedTable) => Promise<TableRef>
  readonly createVirtualTable?: (name: string) => Promise<TableRef>
  readonly backup?: () => Promise<void>
  readonly restore?: () => Promise<void>
  readonly replaceDatabase?: () => Promise<void>
  readonly unreachable?: () => FailingChangeSource
  readonly wrongPassword?: () => FailingChangeSource
  readonly #config: SqlChangeHarnessConfig
  readonly #sql: ChangeSql
  readonly #others = new Set<SqlChangeClient>()
  #tables = 0

  constructor(config: SqlChangeHarnessConfig, client: SqlChangeClient) {
    this.#config = config
    this.#sql = new ChangeSql(config.syntax)
    this.client = client
    const { openOther, createView, createVirtualTable, backup, restore, replaceDatabase, unreachable, wrongPassword } = config
    if (openOther !== undefined) this.openClient = () => this.#openOther(openOther)
    if (createView !== undefined) this.createView = (name, of) => this.#create(name, (quoted) => createView(quoted, this.#sql.path(of.ref)))
    if (createVirtualTable !== undefined) this.createVirtualTable = (name) => this.#create(name, createVirtualTable)
    if (backup !== undefined) this.backup = () => this.#whileClosed(backup)
    if (restore !== undefined) this.restore = () => this.#whileClosed(restore)
    if (replaceDatabase !== undefined) this.replaceDatabase = () => this.#whileClosed(replaceDatabase)
    if (unreachable !== undefined) this.unreachable = unreachable
    if (wrongPassword !== undefined) this.wrongPassword = wrongPassword
  }

  source(options: ChangeSourceOptions): ChangeSource {
    return this.#config.source(options)
  }

  async createTable(spec: ChangeTableSpec): Promise<CapturedTable> {
    this.#tables += 1
    const ref = this.#refOf(spec.name)
    for (const statement of this.#sql.createTable(ref, spec, `conformance_${this.#tables}`)) await this.client.execute(statement)
    return { ref, spec }
  }

  async alterTable(table: CapturedTable, alteration: TableAlteration): Promise<CapturedTable> {
    await this.client.execute(this.#sql.alterTable(table.ref, alteration))
    return { ref: table.ref, spec: altered(table.spec, alteration) }
  }

  async dropTable(table: CapturedTable): Promise<void> {
    await this.client.execute(`drop table ${this.#sql.path(table.ref)}`)
  }

  cells(table: CapturedTable): Promise<readonly (readonly Cell[])[]> {
    return this.#config.cells(table)
  }

  schemaDigest(): Promise<string> {
    return this.#config.schemaDigest()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of [...this.#others, this.client]) await client.close()
    await this.#config.dispose()
  }

  async #openOther(open: () => Promise<SqlSession>): Promise<ChangeClient> {
    const client = new SqlChangeClient(this.#config, await open())
    this.#others.add(client)
    return client
  }

  async #create(name: string, statement: (quotedName: string) => string): Promise<TableRef> {
    const ref = this.#refOf(name)
    await this.client.execute(statement(this.#sql.path(ref)))
    return ref
  }

  /** A file can be copied or replaced only while nobody has it open. */
  async #whileClosed(work: () => Promise<void>): Promise<void> {
    for (const client of [...this.#others, this.client]) await client.close()
    await work()
    await this.client.reopen()
  }

  #refOf(name: string): TableRef {
    return { schema: this.#config.schema, name }
  }
}

class SqlChangeClient implements ChangeClient {
  readonly #config: SqlChangeHarnessConfig
  readonly #sql: ChangeSql
  #session: SqlSession | undefined

  constructor(config: SqlChangeHarnessConfig, session: SqlSession) {
    this.#config = config
    this.#sql = new ChangeSql(config.syntax)
    this.#session = session
  }

  run(statement: ChangeStatement): Promise<void> {
    return this.execute(this.#sql.statement(statement))
  }

  begin(): Promise<void> {
    return this.execute('begin')
  }

  commit(): Promise<void> {
    return this.execute('commit')
  }

  rollback(): Promise<void> {
    return this.execute('rollback')
  }

  savepoint(name: string): Promise<void> {
    return this.execute(`savepoint ${this.#config.syntax.quote(name)}`)
  }

  rollbackTo(name: string): Promise<void> {
    return this.execute(`rollback to savepoint ${this.#config.syntax.quote(name)}`)
  }

  release(name: string): Promise<void> {
    return this.execute(`release savepoint ${this.#config.syntax.quote(name)}`)
  }

  async close(): Promise<void> {
    const session = this.#session
    this.#session = undefined
    await session?.close()
  }

  async reopen(): Promise<void> {
    this.#session = await this.#config.openSession()
  }

  async execute(sql: string): Promise<void> {
    if (this.#session === undefined) throw new TypeError('The client is closed.')
    await this.#session.execute(sql)
  }
}

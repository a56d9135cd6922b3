import type { SourceDialect, TableRef } from '@tidemark/core/adapter'
import type { FailingSource, OpenTransaction, SourceHarness } from '../harness/source-harness.ts'
import type { ColumnSpec, CreatedTable, RowRecord, TableSpec } from '../harness/table-spec.ts'
import type { SqlSyntax } from './sql-syntax.ts'

/** Rows of one INSERT: keeps a statement below the packet limits of small servers. */
const ROWS_PER_INSERT = 200

/** A client of the database that is not the adapter's. */
export interface SqlSession {
  /** Runs one statement, without parameters. */
  execute(sql: string): Promise<unknown>
  close(): Promise<void>
}

export interface SqlSourceHarnessConfig {
  readonly syntax: SqlSyntax
  /** A new session of the fresh database, in autocommit. */
  readonly openSession: () => Promise<SqlSession>
  /** The adapter, pointed at the fresh database. */
  readonly source: () => SourceDialect
  /** Schema that tables are made in; absent: the session's default. */
  readonly schema?: string | undefined
  /** Default `Date.now`. */
  readonly nowMs?: (() => number) | undefined
  /** Absent: the source waits for nothing but transactions. */
  readonly passGrace?: (() => Promise<void>) | undefined
  /** Statements that lock a table against reads, and that free it, within one session. Absent: reads are never blocked. */
  readonly lock?: ((quotedTable: string) => { readonly begin: readonly string[]; readonly end: readonly string[] }) | undefined
  readonly killConnections?: (() => Promise<void>) | undefined
  readonly unreachable?: (() => FailingSource) | undefined
  readonly wrongPassword?: (() => FailingSource) | undefined
  /** Drops the database, after every session of the harness is closed. */
  readonly dispose: () => Promise<void>
}

/** A source harness for any engine that speaks SQL: text in, nothing of the adapter used. */
export async function sqlSourceHarness(config: SqlSourceHarnessConfig): Promise<SourceHarness> {
  return new SqlSourceHarness(config, await config.openSession())
}

class SqlSourceHarness implements SourceHarness {
  readonly killConnections?: () => Promise<void>
  readonly unreachable?: () => FailingSource
  readonly wrongPassword?: () => FailingSource
  readonly #config: SqlSourceHarnessConfig
  readonly #session: SqlSession
  readonly #others = new Set<SqlSession>()
  #indexes = 0

  constructor(config: SqlSourceHarnessConfig, session: SqlSession) {
    this.#config = config
    this.#session = session
    if (config.killConnections !== undefined) this.killConnections = config.killConnections
    if (config.unreachable !== undefined) this.unreachable = config.unreachable
    if (config.wrongPassword !== undefined) this.wrongPassword = config.wrongPassword
  }

  source(): SourceDialect {
    return this.#config.source()
  }

  async createTable(spec: TableSpec): Promise<CreatedTable> {
    const { syntax, schema } = this.#config
    const inIndex = new Set([...spec.key, ...(spec.indexes ?? []).flatMap((index) => index.columns)])
    const columns = spec.columns.map((column) => columnDdl(syntax, column, { inIndex: inIndex.has(column.name), inKey: spec.key.includes(column.name) }))
    const key = spec.key.length === 0 ? [] : [`primary key (${spec.key.map(syntax.quote).join(', ')})`]
    const ref: TableRef = { schema, name: spec.name }
    await this.#session.execute(`create table ${this.#path(ref)} (${[...columns, ...key].join(', ')})`)
    for (const index of spec.indexes ?? []) {
      // Names of indexes are shared by all tables of a schema in some engines.
      this.#indexes += 1
      const name = syntax.quote(`conformance_index_${this.#indexes}`)
      const unique = index.unique ? 'unique ' : ''
      await this.#session.execute(`create ${unique}index ${name} on ${this.#path(ref)} (${index.columns.map(syntax.quote).join(', ')})`)
    }
    return { ref, spec }
  }

  async dropTable(table: CreatedTable): Promise<void> {
    await this.#session.execute(`drop table ${this.#path(table.ref)}`)
  }

  async addColumn(table: CreatedTable, column: ColumnSpec): Promise<CreatedTable> {
    const ddl = columnDdl(this.#config.syntax, column, { inIndex: false, inKey: false })
    await this.#session.execute(`alter table ${this.#path(table.ref)} add column ${ddl}`)
    return { ref: table.ref, spec: { ...table.spec, columns: [...table.spec.columns, column] } }
  }

  insert(table: CreatedTable, rows: readonly RowRecord[]): Promise<void> {
    return this.#insert(this.#session, table, rows)
  }

  update(table: CreatedTable, key: RowRecord, change: RowRecord): Promise<void> {
    return this.#update(this.#session, table, { key, change })
  }

  delete(table: CreatedTable, key: RowRecord): Promise<void> {
    return this.#delete(this.#session, table, key)
  }

  nowMs(): number {
    return (this.#config.nowMs ?? Date.now)()
  }

  async passGrace(): Promise<void> {
    await this.#config.passGrace?.()
  }

  async begin(): Promise<OpenTransaction> {
    const session = await this.#openOther()
    await session.execute('begin')
    const end = async (statement: string): Promise<void> => {
      await session.execute(statement)
      this.#others.delete(session)
      await session.close()
    }
    return {
      insert: (table, rows) => this.#insert(session, table, rows),
      update: (table, key, change) => this.#update(session, table, { key, change }),
      delete: (table, key) => this.#delete(session, table, key),
      commit: () => end('commit'),
      rollback: () => end('rollback'),
    }
  }

  async blockReads(table: CreatedTable): Promise<AsyncDisposable> {
    const { lock } = this.#config
    if (lock === undefined) throw new TypeError('This harness has no lock.')
    const { begin, end } = lock(this.#path(table.ref))
    const session = await this.#openOther()
    for (const statement of begin) await session.execute(statement)
    return {
      [Symbol.asyncDispose]: async () => {
        for (const statement of end) await session.execute(statement)
        this.#others.delete(session)
        await session.close()
      },
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of [...this.#others, this.#session]) await session.close()
    await this.#config.dispose()
  }

  async #openOther(): Promise<SqlSession> {
    const session = await this.#config.openSession()
    this.#others.add(session)
    return session
  }

  async #insert(session: SqlSession, { ref, spec }: CreatedTable, rows: readonly RowRecord[]): Promise<void> {
    const { syntax } = this.#config
    const names = spec.columns.map((column) => syntax.quote(column.name)).join(', ')
    for (let start = 0; start < rows.length; start += ROWS_PER_INSERT) {
      const tuples = rows.slice(start, start + ROWS_PER_INSERT)
        .map((row) => `(${spec.columns.map((column) => syntax.literal(row[column.name] ?? null, column.kind)).join(', ')})`)
      await session.execute(`insert into ${this.#path(ref)} (${names}) values ${tuples.join(', ')}`)
    }
  }

  async #update(session: SqlSession, table: CreatedTable, { key, change }: { readonly key: RowRecord; readonly change: RowRecord }): Promise<void> {
    await session.execute(`update ${this.#path(table.ref)} set ${this.#equations(table, change).join(', ')} where ${this.#equations(table, key).join(' and ')}`)
  }

  async #delete(session: SqlSession, table: CreatedTable, key: RowRecord): Promise<void> {
    await session.execute(`delete from ${this.#path(table.ref)} where ${this.#equations(table, key).join(' and ')}`)
  }

  #equations({ spec }: CreatedTable, values: RowRecord): readonly string[] {
    const { syntax } = this.#config
    return spec.columns
      .filter((column) => column.name in values)
      .map((column) => `${syntax.quote(column.name)} = ${syntax.literal(values[column.name] ?? null, column.kind)}`)
  }

  #path(ref: TableRef): string {
    const { quote } = this.#config.syntax
    return ref.schema === undefined ? quote(ref.name) : `${quote(ref.schema)}.${quote(ref.name)}`
  }
}

/** A column as it stands in `create table`. Columns of keys are never nullable, whatever the specification says. */
export function columnDdl(syntax: SqlSyntax, column: ColumnSpec, place: { readonly inIndex: boolean; readonly inKey: boolean }): string {
  const nullable = column.nullable === true && !place.inKey
  return `${syntax.quote(column.name)} ${syntax.type(column, place.inIndex)} ${nullable ? 'null' : 'not null'}`
}

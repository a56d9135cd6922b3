import type { RowValues, TargetDialect } from '@tidemark/core/adapter'
import type { Cell } from '../assert/cell.ts'
import type { TargetHarness, WriteCounts } from '../harness/target-harness.ts'
import { sqliteSyntax } from './sql-syntax.ts'
import { sqliteCells } from './sqlite-cells.ts'

/** A connection to a SQLite database that is not the adapter's. Integers may come as number or bigint. */
export interface SqliteOracle {
  query(sql: string): Promise<readonly RowValues[]>
  close(): Promise<void>
}

export interface SqliteTargetHarnessConfig {
  readonly target: () => TargetDialect
  readonly oracle: SqliteOracle
  /** Prefixes whose tables are Tidemark's own. Default: `tidemark_` and `other_`, which the suite uses. */
  readonly ownPrefixes?: readonly string[] | undefined
  /** Raises the version in Tidemark's own tables: where it is kept is the adapter's business. */
  readonly makeStateNewer: (oracle: SqliteOracle, tablePrefix: string) => Promise<void>
  readonly unreachable?: (() => TargetDialect) | undefined
  /** Deletes the database, after the oracle is closed. */
  readonly dispose: () => Promise<void>
}

const { quote } = sqliteSyntax
const text = (value: string): string => sqliteSyntax.literal(value, 'text')

/** A target harness for everything that is SQLite underneath: `typeof()`, `hex()` and the schema table are its oracle. */
export function sqliteTargetHarness(config: SqliteTargetHarnessConfig): TargetHarness {
  return new SqliteTargetHarness(config)
}

class SqliteTargetHarness implements TargetHarness {
  readonly unreachable?: () => TargetDialect
  readonly #config: SqliteTargetHarnessConfig
  #watches = 0

  constructor(config: SqliteTargetHarnessConfig) {
    this.#config = config
    if (config.unreachable !== undefined) this.unreachable = config.unreachable
  }

  target(): TargetDialect {
    return this.#config.target()
  }

  async tableNames(): Promise<readonly string[]> {
    const own = this.#config.ownPrefixes ?? ['tidemark_', 'other_']
    const names = await this.#strings(`select name from sqlite_schema where type = 'table' and name not like 'sqlite\\_%' escape '\\'`)
    return names.filter((name) => !own.some((prefix) => name.startsWith(prefix)) && !name.startsWith('watch_'))
  }

  columnNames(table: string): Promise<readonly string[]> {
    return this.#strings(`select name from pragma_table_info(${text(table)}) order by cid`)
  }

  rows(table: string, columns: readonly string[]): Promise<readonly (readonly Cell[])[]> {
    return sqliteCells(this.#config.oracle, table, columns)
  }

  async indexColumns(table: string): Promise<readonly (readonly string[])[]> {
    const names = await this.#strings(`select name from pragma_index_list(${text(table)}) where origin = 'c' order by seq desc`)
    const lists: (readonly string[])[] = []
    for (const name of names) lists.push(await this.#strings(`select name from pragma_index_info(${text(name)}) order by seqno`))
    return lists
  }

  async createForeignTable(name: string): Promise<void> {
    await this.#config.oracle.query(`create table ${quote(name)} (id integer)`)
    await this.#config.oracle.query(`insert into ${quote(name)} values (7)`)
  }

  async addUserIndex(table: string, columns: readonly string[]): Promise<void> {
    await this.#config.oracle.query(`create index ${quote(`mine on ${table}`)} on ${quote(table)} (${columns.map(quote).join(', ')})`)
  }

  async watch(table: string): Promise<() => Promise<WriteCounts>> {
    this.#watches += 1
    const log = `watch_${this.#watches}`
    await this.#config.oracle.query(`create table ${log} (kind text)`)
    for (const kind of ['insert', 'update', 'delete']) {
      await this.#config.oracle.query(`create trigger ${log}_${kind} after ${kind} on ${quote(table)} begin insert into ${log} values ('${kind}'); end`)
    }
    return async () => {
      const kinds = await this.#strings(`select kind from ${log}`)
      const count = (kind: string): number => kinds.filter((one) => one === kind).length
      return { inserts: count('insert'), updates: count('update'), deletes: count('delete') }
    }
  }

  makeStateNewer(tablePrefix: string): Promise<void> {
    return this.#config.makeStateNewer(this.#config.oracle, tablePrefix)
  }

  async stateDigest(tablePrefix: string): Promise<string> {
    const names = (await this.#strings(`select name from sqlite_schema where type = 'table' order by name`)).filter((name) => name.startsWith(tablePrefix))
    const lines: string[] = []
    for (const name of names) {
      const rows = await this.rows(name, await this.columnNames(name))
      lines.push(`${name}: ${rows.map((row) => row.join(' | ')).toSorted().join('; ')}`)
    }
    return lines.join('\n')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#config.oracle.close()
    await this.#config.dispose()
  }

  async #strings(sql: string): Promise<readonly string[]> {
    return (await this.#config.oracle.query(sql)).map((row) => String(row[0]))
  }
}

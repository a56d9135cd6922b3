import type { TableRef } from '@tidemark/core/adapter'
import type { CapturedTable, ChangeStatement, ChangeTableSpec, OnConflict, TableAlteration } from '../harness/change-spec.ts'
import type { RowRecord } from '../harness/table-spec.ts'
import { columnDdl } from './sql-source-harness.ts'
import { postgresSyntax, type SqlSyntax } from './sql-syntax.ts'

/** What one engine writes in its own way when rows are changed. */
export interface ChangeSqlSyntax extends SqlSyntax {
  /** What stands before `into` and behind the values of an insert. Names are quoted. */
  conflict(onConflict: OnConflict, columns: { readonly key: readonly string[]; readonly others: readonly string[] }): { readonly verb: string; readonly tail: string }
  /** `update or replace`; `undefined` where there is no such statement. */
  readonly updateOrReplace: string | undefined
  /** What stands behind the columns of a table: `without rowid`. */
  tableOptions(spec: ChangeTableSpec): string
  /** Statements that follow a table's making. Default: none. */
  readonly afterTable?: ((path: string) => readonly string[]) | undefined
}

/** Statements of the suite as SQL. */
export class ChangeSql {
  readonly #syntax: ChangeSqlSyntax

  constructor(syntax: ChangeSqlSyntax) {
    this.#syntax = syntax
  }

  statement(statement: ChangeStatement): string {
    switch (statement.kind) {
      case 'insert': return this.#insert(statement)
      case 'update': return this.#update(statement)
      case 'delete': return `delete from ${this.path(statement.table.ref)}${this.#where(statement.table, statement.where)}`
      case 'truncate': return `truncate table ${this.path(statement.table.ref)}`
      default: return statement satisfies never
    }
  }

  /** The table and its indexes. Names of indexes are shared by all tables of a schema in some engines: they begin with `prefix`. */
  createTable(ref: TableRef, spec: ChangeTableSpec, prefix: string): readonly string[] {
    const { quote } = this.#syntax
    const parts = [...this.#columns(spec), ...this.#constraints(spec)]
    const indexes = (spec.indexes ?? []).map(({ columns, unique }, index) =>
      `create ${unique ? 'unique ' : ''}index ${quote(`${prefix}_${index}`)} on ${this.path(ref)} (${columns.map(quote).join(', ')})`)
    return [`create table ${this.path(ref)} (${parts.join(', ')})${this.#syntax.tableOptions(spec)}`, ...indexes, ...(this.#syntax.afterTable?.(this.path(ref)) ?? [])]
  }

  alterTable(ref: TableRef, alteration: TableAlteration): string {
    const { quote } = this.#syntax
    const head = `alter table ${this.path(ref)}`
    switch (alteration.kind) {
      case 'add': return `${head} add column ${columnDdl(this.#syntax, { ...alteration.column, nullable: true }, { inIndex: false, inKey: false })}`
      case 'rename': return `${head} rename column ${quote(alteration.from)} to ${quote(alteration.to)}`
      case 'drop': return `${head} drop column ${quote(alteration.column)}`
      default: return alteration satisfies never
    }
  }

  path(ref: TableRef): string {
    const { quote } = this.#syntax
    return ref.schema === undefined ? quote(ref.name) : `${quote(ref.schema)}.${quote(ref.name)}`
  }

  #columns(spec: ChangeTableSpec): readonly string[] {
    const { quote } = this.#syntax
    const inIndex = new Set([...spec.key, ...(spec.indexes ?? []).flatMap((index) => index.columns)])
    return spec.columns.map((column) => {
      const { generated } = column
      if (generated !== undefined) return `${quote(column.name)} ${this.#syntax.type(column, false)} generated always as (2 * ${quote(generated.twice)}) ${generated.storage}`
      return columnDdl(this.#syntax, column, { inIndex: inIndex.has(column.name), inKey: spec.key.includes(column.name) })
    })
  }

  #constraints({ key, parent }: ChangeTableSpec): readonly string[] {
    const list = (names: readonly string[]): string => names.map(this.#syntax.quote).join(', ')
    const primary = key.length === 0 ? [] : [`primary key (${list(key)})`]
    if (parent === undefined) return primary
    const target = `${this.#syntax.quote(parent.table)} (${list(parent.key)})`
    return [...primary, `foreign key (${list(parent.columns)}) references ${target} on delete ${parent.onDelete} on update cascade`]
  }

  /** All rows in one statement: a row that is refused undoes the others. */
  #insert({ table, rows, onConflict }: ChangeStatement & { readonly kind: 'insert' }): string {
    const { quote, literal } = this.#syntax
    const columns = table.spec.columns.filter((column) => column.generated === undefined)
    const tuples = rows.map((row) => `(${columns.map(({ name, kind }) => literal(row[name] ?? null, kind)).join(', ')})`)
    const others = columns.map(({ name }) => name).filter((name) => !table.spec.key.includes(name)).map(quote)
    const { verb, tail } = onConflict === undefined ? { verb: 'insert', tail: '' } : this.#syntax.conflict(onConflict, { key: table.spec.key.map(quote), others })
    return `${verb} into ${this.path(table.ref)} (${columns.map(({ name }) => quote(name)).join(', ')}) values ${tuples.join(', ')}${tail}`
  }

  #update({ table, where, set, orReplace }: ChangeStatement & { readonly kind: 'update' }): string {
    const verb = orReplace === true ? this.#syntax.updateOrReplace : 'update'
    if (verb === undefined) throw new TypeError('The engine has no update that replaces: say so in the facts.')
    return `${verb} ${this.path(table.ref)} set ${this.#equations(table, set).join(', ')}${this.#where(table, where)}`
  }

  #where(table: CapturedTable, where: RowRecord): string {
    const equations = this.#equations(table, where)
    return equations.length === 0 ? '' : ` where ${equations.join(' and ')}`
  }

  #equations({ spec }: CapturedTable, values: RowRecord): readonly string[] {
    const { quote, literal } = this.#syntax
    return spec.columns.filter(({ name }) => Object.hasOwn(values, name)).map(({ name, kind }) => `${quote(name)} = ${literal(values[name] ?? null, kind)}`)
  }
}

/** SQLite. A `blob` column is one that takes anything. */
export function changeSyntaxOfSqlite(base: SqlSyntax): ChangeSqlSyntax {
  return {
    ...base,
    updateOrReplace: 'update or replace',
    tableOptions: (spec) => (spec.withoutRowid === true ? ' without rowid' : ''),
    conflict: (onConflict, { key, others }) => {
      if (onConflict !== 'update') return { verb: `insert or ${onConflict}`, tail: '' }
      return { verb: 'insert', tail: ` on conflict (${key.join(', ')}) do update set ${others.map((name) => `${name} = excluded.${name}`).join(', ')}` }
    },
  }
}

/** PostgreSQL, which has no statement that pushes rows out of the way. */
export function changeSyntaxOfPostgres(): ChangeSqlSyntax {
  return {
    ...postgresSyntax,
    updateOrReplace: undefined,
    tableOptions: () => '',
    // The capabilities are of a table whose old rows are in the log.
    afterTable: (path) => [`alter table ${path} replica identity full`],
    conflict: (onConflict, { key, others }) => {
      switch (onConflict) {
        case 'ignore': return { verb: 'insert', tail: ' on conflict do nothing' }
        case 'update': return { verb: 'insert', tail: ` on conflict (${key.join(', ')}) do update set ${others.map((name) => `${name} = excluded.${name}`).join(', ')}` }
        case 'replace': throw new TypeError('PostgreSQL has no insert that replaces: the facts say so.')
        default: return onConflict satisfies never
      }
    },
  }
}

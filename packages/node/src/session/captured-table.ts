import type { DatabaseSync } from 'node:sqlite'
import { TidemarkError, type ChangeColumn } from '@tidemark/core/adapter'
import { affinityOf, keyColumnsSql, ownCollationsSql, quoteText, toKeyColumns, type KeyColumn } from '@tidemark/sqlite'
import { allRows } from './statements.ts'

/** A table's columns at one version of the schema, in the forms that decoding and reading need. */
export interface CapturedTable {
  /** As the catalogue spells it. */
  readonly name: string
  readonly columns: readonly ChangeColumn[]
  /** In the key's own order. */
  readonly key: readonly string[]
  /** How the key's columns are compared; `undefined` where the key is the row number. */
  readonly keyOrder: readonly KeyColumn[] | undefined
  /** What a changeset has: all columns but generated ones. */
  readonly stored: readonly string[]
  readonly generated: readonly string[]
  /** Where the key's columns stand in `stored`, in the key's order. */
  readonly keyIndexes: readonly number[]
  /** By place in `stored`: without affinity, so that 1 and 1.0 are different cells. */
  readonly isUntyped: readonly boolean[]
  /** Whether keys of different bytes can be the same key: `a` and `A` by collation, 1 and 1.0 without affinity. */
  readonly hasLooseKey: boolean
  /** The CREATE statement. */
  readonly ddl: string
}

interface Entry {
  readonly name: string
  readonly ddl: string
  /** Whether primary key columns can't be NULL: in tables without rowid and in strict ones. */
  readonly requiresKey: boolean
}

interface DeclaredColumn extends ChangeColumn {
  readonly isNotNull: boolean
  readonly keyPart: number
}

/** The table of this name, or `undefined` where there is none. Errors: `TABLE_NOT_CAPTURABLE`. */
export function readCapturedTable(database: DatabaseSync, wanted: string): CapturedTable | undefined {
  const entry = readEntry(database, wanted)
  if (entry === undefined) return undefined
  const columns = readColumns(database, entry)
  const keyColumns = columns.filter((column) => column.keyPart > 0).toSorted((a, b) => a.keyPart - b.keyPart)
  if (keyColumns.length === 0) throw notCapturable(entry.name, 'has no primary key, which sessions need', 'Give the table a primary key, or use the trigger log: sqliteChanges(db).')
  const keyOrder = readKeyOrder(database, entry)
  const isRowid = keyOrder === undefined
  const stored = columns.filter((column) => !column.generated)
  const key = keyColumns.map((column) => column.name)
  return {
    name: entry.name,
    columns: columns.map(({ name, type, generated, isNotNull, keyPart }) => ({ name, type, generated, nullable: !isNotNull && !(keyPart > 0 && (isRowid || entry.requiresKey)) })),
    key,
    keyOrder,
    stored: stored.map((column) => column.name),
    generated: columns.filter((column) => column.generated).map((column) => column.name),
    keyIndexes: key.map((name) => stored.findIndex((column) => column.name === name)),
    isUntyped: stored.map((column) => affinityOf(column.type) === 'blob'),
    hasLooseKey: !isRowid && (keyOrder.some(({ collation }) => collation !== 'BINARY') || keyColumns.some((column) => affinityOf(column.type) === 'blob')),
    ddl: entry.ddl,
  }
}

function readEntry(database: DatabaseSync, wanted: string): Entry | undefined {
  const [row] = allRows(database, `SELECT m.name, m.type, m.sql, l.type, l.wr OR l.strict FROM main.sqlite_master AS m
    JOIN pragma_table_list AS l ON l.schema = 'main' AND l.name = m.name
    WHERE m.name = ${quoteText(wanted)} COLLATE NOCASE AND m.type IN ('table', 'view')`)
  if (row === undefined) return undefined
  const [name, kind, ddl, listed, requiresKey] = row
  if (kind === 'view') throw notCapturable(String(name), 'is a view')
  if (listed !== 'table') throw notCapturable(String(name), listed === 'virtual' ? 'is a virtual table' : 'belongs to a virtual table')
  return { name: String(name), ddl: String(ddl), requiresKey: Number(requiresKey) === 1 }
}

function readColumns(database: DatabaseSync, { name }: Entry): readonly DeclaredColumn[] {
  // 2 and 3 are generated columns, virtual and stored.
  return allRows(database, `SELECT name, type, "notnull", pk, hidden FROM pragma_table_xinfo(${quoteText(name)}, 'main') ORDER BY cid`)
    .map(([column, type, notNull, keyPart, hidden]) => ({
      name: String(column), type: String(type ?? ''), nullable: Number(notNull) === 0, isNotNull: Number(notNull) === 1, keyPart: Number(keyPart), generated: Number(hidden) > 1,
    }))
}

/** `INTEGER PRIMARY KEY` is the rowid itself and so the only primary key without an index (sqlite.org, "Rowid Tables"). */
function readKeyOrder(database: DatabaseSync, { name: table, ddl }: Entry): readonly KeyColumn[] | undefined {
  const [[index] = []] = allRows(database, `SELECT name FROM pragma_index_list(${quoteText(table)}, 'main') WHERE origin = 'pk'`)
  if (index === undefined) return undefined
  const key = { table, index: String(index) }
  const columns = allRows(database, keyColumnsSql(key))
  return toKeyColumns(columns, /collate/i.test(ddl) ? allRows(database, ownCollationsSql(key, columns))[0] : undefined)
}

function notCapturable(table: string, fault: string, remedy?: string): TidemarkError {
  return new TidemarkError('TABLE_NOT_CAPTURABLE', `The table '${table}' ${fault}.`, { remedy })
}

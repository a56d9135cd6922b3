import {
  TidemarkError, type ColumnSchema, type DescribeTableOptions, type IndexSchema, type RowValues, type TableRef, type TableSchema,
} from '@tidemark/core/adapter'
import { quote } from '../quote.ts'
import { planColumn } from './column-type.ts'
import { quoteText } from './quote-text.ts'
import type { SourceSession } from './source-session.ts'
import { versionExpression } from './table-version.ts'

export interface HostDescribeOptions extends DescribeTableOptions {
  readonly hidesSchemaVersion: boolean
}

/** Errors: `TABLE_UNKNOWN`, `COLUMN_UNKNOWN` and `CONFIG_INVALID` for overrides, `SOURCE_*`. */
export async function describeTable(session: SourceSession, ref: TableRef, options: HostDescribeOptions): Promise<TableSchema> {
  const { signal } = options
  const entry = await readEntry(session, ref, options)
  const rows = await session.query({
    text: `SELECT cid, name, type, "notnull", pk, hidden FROM pragma_table_xinfo(${quoteText(entry.name)}, ${quoteText(schemaOf(ref))}) ORDER BY cid`, signal,
  })
  const indexes = await readIndexes(session, { ...ref, name: entry.name }, options)
  // 1 is a hidden column of a virtual table; 2 and 3 are generated ones, whose values are copied as such.
  const columns = rows.map(toDeclared).filter((column) => column.hidden !== 1)
  const key = columns.filter((column) => column.keyPart > 0).toSorted((a, b) => a.keyPart - b.keyPart).map((column) => column.name)
  return {
    ref,
    kind: entry.isView ? 'view' : 'table',
    columns: planColumns(columns, { entry, key, isRowid: isRowid(columns, indexes), ref }, options),
    key,
    indexes: indexes.filter((index) => index.origin !== 'pk' && index.isPlain).map(({ columns: names, unique }) => ({ columns: names, unique })),
    estimatedRows: undefined,
    version: entry.version,
  }
}

interface Entry {
  /** As the catalogue spells it. */
  readonly name: string
  readonly isView: boolean
  /** Whether primary key columns can't be NULL: in tables without rowid and in strict ones. */
  readonly requiresKey: boolean
  readonly version: string
}

async function readEntry(session: SourceSession, ref: TableRef, options: HostDescribeOptions): Promise<Entry> {
  const text = `SELECT m.name, m.type, ${versionExpression(ref, options)}, (SELECT wr OR strict FROM pragma_table_list(m.name) WHERE schema = ${quoteText(schemaOf(ref))} COLLATE NOCASE)
    FROM ${quote(schemaOf(ref))}.sqlite_master AS m WHERE m.name = ${quoteText(ref.name)} COLLATE NOCASE AND m.type IN ('table', 'view')`
  const [row] = await session.query({ text, signal: options.signal })
  if (row === undefined) throw new TidemarkError('TABLE_UNKNOWN', `The source has no table or view '${ref.name}'.`)
  return { name: String(row[0]), isView: row[1] === 'view', version: String(row[2]), requiresKey: Number(row[3]) === 1 }
}

interface CatalogueColumn {
  readonly ordinal: number
  readonly name: string
  readonly type: string
  readonly isNotNull: boolean
  /** Its place in the primary key, from 1; 0 outside of it. */
  readonly keyPart: number
  readonly hidden: number
}

function toDeclared([cid, name, type, notNull, keyPart, hidden]: RowValues): CatalogueColumn {
  return {
    ordinal: Number(cid) + 1, name: String(name), type: String(type ?? ''), isNotNull: Number(notNull) === 1, keyPart: Number(keyPart), hidden: Number(hidden),
  }
}

interface Planning {
  readonly ref: TableRef
  readonly entry: Entry
  readonly key: readonly string[]
  readonly isRowid: boolean
}

function planColumns(columns: readonly CatalogueColumn[], planning: Planning, options: DescribeTableOptions): readonly ColumnSchema[] {
  const { key, isRowid: isKeyRowid, entry, ref } = planning
  const overrides = new Map(Object.entries(options.overrides ?? {}))
  const planned = columns.map(({ name, ordinal, type, isNotNull, keyPart }) => {
    const override = overrides.get(name)
    overrides.delete(name)
    const nullable = !isNotNull && !(keyPart > 0 && (isKeyRowid || entry.requiresKey))
    return planColumn({ name, ordinal, sourceType: type, nullable, isOnlyKey: keyPart > 0 && key.length === 1 && !isKeyRowid }, override)
  })
  const [unknown] = overrides.keys()
  if (unknown !== undefined) throw new TidemarkError('COLUMN_UNKNOWN', `The table '${ref.name}' has no column '${unknown}'.`)
  return planned
}

interface CatalogueIndex extends IndexSchema {
  /** `c` by CREATE INDEX, `u` by UNIQUE, `pk` by PRIMARY KEY. */
  readonly origin: string
  /** Neither partial nor over an expression. */
  readonly isPlain: boolean
}

/** `INTEGER PRIMARY KEY` is the rowid itself and so the only primary key without an index (sqlite.org, "Rowid Tables"). */
function isRowid(columns: readonly CatalogueColumn[], indexes: readonly CatalogueIndex[]): boolean {
  const key = columns.filter((column) => column.keyPart > 0)
  return key.length === 1 && key[0]?.type.toUpperCase() === 'INTEGER' && !indexes.some((index) => index.origin === 'pk')
}

async function readIndexes(session: SourceSession, ref: TableRef, options: DescribeTableOptions): Promise<readonly CatalogueIndex[]> {
  const schema = quoteText(schemaOf(ref))
  const rows = await session.query({
    text: `SELECT list.seq, list."unique", list.origin, list.partial, info.name FROM pragma_index_list(${quoteText(ref.name)}, ${schema}) AS list
      LEFT JOIN pragma_index_info(list.name, ${schema}) AS info ORDER BY list.seq DESC, info.seqno`,
    signal: options.signal,
  })
  const sequences = [...new Set(rows.map(([sequence]) => sequence))]
  return sequences.map((sequence) => toIndex(rows.filter(([own]) => own === sequence)))
}

function toIndex(rows: readonly RowValues[]): CatalogueIndex {
  const [, unique, origin, partial] = rows[0] ?? []
  const columns = rows.flatMap((row) => (typeof row[4] === 'string' ? [row[4]] : []))
  return { columns, unique: Number(unique) === 1, origin: String(origin), isPlain: Number(partial) === 0 && columns.length === rows.length }
}

function schemaOf(ref: TableRef): string {
  return ref.schema ?? 'main'
}

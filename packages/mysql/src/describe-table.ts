import { TidemarkError, type IndexSchema, type TableRef, type TableSchema } from '@tidemark/core/adapter'
import type { DescribeTableOptions } from '@tidemark/core/adapter'
import { toColumnSchemas, type CatalogueColumn } from './column-schema.ts'
import type { RunOptions, TextCell } from './mysql-link.ts'
import type { Session } from './open-session.ts'
import { quoteTable } from './quote.ts'
import { catalogueFilter, fingerprintExpression } from './table-fingerprint.ts'

/** Errors: `TABLE_UNKNOWN`, `SOURCE_PERMISSION_DENIED`, `CONFIG_INVALID` for an override that does not fit. */
export async function describeTable(session: Session, table: TableRef, options: DescribeTableOptions & RunOptions): Promise<TableSchema> {
  const { link, server } = session
  const ref = { schema: table.schema ?? server.database, name: table.name }
  if (ref.schema === undefined) throw new TidemarkError('TABLE_UNKNOWN', 'The table has no database, and neither has the connection.')
  // The version first: of a table that changes meanwhile, an old version is found out by the next page, a new one never.
  const [facts] = await link.rows(`SELECT table_type, table_rows, ${fingerprintExpression(ref)} FROM information_schema.tables WHERE ${catalogueFilter(ref)}`, options)
  const rows = await link.rows(`SELECT column_name, column_type, is_nullable FROM information_schema.columns WHERE ${catalogueFilter(ref)} ORDER BY ordinal_position`, options)
  // The catalogue hides what a user may not see; the table itself tells the two apart.
  if (rows.length === 0) await link.rows(`SELECT 1 FROM ${quoteTable(ref)} LIMIT 0`, options)
  if (rows.length === 0 || facts === undefined) throw new TidemarkError('TABLE_UNKNOWN', 'The MySQL server shows no such table.')
  const indexes = await readIndexes(session, ref, options)
  const [kind, estimate, version] = facts
  return {
    ref,
    kind: kind?.includes('VIEW') === true ? 'view' : 'table',
    columns: toColumnSchemas(rows.map(toCatalogueColumn), options.overrides),
    key: indexes.get('PRIMARY')?.columns ?? [],
    indexes: [...indexes].filter(([name, index]) => name !== 'PRIMARY' && index.isPlain).map(([, { columns, unique }]): IndexSchema => ({ columns, unique })),
    estimatedRows: estimate === null || estimate === undefined ? undefined : Number(estimate),
    version: version ?? '',
  }
}

function toCatalogueColumn(row: readonly TextCell[]): CatalogueColumn {
  const [name, sourceType, nullable] = row
  return { name: name ?? '', sourceType: sourceType ?? '', nullable: nullable === 'YES' }
}

export interface CatalogueIndex {
  readonly columns: readonly string[]
  readonly unique: boolean
  /** Of whole columns: no prefix, no expression, an ordinary tree. */
  readonly isPlain: boolean
}

/** By name, in the catalogue's order. */
export async function readIndexes(session: Session, ref: TableRef, options: RunOptions): Promise<ReadonlyMap<string, CatalogueIndex>> {
  const rows = await session.link.rows(
    `SELECT index_name, column_name, non_unique, sub_part, index_type FROM information_schema.statistics WHERE ${catalogueFilter(ref)} ORDER BY index_name, seq_in_index`, options,
  )
  const indexes = new Map<string, CatalogueIndex>()
  for (const [name, column, nonUnique, prefix, type] of rows) {
    const before = indexes.get(name ?? '')
    indexes.set(name ?? '', {
      columns: [...(before?.columns ?? []), column ?? ''],
      unique: nonUnique === '0',
      // An index on an expression has no column name (MySQL 8.0.13).
      isPlain: (before?.isPlain ?? true) && column !== null && prefix === null && type === 'BTREE',
    })
  }
  return indexes
}

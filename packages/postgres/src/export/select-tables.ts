import { TidemarkError, type AbortOptions, type ExportSelection } from '@tidemark/core/adapter'
import { parseTableName } from '../parse-table-name.ts'
import { isOwn, USER_SCHEMA } from './catalogue-sql.ts'
import type { ExportTransaction } from './export-transaction.ts'
import { displayName, type ExportedTable } from './exported-table.ts'

/** Of a page: what a heap's rows are kept in (`BLCKSZ`). */
const TABLES = `SELECT pg_catalog.json_build_object('oid', c.oid::pg_catalog.text, 'schema', n.nspname, 'name', c.relname,
  'columns', coalesce((SELECT pg_catalog.json_agg(a.attname ORDER BY a.attnum) FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''), '[]'),
  'key', coalesce((SELECT pg_catalog.json_agg(a.attname ORDER BY k.n) FROM pg_catalog.pg_index i CROSS JOIN pg_catalog.unnest(i.indkey) WITH ORDINALITY AS k(attnum, n)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum WHERE i.indrelid = c.oid AND i.indisprimary AND k.n <= i.indnkeyatts), '[]'),
  'pages', CASE WHEN m.amname = 'heap' THEN pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::pg_catalog.int8 ELSE 0 END,
  'estimatedRows', CASE WHEN c.reltuples >= 0 THEN c.reltuples END, 'estimatedBytes', pg_catalog.pg_table_size(c.oid))
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_catalog.pg_am m ON m.oid = c.relam
WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND ${USER_SCHEMA} AND ${isOwn('pg_class', 'c.oid')} ORDER BY n.nspname, c.relname`

interface PartitionedTable {
  readonly schema: string
  readonly name: string
  readonly leaves: readonly string[]
}

const PARTITIONED = `SELECT pg_catalog.json_build_object('schema', n.nspname, 'name', c.relname,
  'leaves', (SELECT pg_catalog.json_agg(p.relid::pg_catalog.oid::pg_catalog.text) FROM pg_catalog.pg_partition_tree(c.oid) p WHERE p.isleaf))
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'p' AND ${USER_SCHEMA}`

/**
 * The tables with rows, partitions each by itself; a partitioned table that is named stands for its partitions.
 * Errors: `TABLE_UNKNOWN`, `NOTHING_SELECTED`, `CONFIG_INVALID` for a limit of a partitioned table.
 */
export async function selectTables(transaction: ExportTransaction, selection: ExportSelection, options: AbortOptions): Promise<readonly ExportedTable[]> {
  const all = (await transaction.texts(TABLES, options)).map((text) => ({ ...(JSON.parse(text) as ExportedTable), where: undefined, limit: undefined })) // as the statement builds them
  const partitioned = (await transaction.texts(PARTITIONED, options)).map((text) => JSON.parse(text) as PartitionedTable) // likewise
  const named = selection.tables === undefined ? all : selection.tables.flatMap((wanted) => find(all, partitioned, wanted))
  const patterns = selection.excludePatterns.map((source) => new RegExp(source, 'u'))
  const selected = named.filter((table) => !selection.exclude.includes(displayName(table)) && !patterns.some((pattern) => pattern.test(displayName(table))))
  // One that is named twice is exported once, as it was named last.
  const unique = [...new Map(selected.map((table) => [table.oid, table])).values()]
  if (unique.length === 0 && (selection.tables !== undefined || all.length > 0 || partitioned.length === 0)) throw new TidemarkError('NOTHING_SELECTED', 'The selection matches no table of the database.')
  return unique
}

function find(all: readonly ExportedTable[], partitioned: readonly PartitionedTable[], wanted: NonNullable<ExportSelection['tables']>[number]): readonly ExportedTable[] {
  const { schema, name } = parseTableName(wanted.name, 'public')
  const isIt = (table: { readonly schema: string; readonly name: string }): boolean => table.schema === schema && table.name === name
  const { where, limit } = wanted
  const found = all.find(isIt)
  if (found !== undefined) return [{ ...found, where, limit }]
  const parent = partitioned.find(isIt)
  if (parent === undefined) throw new TidemarkError('TABLE_UNKNOWN', `The source has no table '${schema ?? ''}.${name}'.`)
  if (limit !== undefined) {
    throw new TidemarkError('CONFIG_INVALID', 'A partitioned table can\'t be limited as a whole.', { issues: [{ path: `tables.${wanted.name}.limit`, message: 'Name its partitions, with a limit each.' }] })
  }
  return all.filter(({ oid }) => parent.leaves.includes(oid)).map((leaf) => ({ ...leaf, where }))
}

import { TidemarkError } from '@tidemark/core/adapter'
import type { DescribeTableOptions, IndexSchema, TableRef, TableSchema } from '@tidemark/core/adapter'
import type { SqlSession } from './sql-session.ts'
import { BASE_TYPES } from './domain-walk.ts'
import { fingerprintExpression } from './table-fingerprint.ts'
import { planColumn } from './type-catalogue.ts'

interface CatalogueColumn {
  readonly ordinal: number
  readonly name: string
  readonly nullable: boolean
  readonly type: string
  readonly kind: string
  readonly isArray: boolean
}

interface CatalogueTable {
  readonly kind: string
  readonly readable: boolean
  readonly estimatedRows: number | null
  readonly version: string
  readonly columns: readonly CatalogueColumn[]
  readonly key: readonly string[]
  readonly indexes: readonly IndexSchema[]
}

/** `indkey` holds included columns behind the key's own, hence `indnkeyatts`. */
const DESCRIBE = `
WITH RECURSIVE rel AS (
  SELECT c.oid, c.relkind, c.reltuples, n.nspname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = $1::pg_catalog.text AND c.relname = $2::pg_catalog.text AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
), wanted AS (
  SELECT a.attnum AS id, a.atttypid AS typ, a.atttypmod AS typmod FROM rel JOIN pg_catalog.pg_attribute a ON a.attrelid = rel.oid
  WHERE a.attnum > 0 AND NOT a.attisdropped
), ${BASE_TYPES}, indexes AS (
  SELECT i.indisprimary, i.indisunique, i.indexrelid,
    (SELECT pg_catalog.json_agg(a.attname ORDER BY k.n) FROM pg_catalog.unnest(i.indkey) WITH ORDINALITY AS k(attnum, n)
      JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum WHERE k.n <= i.indnkeyatts) AS columns
  FROM rel JOIN pg_catalog.pg_index i ON i.indrelid = rel.oid
  JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_am m ON m.oid = c.relam
  WHERE i.indexprs IS NULL AND i.indpred IS NULL AND i.indisvalid AND m.amname = 'btree'
)
SELECT pg_catalog.json_build_object(
  'kind', rel.relkind,
  'readable', pg_catalog.has_schema_privilege(rel.nspname, 'USAGE') AND pg_catalog.has_any_column_privilege(rel.oid, 'SELECT'),
  'estimatedRows', CASE rel.relkind WHEN 'p' THEN (SELECT sum(c.reltuples) FILTER (WHERE c.reltuples >= 0)
      FROM pg_catalog.pg_partition_tree(rel.oid) p JOIN pg_catalog.pg_class c ON c.oid = p.relid WHERE p.isleaf)
    ELSE CASE WHEN rel.reltuples >= 0 AND rel.relkind <> 'v' THEN rel.reltuples END END,
  'version', ${fingerprintExpression('rel.oid')},
  'columns', (SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
      'ordinal', a.attnum, 'name', a.attname, 'nullable', NOT a.attnotnull, 'kind', b.kind, 'isArray', b.is_array, 'type', b.name) ORDER BY a.attnum), '[]')
    FROM pg_catalog.pg_attribute a JOIN base_type b ON b.id = a.attnum
    WHERE a.attrelid = rel.oid),
  'key', coalesce((SELECT columns FROM indexes WHERE indisprimary), '[]'),
  'indexes', (SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object('columns', columns, 'unique', indisunique)
    ORDER BY indexrelid), '[]') FROM indexes WHERE NOT indisprimary)
) FROM rel`

/** Errors: `TABLE_UNKNOWN`, `SOURCE_PERMISSION_DENIED`, `COLUMN_UNKNOWN` and `CONFIG_INVALID` for overrides. */
export async function describeTable(session: SqlSession, ref: TableRef, options: DescribeTableOptions): Promise<TableSchema> {
  const rows = await session.query({ text: DESCRIBE, parameters: [ref.schema ?? 'public', ref.name], signal: options.signal })
  const text = rows[0]?.[0]
  if (typeof text !== 'string') throw new TidemarkError('TABLE_UNKNOWN', `The source has no table or view '${display(ref)}'.`)
  // The statement above builds exactly this shape.
  const table = JSON.parse(text) as CatalogueTable
  if (!table.readable) throw new TidemarkError('SOURCE_PERMISSION_DENIED', `The source user may not read '${display(ref)}'.`)
  return toSchema(ref, table, options)
}

function toSchema(ref: TableRef, table: CatalogueTable, options: DescribeTableOptions): TableSchema {
  const overrides = new Map(Object.entries(options.overrides ?? {}))
  const columns = table.columns.map(({ ordinal, name, nullable, type, kind, isArray }) => {
    const override = overrides.get(name)
    overrides.delete(name)
    return planColumn({ ordinal, name, nullable }, { name: type, kind, isArray }, override)
  })
  const [unknown] = overrides.keys()
  if (unknown !== undefined) throw new TidemarkError('COLUMN_UNKNOWN', `The table '${display(ref)}' has no column '${unknown}'.`)
  return {
    ref,
    kind: table.kind === 'v' || table.kind === 'm' ? 'view' : 'table',
    columns,
    key: table.key,
    indexes: table.indexes,
    estimatedRows: table.estimatedRows ?? undefined,
    version: table.version,
  }
}

function display(ref: TableRef): string {
  return ref.schema === undefined ? ref.name : `${ref.schema}.${ref.name}`
}

import { isOwn, USER_SCHEMA } from '../catalogue-sql.ts'
import { inScope, type DefinitionScope } from './definition-scope.ts'

const SEQUENCE_OPTIONS = `pg_catalog.format('START WITH %s INCREMENT BY %s MINVALUE %s MAXVALUE %s CACHE %s%s', s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, CASE WHEN s.seqcycle THEN ' CYCLE' ELSE '' END)`

/** Sequences that are nobody's, or those of tables in the dump; not those of identity columns, which their tables make. */
const SEQUENCES_FROM = (scope: DefinitionScope): string => `FROM pg_catalog.pg_sequence s JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_depend o ON o.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND o.objid = c.oid AND o.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND o.deptype IN ('a', 'i') AND o.refobjsubid > 0
  WHERE ${USER_SCHEMA} AND ${isOwn('pg_class', 'c.oid')} AND ${scope.isWhole ? `(o.refobjid IS NULL OR ${inScope(scope, 'o.refobjid')})` : inScope(scope, 'o.refobjid')}`

export function sequencesSql(scope: DefinitionScope): string {
  return `SELECT pg_catalog.format('CREATE SEQUENCE %I.%I AS %s %s;', n.nspname, c.relname, pg_catalog.format_type(s.seqtypid, NULL), ${SEQUENCE_OPTIONS}) ${SEQUENCES_FROM(scope)} AND o.deptype IS DISTINCT FROM 'i' ORDER BY c.oid`
}

export function sequenceOwnersSql(scope: DefinitionScope): string {
  return `SELECT pg_catalog.format('ALTER SEQUENCE %I.%I OWNED BY %s.%I;', n.nspname, c.relname, o.refobjid::pg_catalog.regclass,
    (SELECT a.attname FROM pg_catalog.pg_attribute a WHERE a.attrelid = o.refobjid AND a.attnum = o.refobjsubid)) ${SEQUENCES_FROM(scope)} AND o.deptype = 'a' ORDER BY c.oid`
}

/** One query for each: what a sequence stands at is in itself. */
export function sequenceReadsSql(scope: DefinitionScope): string {
  return `SELECT pg_catalog.format('SELECT pg_catalog.format(''SELECT pg_catalog.setval(%%L, %%s, %%L);'', %L, last_value, is_called) FROM %I.%I', pg_catalog.format('%I.%I', n.nspname, c.relname), n.nspname, c.relname)
    ${SEQUENCES_FROM(scope)} ORDER BY n.nspname, c.relname`
}

const COLUMN = `'  ' || pg_catalog.format('%I %s', a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod))
  || CASE WHEN a.attcollation <> 0 AND a.attcollation <> (SELECT b.typcollation FROM pg_catalog.pg_type b WHERE b.oid = a.atttypid) THEN
    (SELECT pg_catalog.format(' COLLATE %I.%I', cn.nspname, co.collname) FROM pg_catalog.pg_collation co JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace WHERE co.oid = a.attcollation) ELSE '' END
  || CASE WHEN a.attidentity <> '' AND NOT c.relispartition THEN (SELECT pg_catalog.format(' GENERATED %s AS IDENTITY (SEQUENCE NAME %s %s)', CASE a.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END,
      s.seqrelid::pg_catalog.regclass, ${SEQUENCE_OPTIONS}) FROM pg_catalog.pg_depend o JOIN pg_catalog.pg_sequence s ON s.seqrelid = o.objid
      WHERE o.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND o.refobjid = c.oid AND o.refobjsubid = a.attnum AND o.deptype = 'i' LIMIT 1)
    WHEN a.attgenerated = 's' THEN ' GENERATED ALWAYS AS (' || pg_catalog.pg_get_expr(d.adbin, d.adrelid) || ') STORED'
    WHEN a.attgenerated = 'v' THEN ' GENERATED ALWAYS AS (' || pg_catalog.pg_get_expr(d.adbin, d.adrelid) || ')'
    WHEN d.adbin IS NOT NULL THEN ' DEFAULT ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid) ELSE '' END
  || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END`

const COLUMNS = `(SELECT pg_catalog.array_agg(${COLUMN} ORDER BY a.attnum) FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND (a.attislocal OR c.relispartition))`

const CHECKS = `(SELECT pg_catalog.array_agg(pg_catalog.format('  CONSTRAINT %I %s', k.conname, pg_catalog.pg_get_constraintdef(k.oid)) ORDER BY k.conname) FROM pg_catalog.pg_constraint k
  WHERE k.conrelid = c.oid AND k.contype = 'c' AND k.convalidated AND (k.conislocal OR c.relispartition))`

/** How many tables it inherits from, one above the other: those come before it. */
const DEPTH = `(WITH RECURSIVE up(parent, depth) AS (SELECT c.oid, 0 UNION ALL SELECT i.inhparent, up.depth + 1 FROM up JOIN pg_catalog.pg_inherits i ON i.inhrelid = up.parent) SELECT max(depth) FROM up)`

/** Partitions are made as tables of their own and attached then, as they may have columns in another order. */
export function tablesSql(scope: DefinitionScope): string {
  return `SELECT pg_catalog.format(E'CREATE %sTABLE %I.%I (\\n%s\\n)%s%s%s;', CASE c.relpersistence WHEN 'u' THEN 'UNLOGGED ' ELSE '' END, n.nspname, c.relname,
    pg_catalog.array_to_string(${COLUMNS} || ${CHECKS}, E',\\n'),
    CASE WHEN c.relispartition THEN '' ELSE coalesce((SELECT ' INHERITS (' || pg_catalog.string_agg(i.inhparent::pg_catalog.regclass::pg_catalog.text, ', ' ORDER BY i.inhseqno) || ')' FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid), '') END,
    CASE WHEN c.relkind = 'p' THEN ' PARTITION BY ' || pg_catalog.pg_get_partkeydef(c.oid) ELSE '' END,
    CASE WHEN c.reloptions IS NOT NULL THEN ' WITH (' || pg_catalog.array_to_string(c.reloptions, ', ') || ')' ELSE '' END)
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND ${USER_SCHEMA} AND ${isOwn('pg_class', 'c.oid')} AND ${inScope(scope, 'c.oid')} ORDER BY ${DEPTH}, c.oid`
}

/** Only where parent and partition are both there. */
export function partitionsSql(scope: DefinitionScope): string {
  return `SELECT pg_catalog.format('ALTER TABLE ONLY %s ATTACH PARTITION %s %s;', i.inhparent::pg_catalog.regclass, c.oid::pg_catalog.regclass, pg_catalog.pg_get_expr(c.relpartbound, c.oid))
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_inherits i ON i.inhrelid = c.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relispartition AND c.relkind IN ('r', 'p') AND ${USER_SCHEMA} AND ${inScope(scope, 'c.oid')} AND ${inScope(scope, 'i.inhparent')} ORDER BY c.oid`
}

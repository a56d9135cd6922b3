import { isOwn, USER_SCHEMA } from '../catalogue-sql.ts'
import { inScope, type DefinitionScope } from './definition-scope.ts'

const CONSTRAINTS_FROM = (scope: DefinitionScope): string => `FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND ${USER_SCHEMA} AND ${isOwn('pg_class', 'c.oid')} AND ${inScope(scope, 'c.oid')}`

/** Keys, each table's own: those of partitions are attached to their parents' behind. */
export function keysSql(scope: DefinitionScope): string {
  return `SELECT pg_catalog.format('ALTER TABLE ONLY %I.%I ADD CONSTRAINT %I %s;', n.nspname, c.relname, k.conname, pg_catalog.pg_get_constraintdef(k.oid)) ${CONSTRAINTS_FROM(scope)}
    AND k.contype IN ('p', 'u', 'x') ORDER BY k.contype, k.oid`
}

export function indexesSql(scope: DefinitionScope): string {
  return `SELECT pg_catalog.pg_get_indexdef(i.indexrelid) || ';' FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm') AND ${USER_SCHEMA} AND ${isOwn('pg_class', 'c.oid')} AND ${inScope(scope, 'c.oid')} AND (i.indisvalid OR c.relkind = 'p')
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')) ORDER BY i.indexrelid`
}

export function indexPartitionsSql(scope: DefinitionScope): string {
  return `SELECT pg_catalog.format('ALTER INDEX %s ATTACH PARTITION %s;', h.inhparent::pg_catalog.regclass, h.inhrelid::pg_catalog.regclass) FROM pg_catalog.pg_inherits h
    JOIN pg_catalog.pg_index p ON p.indexrelid = h.inhparent JOIN pg_catalog.pg_index i ON i.indexrelid = h.inhrelid WHERE ${inScope(scope, 'p.indrelid')} AND ${inScope(scope, 'i.indrelid')} ORDER BY h.inhrelid`
}

/** Those of checks that were never validated too: they could not stand in the table's definition. */
export function foreignKeysSql(scope: DefinitionScope): string {
  return `SELECT pg_catalog.format('ALTER TABLE %s%I.%I ADD CONSTRAINT %I %s;', CASE c.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END, n.nspname, c.relname, k.conname, pg_catalog.pg_get_constraintdef(k.oid)) ${CONSTRAINTS_FROM(scope)}
    AND (k.contype = 'f' AND k.conparentid = 0 AND ${inScope(scope, 'k.confrelid')} OR k.contype = 'c' AND NOT k.convalidated AND k.conislocal) ORDER BY k.oid`
}

/** What tables are told besides. */
export function tableSettingsSql(scope: DefinitionScope): string {
  return `SELECT s.statement FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace CROSS JOIN LATERAL (
    SELECT 1, pg_catalog.format('ALTER TABLE ONLY %I.%I REPLICA IDENTITY %s;', n.nspname, c.relname, CASE c.relreplident WHEN 'f' THEN 'FULL' ELSE 'NOTHING' END) WHERE c.relreplident IN ('f', 'n')
    UNION ALL SELECT 1, pg_catalog.format('ALTER TABLE ONLY %I.%I REPLICA IDENTITY USING INDEX %I;', n.nspname, c.relname, x.relname) FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
      WHERE i.indrelid = c.oid AND i.indisreplident
    UNION ALL SELECT 2, pg_catalog.pg_get_statisticsobjdef(e.oid) || ';' FROM pg_catalog.pg_statistic_ext e WHERE e.stxrelid = c.oid
    UNION ALL SELECT 3, pg_catalog.format('ALTER TABLE %I.%I ENABLE ROW LEVEL SECURITY;', n.nspname, c.relname) WHERE c.relrowsecurity
    UNION ALL SELECT 4, pg_catalog.format('ALTER TABLE ONLY %I.%I FORCE ROW LEVEL SECURITY;', n.nspname, c.relname) WHERE c.relforcerowsecurity
  ) AS s(place, statement) WHERE c.relkind IN ('r', 'p') AND ${USER_SCHEMA} AND ${isOwn('pg_class', 'c.oid')} AND ${inScope(scope, 'c.oid')} ORDER BY s.place, c.oid`
}

/** Roles are named as they are: where one is missing, that statement fails. */
export function policiesSql(scope: DefinitionScope): string {
  return `SELECT pg_catalog.format('CREATE POLICY %I ON %I.%I AS %s FOR %s TO %s%s%s;', p.polname, n.nspname, c.relname, CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
    CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
    (SELECT pg_catalog.string_agg(CASE WHEN u.role = 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(u.role)) END, ', ') FROM pg_catalog.unnest(p.polroles) AS u(role)),
    coalesce(' USING (' || pg_catalog.pg_get_expr(p.polqual, p.polrelid) || ')', ''), coalesce(' WITH CHECK (' || pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) || ')', ''))
    FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class c ON c.oid = p.polrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE ${USER_SCHEMA} AND ${inScope(scope, 'c.oid')} ORDER BY p.oid`
}

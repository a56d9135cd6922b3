import { isOwn, USER_SCHEMA } from '../catalogue-sql.ts'

/** Of tables: as an argument, a result, or in a body that was parsed. */
const NEEDS_TABLES = `(p.prosqlbody IS NOT NULL OR EXISTS (SELECT FROM pg_catalog.unnest(coalesce(p.proallargtypes, p.proargtypes::pg_catalog.oid[]) || p.prorettype) AS u(typ)
  JOIN pg_catalog.pg_type t ON t.oid = u.typ LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem JOIN pg_catalog.pg_class c ON c.oid IN (t.typrelid, e.typrelid) WHERE c.relkind <> 'c'))`

/** Those that a range type makes for itself. */
const IS_MADE = `EXISTS (SELECT FROM pg_catalog.pg_depend i WHERE i.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND i.objid = p.oid AND i.deptype = 'i')`

/**
 * Functions and procedures, in the order in which they were made; those that need tables are for behind them. The server's own, which are thousands, are
 * left out before anything else is asked of them.
 */
export function programsSql(needTables: boolean): string {
  return `WITH p AS MATERIALIZED (SELECT p.* FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE p.prokind IN ('f', 'p', 'w') AND ${USER_SCHEMA})
    SELECT pg_catalog.rtrim(pg_catalog.pg_get_functiondef(p.oid), E'\\n') || ';' FROM p WHERE ${isOwn('pg_proc', 'p.oid')} AND NOT ${IS_MADE} AND ${needTables ? '' : 'NOT '}${NEEDS_TABLES} ORDER BY p.oid`
}

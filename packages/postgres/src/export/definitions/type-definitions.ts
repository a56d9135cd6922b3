import { isOwn, USER_SCHEMA } from '../catalogue-sql.ts'

/** All but `public`, which every database has. */
export const SCHEMAS = `SELECT pg_catalog.format('CREATE SCHEMA %I;', n.nspname) FROM pg_catalog.pg_namespace n WHERE ${USER_SCHEMA} AND n.nspname <> 'public' AND ${isOwn('pg_namespace', 'n.oid')} ORDER BY n.nspname`

export const EXTENSIONS = `SELECT pg_catalog.format('CREATE EXTENSION IF NOT EXISTS %I WITH SCHEMA %I;', e.extname, n.nspname)
FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname <> 'plpgsql' ORDER BY e.oid`

const ENUM = `SELECT pg_catalog.format('CREATE TYPE %I.%I AS ENUM (%s);', n.nspname, t.typname,
  (SELECT pg_catalog.string_agg(pg_catalog.quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid)) WHERE t.typtype = 'e'`

const COLLATION = `CASE WHEN a.attcollation <> 0 AND a.attcollation <> (SELECT b.typcollation FROM pg_catalog.pg_type b WHERE b.oid = a.atttypid) THEN
  (SELECT pg_catalog.format(' COLLATE %I.%I', cn.nspname, co.collname) FROM pg_catalog.pg_collation co JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace WHERE co.oid = a.attcollation) ELSE '' END`

const COMPOSITE = `SELECT pg_catalog.format('CREATE TYPE %I.%I AS (%s);', n.nspname, t.typname,
  (SELECT pg_catalog.string_agg(pg_catalog.format('%I %s%s', a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), ${COLLATION}), ', ' ORDER BY a.attnum)
    FROM pg_catalog.pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped)) WHERE t.typtype = 'c'`

const DOMAIN = `SELECT pg_catalog.format('CREATE DOMAIN %I.%I AS %s%s%s%s%s;', n.nspname, t.typname, pg_catalog.format_type(t.typbasetype, t.typtypmod),
  CASE WHEN t.typcollation <> 0 AND t.typcollation <> (SELECT b.typcollation FROM pg_catalog.pg_type b WHERE b.oid = t.typbasetype) THEN
    (SELECT pg_catalog.format(' COLLATE %I.%I', cn.nspname, co.collname) FROM pg_catalog.pg_collation co JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace WHERE co.oid = t.typcollation) ELSE '' END,
  CASE WHEN t.typdefaultbin IS NOT NULL THEN ' DEFAULT ' || pg_catalog.pg_get_expr(t.typdefaultbin, 0) ELSE '' END,
  CASE WHEN t.typnotnull THEN ' NOT NULL' ELSE '' END,
  coalesce((SELECT pg_catalog.string_agg(pg_catalog.format(' CONSTRAINT %I %s', k.conname, pg_catalog.pg_get_constraintdef(k.oid)), '' ORDER BY k.conname)
    FROM pg_catalog.pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c'), '')) WHERE t.typtype = 'd'`

const RANGE = `SELECT pg_catalog.format('CREATE TYPE %I.%I AS RANGE (SUBTYPE = %s%s);', n.nspname, t.typname, pg_catalog.format_type(r.rngsubtype, NULL),
  CASE WHEN r.rngsubdiff <> 0 THEN ', SUBTYPE_DIFF = ' || r.rngsubdiff::pg_catalog.regproc::pg_catalog.text ELSE '' END) FROM pg_catalog.pg_range r WHERE r.rngtypid = t.oid AND t.typtype = 'r'`

/** In the order in which they were made: one that uses another was made behind it. */
export const TYPES = `SELECT d.statement FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
CROSS JOIN LATERAL (${[ENUM, COMPOSITE, DOMAIN, RANGE].map((query) => `(${query})`).join(' UNION ALL ')}) AS d(statement)
WHERE ${USER_SCHEMA} AND ${isOwn('pg_type', 't.oid')} AND (t.typtype <> 'c' OR (SELECT c.relkind = 'c' FROM pg_catalog.pg_class c WHERE c.oid = t.typrelid)) ORDER BY t.oid`

/** What is not defined: it would be missed by those who look for it. */
export const UNDEFINED_THINGS = `
SELECT pg_catalog.format('The type %I.%I is left out: it is one of C functions.', n.nspname, t.typname) FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
  WHERE t.typtype = 'b' AND t.typelem = 0 AND ${USER_SCHEMA} AND ${isOwn('pg_type', 't.oid')}
UNION ALL SELECT pg_catalog.format('The aggregate %I.%I is left out.', n.nspname, p.proname) FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  WHERE p.prokind = 'a' AND ${USER_SCHEMA} AND ${isOwn('pg_proc', 'p.oid')}
UNION ALL SELECT pg_catalog.format('The operator %I.%s is left out.', n.nspname, o.oprname) FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
  WHERE ${USER_SCHEMA} AND ${isOwn('pg_operator', 'o.oid')}
UNION ALL SELECT pg_catalog.format('The foreign table %I.%I is left out: its rows are in another database.', n.nspname, c.relname) FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'f' AND ${USER_SCHEMA}
UNION ALL SELECT pg_catalog.format('The event trigger %I is left out.', t.evtname) FROM pg_catalog.pg_event_trigger t WHERE ${isOwn('pg_event_trigger', 't.oid')}
UNION ALL SELECT pg_catalog.format('The publication %I is left out.', p.pubname) FROM pg_catalog.pg_publication p`

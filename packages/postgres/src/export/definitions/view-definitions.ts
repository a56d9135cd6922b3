import { isOwn, USER_SCHEMA } from '../catalogue-sql.ts'
import type { TextRow } from '../../check-result.ts'

/** Oid, statement, and the views that it reads. */
export const VIEWS = `SELECT c.oid::pg_catalog.text, pg_catalog.format(E'CREATE %sVIEW %I.%I%s AS\\n%s%s;', CASE c.relkind WHEN 'm' THEN 'MATERIALIZED ' ELSE '' END, n.nspname, c.relname,
    CASE WHEN c.reloptions IS NOT NULL THEN ' WITH (' || pg_catalog.array_to_string(c.reloptions, ', ') || ')' ELSE '' END,
    pg_catalog.rtrim(pg_catalog.pg_get_viewdef(c.oid), ';'), CASE c.relkind WHEN 'm' THEN E'\\n  WITH NO DATA' ELSE '' END),
  coalesce((SELECT pg_catalog.string_agg(DISTINCT d.refobjid::pg_catalog.text, ',') FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = r.oid
    AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass WHERE r.ev_class = c.oid AND d.refobjid <> c.oid), ''),
  CASE WHEN c.relkind = 'm' AND c.relispopulated THEN pg_catalog.format('REFRESH MATERIALIZED VIEW %I.%I;', n.nspname, c.relname) END
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('v', 'm') AND ${USER_SCHEMA} AND ${isOwn('pg_class', 'c.oid')} ORDER BY c.oid`

/** Triggers, rules, and how they fire. A trigger of a partition that its parent has is made with that. */
export const TRIGGERS = `SELECT s.statement FROM (
  SELECT 1, t.oid, pg_catalog.pg_get_triggerdef(t.oid) || ';' FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND ${USER_SCHEMA} AND ${isOwn('pg_class', 'c.oid')}
  UNION ALL SELECT 2, t.oid, pg_catalog.format('ALTER TABLE %I.%I %s TRIGGER %I;', n.nspname, c.relname, CASE t.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, t.tgname)
    FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND t.tgenabled <> 'O' AND ${USER_SCHEMA} AND ${isOwn('pg_class', 'c.oid')}
  UNION ALL SELECT 3, r.oid, pg_catalog.pg_get_ruledef(r.oid) FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE r.rulename <> '_RETURN' AND ${USER_SCHEMA} AND ${isOwn('pg_class', 'c.oid')}
) AS s(place, oid, statement) ORDER BY s.place, s.oid`

const COMMENTED: Readonly<Record<string, string>> = {
  schema: 'SCHEMA', type: 'TYPE', domain: 'DOMAIN', 'composite type': 'TYPE', function: 'FUNCTION', procedure: 'PROCEDURE', sequence: 'SEQUENCE', table: 'TABLE', 'table column': 'COLUMN', view: 'VIEW', 'view column': 'COLUMN',
  'materialized view': 'MATERIALIZED VIEW', 'materialized view column': 'COLUMN', index: 'INDEX', 'table constraint': 'CONSTRAINT', trigger: 'TRIGGER', policy: 'POLICY', rule: 'RULE',
}

const KINDS = Object.entries(COMMENTED).map(([kind, word]) => `('${kind}', '${word}')`).join(', ')

/** In an order that a restored database has too, as everything here. */
export const COMMENTS = `SELECT pg_catalog.format('COMMENT ON %s %s IS %L;', k.word, i.identity, d.description) FROM pg_catalog.pg_description d
  CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classoid, d.objoid, d.objsubid) AS i JOIN (VALUES ${KINDS}) AS k(kind, word) ON k.kind = i.type
  WHERE (coalesce(i.schema, '') !~ '^pg_' AND coalesce(i.schema, '') <> 'information_schema') AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.classid = d.classoid AND e.objid = d.objoid AND e.deptype = 'e')
    AND NOT (i.type = 'schema' AND (i.identity ~ '^pg_' OR i.identity IN ('public', 'information_schema')))
    AND (i.type NOT IN ('table constraint', 'trigger', 'policy', 'rule') OR i.identity !~ ' on (pg_|information_schema)') ORDER BY i.type, i.identity`

/** Each behind those that it reads. A recursion of views can't be made without another statement in between, so that what is left is given in its own order. */
export function inOrder(views: readonly TextRow[]): readonly string[] {
  const left = new Map(views.map(([oid, statement, reads]) => [oid ?? '', { statement: statement ?? '', reads: (reads ?? '').split(',') }]))
  const ordered: string[] = []
  while (left.size > 0) {
    const ready = [...left].filter(([, { reads }]) => !reads.some((oid) => left.has(oid)))
    for (const [oid, { statement }] of ready.length === 0 ? left : ready) {
      ordered.push(statement)
      left.delete(oid)
    }
  }
  return ordered
}

/** Schemas of users. */
export const USER_SCHEMA = `n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'`

/** Whether the object is no part of an extension, which makes it again by itself. */
export function isOwn(catalogue: string, oid: string): string {
  return `NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.classid = 'pg_catalog.${catalogue}'::pg_catalog.regclass AND e.objid = ${oid} AND e.deptype = 'e')`
}

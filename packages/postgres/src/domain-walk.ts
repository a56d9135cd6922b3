/**
 * What types are called once domains are followed down to what they stand on, for values and for elements of arrays: a copy has no domains,
 * and values come in their base type's form. Goes behind `WITH RECURSIVE`, and a query `wanted (id, typ, typmod)` before it; gives
 * `base_type (id, kind, is_array, name)`, a row for each of `wanted`.
 */
export const BASE_TYPES = `walk AS (
  SELECT id, typ, typmod FROM wanted
  UNION ALL
  SELECT w.id, t.typbasetype, t.typtypmod FROM walk w JOIN pg_catalog.pg_type t ON t.oid = w.typ WHERE t.typtype = 'd'
), base AS (
  SELECT w.id, w.typ, w.typmod, t.typtype, e.oid AS element
  FROM walk w JOIN pg_catalog.pg_type t ON t.oid = w.typ
  LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND e.typarray = t.oid WHERE t.typtype <> 'd'
), element_walk AS (
  SELECT id, element AS typ, typmod FROM base WHERE element IS NOT NULL
  UNION ALL
  SELECT w.id, t.typbasetype, t.typtypmod FROM element_walk w JOIN pg_catalog.pg_type t ON t.oid = w.typ WHERE t.typtype = 'd'
), element AS (
  SELECT w.id, w.typ, w.typmod FROM element_walk w JOIN pg_catalog.pg_type t ON t.oid = w.typ WHERE t.typtype <> 'd'
), base_type AS (
  SELECT b.id, b.typtype AS kind, b.element IS NOT NULL AS is_array,
    coalesce(pg_catalog.format_type(e.typ, e.typmod) || '[]', pg_catalog.format_type(b.typ, b.typmod)) AS name
  FROM base b LEFT JOIN element e ON e.id = b.id
)`

/**
 * One scalar that changes with a table's columns, types, nullability or primary key, for the `pg_class` row whose oid
 * `oid` names. The description and every page compute it by the same expression, so drift shows without a query.
 *
 * Types enter by name, not by oid: a table restored from a dump is the same table.
 */
export function fingerprintExpression(oid: string): string {
  return `(SELECT pg_catalog.md5(pg_catalog.string_agg(pg_catalog.concat_ws(':', a.attnum, a.attname, t.typname, a.atttypmod, a.attnotnull,
      (SELECT pg_catalog.string_agg(k.n::pg_catalog.text, ',') FROM pg_catalog.pg_index i,
        LATERAL pg_catalog.unnest(i.indkey) WITH ORDINALITY AS k(attnum, n)
        WHERE i.indrelid = a.attrelid AND i.indisprimary AND k.attnum = a.attnum)), '|' ORDER BY a.attnum))
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = ${oid} AND a.attnum > 0 AND NOT a.attisdropped)`
}

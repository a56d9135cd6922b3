import { expect, test } from 'vitest'
import { verifyDump } from '@tidemark/core'
import { fsStorage } from '@tidemark/node'
import { postgresSource } from '../postgres-source.ts'
import { useTestDatabase } from '../test/test-database.ts'
import { dump, loadWithPsql, pgDump } from './test/dump.ts'

const database = await useTestDatabase('export')
const copy = await useTestDatabase('export_copy')

const SCHEMA = `
CREATE SCHEMA "odd "" schema"; CREATE SCHEMA other;
CREATE EXTENSION IF NOT EXISTS pgcrypto WITH SCHEMA other;
CREATE TYPE mood AS ENUM ('sad', 'it''s ok', 'back\\slash', 'ünï');
CREATE TYPE other.pair AS (a int, "B c" text COLLATE "C");
CREATE DOMAIN positive AS numeric(10,2) DEFAULT 1 NOT NULL CONSTRAINT above_zero CHECK (VALUE > 0) CONSTRAINT small CHECK (VALUE < 1e6);
CREATE TYPE span AS RANGE (subtype = float8, subtype_diff = float8mi);
CREATE FUNCTION twice(x int) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT x * 2; $$;
CREATE SEQUENCE counter AS smallint START 5 INCREMENT 3 MINVALUE -2 MAXVALUE 300 CACHE 4 CYCLE; SELECT nextval('counter'), nextval('counter');
CREATE SEQUENCE untouched;
CREATE TABLE every_type (id int PRIMARY KEY, b boolean, s smallint, i int, l bigint, n numeric, nn numeric(20,5), f real, d double precision, m money, t text, v varchar(20), c char(7), q "char", nm name, by bytea,
  ts timestamp, tz timestamptz, da date, ti time, tt timetz, iv interval, u uuid, j json, jb jsonb, x xml, ip inet, cd cidr, mc macaddr, bi bit(5), vb varbit, po point, li line, bo box, ci circle, pa path, tv tsvector, tq tsquery,
  ia int[], ta text[][], mo mood, ma mood[], pr other.pair, ps positive, sp span, r int4range, mr int4multirange, o oid, rc regclass);
INSERT INTO every_type (id, ps) VALUES (0, 1);
INSERT INTO every_type VALUES
 (1, true, -32768, 2147483647, -9223372036854775808, 'NaN', 123456789012345.12345, 'Infinity', '-Infinity', '$1,234.56', E'tab\\t nl\\n cr\\r bs\\\\ \\x01 \\\\. \\\\N', '', 'pad', 'x', 'name', '\\x00ff5c0a09',
  'infinity', '-infinity', '4713-01-01 BC', '24:00:00', '00:00:00-15:59', '-1 mon +2 days -03:04:05.000001', '00112233-4455-6677-8899-aabbccddeeff', '{"a" : 1, "a":2}', '{"b": [1, null]}', '<a>x</a>', '::1/64', '10.0.0.0/8', '08:00:2b:01:02:03',
  B'10101', B'', '(1.5,-2)', '{1,2,3}', '((0,0),(1,1))', '<(0,0),2>', '((0,0),(1,1))', 'a:1 b:2', 'a & !b', '{1,NULL,3}', '{{"a b","NULL"},{"{}","\\"q\\\\"}}', 'it''s ok', '{sad,"back\\\\slash"}', '(7,"x,y")', 999999.99, '[1.5,2.5)', '[1,10)', '{[1,3),[5,)}', 4294967295, 'pg_catalog.pg_class'),
 (2, false, 32767, -2147483648, 9223372036854775807, 'Infinity', -0.00001, 1e-45, 5e-324, '-$0.01', '\\.', ' x ', '', '', '', '', '0001-01-01 00:00:00.000001', '294276-12-31 23:59:59.999999+00', '5874897-12-31', '00:00:00', '23:59:59.999999+15:59',
  'P1Y2M3DT4H5M6.7S', NULL, 'null', 'null', 'text only', '1.2.3.4', '::/0', NULL, NULL, B'1', NULL, NULL, NULL, NULL, NULL, '', '', '{}', '{}', NULL, '{}', '(,)', 0.01, 'empty', 'empty', '{}', 0, NULL);
CREATE TABLE "odd "" schema"."odd ""name""; DROP" ("a ""b" text, "select" int GENERATED ALWAYS AS IDENTITY (START 10 INCREMENT 5), "é" text DEFAULT 'it''s', UNIQUE ("select", "a ""b"));
INSERT INTO "odd "" schema"."odd ""name""; DROP" ("a ""b") VALUES ('x'), (NULL), (E'a\\nb');
CREATE TABLE serials (id bigserial PRIMARY KEY, made int GENERATED ALWAYS AS (twice(7) + length(t)) STORED, t text NOT NULL, other_id int, CHECK (length(t) > 0)) WITH (fillfactor = 70);
INSERT INTO serials (t, other_id) SELECT 'row ' || g, g % 3 FROM generate_series(1, 5000) g; DELETE FROM serials WHERE id % 3 = 0; UPDATE serials SET t = t || ' changed' WHERE id % 5 = 0;
CREATE INDEX by_expression ON serials (lower(t) text_pattern_ops DESC NULLS LAST) INCLUDE (other_id) WHERE other_id > 0; CREATE INDEX ON serials USING brin (id); CREATE STATISTICS both_of (dependencies) ON t, other_id FROM serials;
ALTER TABLE serials ADD CONSTRAINT late CHECK (other_id < 100) NOT VALID; ALTER TABLE serials REPLICA IDENTITY FULL;
ALTER TABLE serials ADD CONSTRAINT self FOREIGN KEY (other_id) REFERENCES every_type (id) DEFERRABLE INITIALLY DEFERRED NOT VALID;
CREATE TABLE no_columns (); INSERT INTO no_columns DEFAULT VALUES; INSERT INTO no_columns DEFAULT VALUES; CREATE TABLE empty_one (a int); CREATE UNLOGGED TABLE fleeting (a int); INSERT INTO fleeting VALUES (1);
CREATE TABLE measured (at date NOT NULL, place int, v text, PRIMARY KEY (at, place)) PARTITION BY RANGE (at);
CREATE TABLE measured_1 PARTITION OF measured FOR VALUES FROM ('2020-01-01') TO ('2021-01-01'); CREATE TABLE measured_rest (v text, place int NOT NULL, at date NOT NULL); ALTER TABLE measured ATTACH PARTITION measured_rest DEFAULT;
CREATE INDEX measured_v ON measured (v); INSERT INTO measured SELECT '2020-06-01'::date + g, g, 'v' || g FROM generate_series(1, 400) g;
CREATE TABLE parent (a int, b text); CREATE TABLE child (c int DEFAULT 3) INHERITS (parent); INSERT INTO parent VALUES (1, 'p'); INSERT INTO child VALUES (2, 'c', 4);
CREATE TABLE booked (room int, during tsrange, EXCLUDE USING gist (during WITH &&)); INSERT INTO booked VALUES (1, '[2020-01-01,2020-01-02)');
CREATE VIEW later AS SELECT 1 AS x; CREATE VIEW first_view WITH (security_barrier = true) AS SELECT id, t, count(*) OVER () FROM serials WHERE id < 100;
CREATE OR REPLACE VIEW later AS SELECT id::int AS x FROM first_view; CREATE MATERIALIZED VIEW kept AS SELECT id, t FROM serials WHERE id < 10; CREATE UNIQUE INDEX kept_id ON kept (id); CREATE MATERIALIZED VIEW unkept AS SELECT 1 AS a WITH NO DATA;
CREATE FUNCTION of_table(s serials) RETURNS text LANGUAGE plpgsql AS $f$ BEGIN /*
\\! echo not a command
*/ RETURN s.t; END $f$;
CREATE FUNCTION parsed(x int) RETURNS bigint BEGIN ATOMIC SELECT count(*) FROM serials WHERE id = x; END;
CREATE PROCEDURE proc(INOUT a int) LANGUAGE plpgsql AS $$ BEGIN a := a + 1; END $$;
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'must not fire while loading'; END $$;
CREATE TRIGGER noted BEFORE INSERT OR UPDATE OF t ON serials FOR EACH ROW WHEN (NEW.t <> '') EXECUTE FUNCTION note(); CREATE TRIGGER off AFTER DELETE ON serials EXECUTE FUNCTION note(); ALTER TABLE serials DISABLE TRIGGER off;
CREATE RULE quiet AS ON DELETE TO empty_one DO INSTEAD NOTHING;
ALTER TABLE parent ENABLE ROW LEVEL SECURITY; CREATE POLICY seen ON parent FOR SELECT TO PUBLIC USING (a > 0); CREATE POLICY made ON parent AS RESTRICTIVE FOR INSERT WITH CHECK (a < 9);
COMMENT ON TABLE serials IS 'it''s a table'; COMMENT ON COLUMN serials.t IS E'two\\nlines'; COMMENT ON CONSTRAINT late ON serials IS 'late'; COMMENT ON FUNCTION twice(int) IS 'doubles'; COMMENT ON TRIGGER noted ON serials IS 'notes'; COMMENT ON SCHEMA other IS 'another';
COMMENT ON VIEW later IS 'v'; COMMENT ON TYPE mood IS 'm'; COMMENT ON DOMAIN positive IS 'd'; COMMENT ON INDEX by_expression IS 'i'; COMMENT ON SEQUENCE counter IS 's'; COMMENT ON MATERIALIZED VIEW kept IS 'mv';
`

test('a dump gives every cell and every definition back through psql, by the account of pg_dump', async () => {
  await database.execute(SCHEMA)
  const exported = await dump(database.url, { partBytes: 200_000 })
  expect(exported.status).toMatchObject({ status: 'completed', consistency: 'snapshot' })
  await loadWithPsql(copy.url, exported.file)
  expect((await pgDump(copy.url, '--schema-only')).split('\n')).toEqual((await pgDump(database.url, '--schema-only')).split('\n'))
  expect(sorted(await pgDump(copy.url, '--data-only'))).toEqual(sorted(await pgDump(database.url, '--data-only')))
  await expect(verifyDump({ storage: fsStorage(exported.folder), id: exported.id, mode: 'rows', against: postgresSource({ url: copy.url }) })).resolves.toMatchObject({ ok: true, findings: [] })
})

/** Rows have no order, and neither have the tables of two databases. */
function sorted(text: string): readonly string[] {
  return text.split('\n').toSorted()
}

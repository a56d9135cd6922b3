/** What has broken dumps before: every kind of table, and values at the edges of every type. */
export const HOSTILE = `
  CREATE TABLE v(id INTEGER PRIMARY KEY, x);
  INSERT INTO v(x) VALUES (NULL), (0), (-0.0), (1), (1.0), (9007199254740993), (9223372036854775807), (-9223372036854775808), (0.1), (1e308), (-1e308), (5e-324),
    (2.2250738585072014e-308), (9e999), (-9e999), (''), ('''; DROP TABLE v; --'), ('a' || char(10) || 'b' || char(13)), ('line\\n'), ('é漢字😀'), (char(0)), ('a' || char(0) || 'b'),
    (CAST(x'41ff42' AS TEXT)), (CAST(x'eda080' AS TEXT)), (char(65533)), (x''), (x'00ff'), (zeroblob(300)), ('1'), ('1.0'), (' 1'), ('NULL'), (9007199254740993.0);
  CREATE TABLE "odd "" name"("a ""b" TEXT, "select" INT, "é" BLOB, "rowid" TEXT);
  INSERT INTO "odd "" name" VALUES ('x', 1, x'00', 'not the row number'), (1, 'one', 1.5, NULL);
  CREATE TABLE affinities(i INT, t TEXT, r REAL, n NUMERIC, b BLOB, d DATETIME);
  INSERT INTO affinities VALUES ('x', 1, 1, '1.50', 'text', '2020-01-01'), (1.5, 1.5, 9007199254740993, 1e20, 5, 7), ('1e3', x'31', 'abc', x'00', NULL, 1.0);
  CREATE TABLE strict_one(id INTEGER PRIMARY KEY, a ANY, r REAL, t TEXT NOT NULL) STRICT;
  INSERT INTO strict_one VALUES (1, 1.0, 1, 'x'), (2, '1', 2.5, ''), (3, x'01', -9e999, 'y');
  CREATE TABLE without_rowid(a TEXT COLLATE NOCASE, b, c, PRIMARY KEY(b, a)) WITHOUT ROWID;
  INSERT INTO without_rowid VALUES ('A', 1, 1), ('b', 1, 2), ('a', 1.5, 3), ('', x'00', 4), ('z', 'text', 5), ('z', '', 6), (char(0), '', 7);
  CREATE TABLE generated(a INT, b INT AS (a * 2) STORED, c TEXT AS ('x' || a), d TEXT DEFAULT 'd');
  INSERT INTO generated(a) VALUES (1), (2), (NULL);
  CREATE TABLE counted(id INTEGER PRIMARY KEY AUTOINCREMENT, x); INSERT INTO counted(x) VALUES (1), (2), (3); DELETE FROM counted WHERE id = 3;
  CREATE TABLE parent(id INTEGER PRIMARY KEY, child REFERENCES child(id)); CREATE TABLE child(id INTEGER PRIMARY KEY, parent REFERENCES parent(id));
  INSERT INTO parent VALUES (1, 1); INSERT INTO child VALUES (1, 1);
  CREATE VIEW seen AS SELECT id, x FROM v WHERE id > (SELECT min(id) FROM counted);
  CREATE TABLE log(x); CREATE TRIGGER seen_insert INSTEAD OF INSERT ON seen BEGIN INSERT INTO log VALUES ('a;b'); SELECT CASE WHEN 1 THEN 2 END; END;
  CREATE TRIGGER counted_insert AFTER INSERT ON counted BEGIN INSERT INTO log VALUES (new.id); END;
  CREATE INDEX partial ON v(x) WHERE x IS NOT NULL; CREATE UNIQUE INDEX expression ON counted(x, abs(id));
  CREATE VIRTUAL TABLE notes USING fts5(title, body); INSERT INTO notes(rowid, title, body) VALUES (7, 'one', 'a text'), (9, 'two', 'another');
  CREATE VIRTUAL TABLE places USING rtree(id, x0, x1); INSERT INTO places VALUES (3, 1, 2);
  CREATE TABLE tmpl_users(a); INSERT INTO tmpl_users VALUES (1); CREATE TABLE empty(a, b);
  PRAGMA user_version = 42; PRAGMA application_id = 7;`

/** Its tables, virtual ones too, and the counters of AUTOINCREMENT. */
export const TABLES = ['v', 'odd " name', 'affinities', 'strict_one', 'without_rowid', 'generated', 'counted', 'parent', 'child', 'log', 'notes', 'places', 'tmpl_users', 'empty', 'sqlite_sequence']

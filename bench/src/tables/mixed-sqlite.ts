import { DatabaseSync } from 'node:sqlite'

/** A table of a file with a value of every type, a column of no type, and an index. */
export function fillSqlite(path: string, rows: number): void {
  using database = new DatabaseSync(path)
  database.exec(`PRAGMA journal_mode = WAL;
    CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL, price REAL, amount INT, note, hash BLOB);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
      INSERT INTO items SELECT i, 'item number ' || i || ' it''s a name', i * 1.1, i * 1000003, CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN i WHEN 2 THEN 'a note of row ' || i ELSE i / 3.0 END, randomblob(16) FROM n;
    CREATE INDEX items_amount ON items (amount); PRAGMA wal_checkpoint(TRUNCATE)`)
}

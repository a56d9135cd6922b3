import { describe, expect, it } from 'vitest'
import { settle, useSites, type Site } from '../test/use-sites.ts'

const SCHEMA = `
CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, email TEXT UNIQUE, n INT DEFAULT 0, score REAL, photo BLOB, any, at TEXT DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT);
CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INT REFERENCES users (id) ON DELETE CASCADE ON UPDATE CASCADE, title TEXT);
CREATE TABLE likes (post_id INT REFERENCES posts (id) ON DELETE CASCADE, user_id INT REFERENCES users (id) ON DELETE CASCADE ON UPDATE CASCADE, PRIMARY KEY (post_id, user_id)) WITHOUT ROWID;
CREATE TABLE audit (id INTEGER PRIMARY KEY, what TEXT, at TEXT);
CREATE TABLE totals (user_id INTEGER PRIMARY KEY, posts INT NOT NULL);
CREATE TRIGGER users_audit AFTER INSERT ON users BEGIN INSERT INTO audit (what, at) VALUES ('new ' || new.id, strftime('%f', 'now') || hex(randomblob(4))); END;
CREATE TRIGGER users_gone AFTER DELETE ON users BEGIN INSERT INTO audit (what) VALUES ('gone ' || old.id); END;
CREATE TRIGGER posts_count AFTER INSERT ON posts BEGIN INSERT INTO totals VALUES (new.user_id, 1) ON CONFLICT DO UPDATE SET posts = posts + 1; END;`

const TABLES = ['users', 'counted', 'posts', 'likes', 'audit', 'totals']

const ROWS = `
INSERT INTO users (id, name, email, n, score, photo, any) VALUES (1, 'Ada', 'ada@x', 1, 1.5, x'00ff', 1), (2, 'Bob', 'bob@x', 2, NULL, NULL, 'two'), (3, 'Cem', 'cem@x', 3, 9e999, x'', 3.0);
INSERT INTO posts VALUES (1, 1, 'one'), (2, 1, 'two'), (3, 2, 'three');
INSERT INTO likes VALUES (1, 2), (1, 3), (3, 1);
INSERT INTO counted (name) VALUES ('a'), ('b');`

type Statement = string | ((site: Site) => void)

/** field notes, "Write propagation", with what the same statements do to text-based capture. */
const STATEMENTS: readonly (readonly [name: string, statement: Statement])[] = [
  ['INSERT with all columns and no list', `INSERT INTO posts VALUES (10, 2, 'ten')`],
  ['INSERT with a list of columns', `INSERT INTO users (name, email) VALUES ('Dee', 'dee@x')`],
  ['INSERT of several rows', `INSERT INTO users (name) VALUES ('e'), ('f'), (NULL)`],
  ['INSERT with parameters: text, double, NULL', (site) => site.bind('INSERT INTO users (name, score, email) VALUES (?, ?, ?)', 'Päm 😀', 0.1, null)],
  ['INSERT with a blob', (site) => site.bind('INSERT INTO users (photo, any) VALUES (?, ?)', new Uint8Array([0, 255, 10]), new Uint8Array())],
  ['INSERT with integers beyond 53 bits', (site) => site.bind('INSERT INTO users (id, any, n) VALUES (?, ?, ?)', 9_007_199_254_740_993n, -(2n ** 63n), 2n ** 63n - 1n)],
  ['INSERT with named parameters', (site) => site.bind('INSERT INTO users (name, n) VALUES (?2, ?1)', 5, 'five')],
  ['INSERT ... RETURNING', `INSERT INTO users (name) VALUES ('r') RETURNING id, name`],
  ['UPDATE ... RETURNING', `UPDATE users SET n = n + 1 WHERE id = 2 RETURNING *`],
  ['DELETE ... RETURNING', `DELETE FROM posts WHERE id = 3 RETURNING id`],
  ['INSERT ... ON CONFLICT DO UPDATE', `INSERT INTO users (id, name, email) VALUES (1, 'other', 'x') ON CONFLICT (id) DO UPDATE SET name = excluded.name, n = n + 10`],
  ['INSERT ... ON CONFLICT of a second key DO UPDATE', `INSERT INTO users (name, email) VALUES ('again', 'ada@x') ON CONFLICT (email) DO UPDATE SET name = excluded.name WHERE n < 5`],
  ['INSERT ... ON CONFLICT DO NOTHING', `INSERT INTO users (id, name) VALUES (1, 'no'), (77, 'yes') ON CONFLICT DO NOTHING`],
  ['INSERT OR REPLACE by the key', `INSERT OR REPLACE INTO counted VALUES (1, 'replaced')`],
  ['INSERT OR REPLACE that removes two rows', `INSERT OR REPLACE INTO users (id, name, email) VALUES (1, 'both', 'bob@x')`],
  ['INSERT OR IGNORE', `INSERT OR IGNORE INTO users (id, name) VALUES (1, 'no'), (78, 'yes')`],
  ['INSERT OR ABORT', `INSERT OR ABORT INTO users (id, name) VALUES (79, 'yes')`],
  ['REPLACE', `REPLACE INTO users (id, name, email) VALUES (40, 'moved', 'cem@x')`],
  ['UPDATE OR REPLACE', `UPDATE OR REPLACE users SET email = 'ada@x' WHERE id = 3`],
  ['UPDATE OR REPLACE of the key', `UPDATE OR REPLACE counted SET id = 2 WHERE id = 1`],
  ['UPDATE OR IGNORE', `UPDATE OR IGNORE users SET email = 'one@x'`],
  ['UPDATE ... FROM', `UPDATE users SET n = c.posts, any = c.user_id FROM (SELECT user_id, count(*) AS posts FROM posts GROUP BY user_id) AS c WHERE c.user_id = users.id`],
  ['WITH ... INSERT', `WITH RECURSIVE c (i) AS (VALUES (100) UNION ALL SELECT i + 1 FROM c WHERE i < 120) INSERT INTO users (id, n) SELECT i, i * i FROM c`],
  ['WITH ... DELETE', `WITH old AS (SELECT id FROM users WHERE n < 2) DELETE FROM users WHERE id IN old`],
  ['INSERT DEFAULT VALUES', `INSERT INTO users DEFAULT VALUES`],
  ['INSERT ... SELECT', `INSERT INTO counted (name) SELECT name || '!' FROM users ORDER BY name DESC`],
  ['several statements in one text', `SELECT 1; DELETE FROM likes WHERE post_id = 3; UPDATE posts SET title = title || ';' ; INSERT INTO counted (name) VALUES ('last')`],
  ['several statements in one transaction', `BEGIN; INSERT INTO users (id, name) VALUES (50, 'x'); UPDATE users SET name = 'y' WHERE id = 50; DELETE FROM users WHERE id = 50; INSERT INTO users (id, name) VALUES (50, 'z'); COMMIT`],
  ['savepoints that are taken back', `BEGIN; INSERT INTO counted (name) VALUES ('kept'); SAVEPOINT s; INSERT INTO counted (name) VALUES ('lost'); ROLLBACK TO s; INSERT INTO counted (name) VALUES ('kept too'); COMMIT`],
  ['a transaction that is rolled back', `BEGIN; DELETE FROM users; ROLLBACK; INSERT INTO counted (name) VALUES ('after')`],
  ['DELETE of everything', `DELETE FROM likes`],
  ['DELETE with cascades over two tables', `DELETE FROM users WHERE id = 1`],
  ['UPDATE of a key with a cascade', `UPDATE users SET id = 1000 WHERE id = 1`],
  ['random()', `UPDATE users SET n = random(), any = random() / 3.0`],
  ['strftime of now', `UPDATE users SET at = strftime('%Y-%m-%d %H:%M:%f', 'now')`],
  ['CURRENT_TIMESTAMP', `INSERT INTO users (name, any) VALUES ('now', CURRENT_TIMESTAMP)`],
  ['last_insert_rowid()', `INSERT INTO users (name) VALUES ('parent'); INSERT INTO posts (user_id, title) VALUES (last_insert_rowid(), 'child')`],
  ['changes()', `UPDATE users SET n = 0 WHERE id < 3; INSERT INTO counted (name) VALUES (changes() || '/' || total_changes())`],
  ['a UUID of randomblob', `INSERT INTO users (name, any) VALUES (lower(hex(randomblob(16))), randomblob(16))`],
  ['LIMIT without ORDER BY', `DELETE FROM posts WHERE id IN (SELECT id FROM posts WHERE user_id > 0 LIMIT 1)`],
  ['a literal with RETURNING in it', `INSERT INTO posts (id, user_id, title) VALUES (60, 1, 'a RETURNING b; DELETE FROM users; --')`],
  ['a table that a trigger feeds', `INSERT INTO posts (user_id, title) VALUES (1, 'counts'), (1, 'counts too'), (3, 'and this')`],
  ['n = n + 1', `UPDATE users SET n = n + 1`],
  ['WHERE with a key and more', `UPDATE users SET name = 'hit' WHERE id = 1 AND n = 1; UPDATE users SET name = 'missed' WHERE id = 1 AND n = 99`],
  ['a change of storage class', `UPDATE users SET any = CAST(any AS TEXT); UPDATE users SET any = 1.0 WHERE id = 1; UPDATE users SET any = 1 WHERE id = 1`],
  ['a swap of two unique values', `BEGIN; UPDATE users SET email = NULL WHERE id = 1; UPDATE users SET email = 'ada@x' WHERE id = 2; UPDATE users SET email = 'bob@x' WHERE id = 1; COMMIT`],
  ['a shift of every key', `UPDATE counted SET id = -id; UPDATE counted SET id = 1 - id`],
]

describe('every statement arrives as it was carried out', () => {
  const sites = useSites()
  it.each(STATEMENTS)('%s', async (_name, statement) => {
    const [a, b, c] = [await sites.add('a', { schema: SCHEMA }), await sites.add('b', { schema: SCHEMA }), await sites.add('c', { schema: SCHEMA })]
    const propagator = sites.propagator(a, [b, c], { capture: TABLES })
    await propagator.flush()
    a.run(ROWS)
    await propagator.flush()
    expect(contents(b)).toEqual(contents(a))
    const before = contents(a)
    if (typeof statement === 'string') a.run(statement)
    else statement(a)
    expect(contents(a), 'the statement changes something').not.toEqual(before)
    await settle([propagator], [b, c])
    expect(contents(b)).toEqual(contents(a))
    expect(contents(c)).toEqual(contents(a))
    expect(propagator.status().peers.map(({ failures, tables }) => ({ failures, tables }))).toEqual([{ failures: 0, tables: {} }, { failures: 0, tables: {} }])
  })
})

function contents(site: Site): readonly unknown[] {
  return TABLES.map((table) => [table, site.cells(table)])
}

import { describe, expect, it } from 'vitest'
import { movableRuntime } from '../test/movable-runtime.ts'
import { definitions } from '../test/stored-cells.ts'
import { settle, useSites, type Site, type SiteOptions } from '../test/use-sites.ts'

const SCHEMA = 'CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)'

describe('a receiver', () => {
  const sites = useSites()
  const pair = async (options: SiteOptions = {}, schema = SCHEMA): Promise<readonly [Site, Site]> => [await sites.add('a', { schema }), await sites.add('b', { schema, ...options })]

  it('refuses local writes where that is wanted, takes those of its sender, and lets go of it', async () => {
    const [a, b] = await pair({ refusesLocalWrites: true })
    a.run(`INSERT INTO users VALUES (1, 'x'), (2, 'y')`)
    const propagator = sites.propagator(a, [b], { capture: ['users'] })
    await propagator.flush()
    for (const sql of [`INSERT INTO users VALUES (9, 'z')`, 'DELETE FROM users', `UPDATE users SET name = 'z'`, `REPLACE INTO users VALUES (1, 'z')`]) expect(() => b.run(sql), sql).toThrow('takes changes from its origin only')
    a.run(`UPDATE users SET name = 'new' WHERE id = 1; DELETE FROM users WHERE id = 2; INSERT INTO users VALUES (3, 'z')`)
    await propagator.flush()
    expect(b.cells('users')).toEqual(a.cells('users'))
    await b.restart({ refusesLocalWrites: false })
    await propagator.stop()
    await sites.propagator(a, [b], { capture: ['users'] }).flush()
    b.run(`INSERT INTO users VALUES (9, 'z')`)
  })

  it('keeps its rows unless they may be replaced, and then has the sender\'s and no others', async () => {
    const [a, b] = await pair()
    a.run(`INSERT INTO users VALUES (1, 'a'), (2, 'b')`)
    b.run(`INSERT INTO users VALUES (2, 'mine'), (3, 'mine too'), (-1, 'mine as well')`)
    const mine = b.cells('users')
    const runtime = movableRuntime()
    const propagator = sites.propagator(a, [b], { capture: ['users'], runtime })
    await propagator.flush()
    expect(propagator.status().peers[0]?.tables).toMatchObject({ users: { state: 'refused', error: { code: 'PEER_NOT_EMPTY' } } })
    expect(b.cells('users')).toEqual(mine)
    await b.restart({ replacesRows: true })
    runtime.advance(60_000)
    await propagator.flush()
    expect(b.cells('users')).toEqual(a.cells('users'))
  })

  it('deletes what a copy has not brought by the whole key, also where keys differ behind a NUL', async () => {
    const schema = 'CREATE TABLE t (k TEXT, v REAL, x, PRIMARY KEY (k, v))'
    const [a, b] = await pair({ replacesRows: true }, schema)
    a.run(`INSERT INTO t VALUES ('a' || char(0) || 'b', 0.1, 1), ('A,B', 1, 2), ('', -0.0, 3), ('x', 1e300, 4)`)
    b.run(`INSERT INTO t VALUES ('a' || char(0) || 'c', 0.1, 1), ('a', 0.1, 1), ('A', 1, 2), ('A,B', 2, 3), ('X', 1e300, 4)`)
    const propagator = sites.propagator(a, [b], { capture: ['t'] })
    await propagator.flush()
    expect(b.cells('t')).toEqual(a.cells('t'))
  })

  it('follows the schema where that is wanted: missing tables and columns are made', async () => {
    const tables = ['users', 'odd "name"', 'counted']
    const schema = `${SCHEMA}; CREATE TABLE "odd ""name" ("a key" TEXT, b DECIMAL(10, 2), "c""d" BLOB, e, PRIMARY KEY (b, "a key")) WITHOUT ROWID; CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, x DATETIME)`
    const [a, b] = [await sites.add('a', { schema: schema.replace('"odd ""name"', '"odd ""name"""') }), await sites.add('b', { followsSchema: true })]
    a.run(`INSERT INTO users VALUES (1, 'x'); INSERT INTO "odd ""name""" VALUES ('k', 1.5, x'00', 1.0), ('k', 'text', NULL, '1'); INSERT INTO counted (x) VALUES ('now'), (7)`)
    const propagator = sites.propagator(a, [b], { capture: ['users', '"odd ""name"""', 'counted'] })
    expect((await propagator.flush()).reached).toEqual(['b'])
    for (const table of tables) expect(b.cells(table), table).toEqual(a.cells(table))
    a.run(`ALTER TABLE users ADD COLUMN "more ""of it" REAL; UPDATE users SET "more ""of it" = 1; INSERT INTO users VALUES (2, 'y', 0.1)`)
    await propagator.flush()
    a.run('UPDATE "odd ""name""" SET e = 2; DELETE FROM counted WHERE id = 1')
    await propagator.flush()
    for (const table of tables) expect(b.cells(table), table).toEqual(a.cells(table))
    expect(propagator.status().peers[0]?.tables).toEqual({})
  })

  it.each([
    ['a view has the name', 'CREATE VIEW users AS SELECT 1 AS id, 2 AS name'],
    ['a column differs by its case', 'CREATE TABLE users (id INTEGER PRIMARY KEY, NAME TEXT)'],
    ['the key is another', 'CREATE TABLE users (id INTEGER, name TEXT PRIMARY KEY)'],
    ['the column is generated', 'CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT AS (id || \'\'))'],
    ['it is an index', 'CREATE TABLE other (x); CREATE INDEX users ON other (x)'],
  ])('that follows the schema refuses the table, and only that, where it can not: %s', async (_name, there) => {
    const notes = 'CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)'
    const [a, b] = [await sites.add('a', { schema: `${SCHEMA}; ${notes}` }), await sites.add('b', { schema: there, followsSchema: true })]
    a.run(`INSERT INTO users VALUES (1, 'x'); INSERT INTO notes VALUES (1, 'y')`)
    const propagator = sites.propagator(a, [b], { capture: ['users', 'notes'] })
    expect((await propagator.flush()).reached).toEqual(['b'])
    expect(b.cells('notes')).toEqual(a.cells('notes'))
    expect(Object.keys(propagator.status().peers[0]?.tables ?? {})).toEqual(['users'])
  })

  it('takes an origin only from who has its token', async () => {
    const [a, b] = await pair({ authorize: { tokens: { a: 'of a', x: 'of x' } } })
    a.run(`INSERT INTO users VALUES (1, 'x')`)
    const wrong = sites.propagator(a, [b], { capture: ['users'], peer: { token: 'of x' } })
    expect((await wrong.flush()).behind).toEqual(['b'])
    await wrong.stop()
    const unknown = sites.propagator(a, [b], { capture: ['users'], origin: 'nobody', peer: { token: 'of a' } })
    expect((await unknown.flush()).behind).toEqual(['b'])
    await unknown.stop()
    expect(b.cells('users')).toEqual([])
    expect((await sites.propagator(a, [b], { capture: ['users'], peer: { token: 'of a' } }).flush()).reached).toEqual(['b'])
  })

  it('takes no signature of a clock that is wrong, of another secret, or of another body', async () => {
    const runtime = movableRuntime()
    const [a, b] = await pair({ authorize: { secret: 'shared' }, runtime })
    a.run(`INSERT INTO users VALUES (1, 'x')`)
    const clock = movableRuntime()
    const propagator = sites.propagator(a, [b], { capture: ['users'], runtime: clock, peer: { secret: 'shared' } })
    for (const minutes of [6, -12]) {
      runtime.advance(minutes * 60_000)
      expect((await propagator.flush()).behind).toEqual(['b'])
      expect(propagator.status().peers[0]?.lastError?.code).toBe('PEER_AUTH_FAILED')
      clock.advance(60_000)
    }
    runtime.advance(6 * 60_000)
    b.gate = (body, through) => through(body.replace('"snapshot":true', '"snapshot":false'))
    expect((await propagator.flush()).behind).toEqual(['b'])
    b.gate = undefined
    clock.advance(60_000)
    expect((await propagator.flush()).reached).toEqual(['b'])
    const other = sites.propagator(a, [b], { capture: ['users'], peer: { secret: 'another' } })
    expect((await other.flush()).behind).toEqual(['b'])
  })
})

describe('triggers on a peer', () => {
  const sites = useSites()
  const TRIGGERS = `
    CREATE TABLE log (id INTEGER PRIMARY KEY, what TEXT);
    CREATE TRIGGER first AFTER INSERT ON users BEGIN INSERT INTO log (what) VALUES ('first ' || new.id); END;
    CREATE TRIGGER "sec""ond" AFTER INSERT ON users BEGIN INSERT INTO log (what) VALUES ('second ' || new.id); END;
    CREATE TRIGGER third BEFORE UPDATE ON users WHEN new.name = 'no' BEGIN SELECT RAISE(ABORT, 'no'); END;`

  it('do not run for what comes, are there again in their order, and its log stays whole', async () => {
    const [a, b, c] = [await sites.add('a', { schema: SCHEMA }), await sites.add('b', { schema: `${SCHEMA}; ${TRIGGERS}` }), await sites.add('c', { schema: SCHEMA })]
    const onward = sites.propagator(b, [c], { capture: ['users'] })
    await onward.flush()
    // Younger than the log's own.
    b.run(`CREATE TRIGGER fourth AFTER INSERT ON users BEGIN INSERT INTO log (what) VALUES ('fourth ' || new.id); END`)
    const propagator = sites.propagator(a, [b], { capture: ['users'] })
    a.run(`INSERT INTO users VALUES (1, 'x'); UPDATE users SET name = 'no'`)
    await settle([propagator, onward], [b, c])
    const before = definitions(b.file)
    a.run(`INSERT INTO users VALUES (2, 'y'); UPDATE users SET name = 'no'; DELETE FROM users WHERE id = 1`)
    await settle([propagator, onward], [b, c])
    expect(b.cells('users')).toEqual(a.cells('users'))
    expect(c.cells('users')).toEqual(a.cells('users'))
    expect(b.cells('log')).toEqual([])
    const ofUsers = (rows: readonly unknown[]): readonly unknown[] => rows.filter((row) => JSON.stringify(row).includes('users'))
    expect(ofUsers(definitions(b.file))).toEqual(ofUsers(before))
    b.run(`INSERT INTO users VALUES (3, 'local')`)
    expect(JSON.stringify(b.cells('log').map((row) => Buffer.from(String((row as readonly unknown[])[3]), 'hex').toString()))).toBe('["fourth 3","second 3","first 3"]')
    await settle([propagator, onward], [b, c])
    expect(c.cells('users')).toEqual(b.cells('users'))
  })
})

describe('kinds of tables', () => {
  const sites = useSites()

  it.each([
    ['a key that ignores case', 'CREATE TABLE t (k TEXT COLLATE NOCASE PRIMARY KEY, x)', [`INSERT INTO t VALUES ('Ab', 1), ('é', 2)`, `UPDATE t SET k = 'aB' WHERE x = 1`, `REPLACE INTO t VALUES ('AB', 3)`, `DELETE FROM t WHERE k = 'ab'`]],
    ['a key that ignores case, without rowid', 'CREATE TABLE t (k TEXT COLLATE NOCASE, l TEXT COLLATE RTRIM, x, PRIMARY KEY (k, l)) WITHOUT ROWID', [`INSERT INTO t VALUES ('Ab', 'c  ', 1)`, `UPDATE t SET k = 'aB', l = 'c'`, `INSERT OR REPLACE INTO t VALUES ('AB', 'c ', 3)`, `DELETE FROM t`]],
    ['without rowid', 'CREATE TABLE t (a, b TEXT, x, PRIMARY KEY (b, a)) WITHOUT ROWID', [`INSERT INTO t VALUES (1, 'x', 1), (1.5, 'x', 2), ('1', 'x', 3), (x'31', 'x', 4)`, `UPDATE t SET a = a || 'z' WHERE x > 3`, `DELETE FROM t WHERE x = 1`]],
    ['a composite key', 'CREATE TABLE t (x, b INT, a TEXT, PRIMARY KEY (a, b))', [`INSERT INTO t VALUES (1, 1, 'p'), (2, 2, 'p'), (3, 1, 'q')`, `UPDATE t SET b = b + 10, a = a || '!'`, `DELETE FROM t WHERE b = 11 AND a = 'p!'`]],
    ['strict', 'CREATE TABLE t (k INTEGER PRIMARY KEY, a ANY, r REAL, t TEXT, b BLOB) STRICT', [`INSERT INTO t VALUES (1, '1', 1, '1', x'31'), (2, 1.0, 2.5, '', x''), (3, 1, 9e999, NULL, NULL), (4, x'01', -0.0, 'x', NULL)`, `UPDATE t SET a = CAST(a AS TEXT)`]],
    ['generated columns', `CREATE TABLE t (k INTEGER PRIMARY KEY, a INT, v AS (a * 2), s TEXT AS (a || '!') STORED, u AS (a % 100) STORED UNIQUE)`, [`INSERT INTO t (k, a) VALUES (1, 1), (2, NULL), (3, 250)`, `UPDATE t SET a = a + 1`, `UPDATE OR REPLACE t SET a = 251 WHERE k = 2`]],
    ['a real key', 'CREATE TABLE t (k REAL PRIMARY KEY, x)', [`INSERT INTO t VALUES (0.1, 1), (1, 2), (-0.0, 3), (1e300, 4), (9e999, 5)`, `UPDATE t SET x = x + 1`, `UPDATE t SET k = k * 2`, `DELETE FROM t WHERE k < 1`]],
    ['a key of any class', 'CREATE TABLE t (k PRIMARY KEY NOT NULL, x)', [`INSERT INTO t VALUES (1, 1), (1.5, 2), ('1', 3), (x'31', 4), ('a' || char(0) || 'b', 5), (9007199254740993, 6)`, `UPDATE t SET x = x + 1`, `DELETE FROM t WHERE typeof(k) IN ('blob', 'text')`]],
    ['a key with a name that scripts know', 'CREATE TABLE t ("constructor" TEXT PRIMARY KEY, "__proto__" TEXT, "toString")', [`INSERT INTO t VALUES ('a', 'b', 'c')`, `UPDATE t SET "__proto__" = 'd', "toString" = 1`, `DELETE FROM t`]],
    ['quotes in every name', 'CREATE TABLE t ("k""e y" INTEGER PRIMARY KEY, "a\'b" TEXT UNIQUE, "[c]" )', [`INSERT INTO t VALUES (1, 'x', 1), (2, 'y', 2)`, `REPLACE INTO t VALUES (3, 'x', 3)`, `UPDATE t SET "k""e y" = 9 WHERE "[c]" = 2`]],
  ])('%s', async (_name, schema, statements) => {
    for (const name of ['t', 'a "quoted" name', 'constructor', '__proto__']) {
      const quoted = `"${name.replaceAll('"', '""')}"`
      const of = (sql: string): string => sql.replace(/\b(TABLE|INTO|UPDATE(?: OR REPLACE)?|FROM) t\b/g, (_match, verb: string) => `${verb} ${quoted}`)
      const suffix = name.replaceAll(/\W/g, '')
      const [a, b] = [await sites.add(`a${suffix}`, { schema: of(schema) }), await sites.add(`b${suffix}`, { schema: of(schema) })]
      const propagator = sites.propagator(a, [b], { capture: [quoted] })
      a.run(of(statements[0] ?? ''))
      await propagator.flush()
      expect(b.cells(name), name).toEqual(a.cells(name))
      for (const sql of statements.slice(1)) {
        const before = a.cells(name)
        a.run(of(sql))
        expect(a.cells(name), sql).not.toEqual(before)
        await propagator.flush()
        expect(b.cells(name), `${name}: ${sql}`).toEqual(a.cells(name))
      }
      expect(propagator.status().peers[0]?.tables).toEqual({})
    }
  })

  it('refuses a table that is strict here and not there, as its values would become others', async () => {
    const schema = 'CREATE TABLE t (k INTEGER PRIMARY KEY, a ANY)'
    const [a, b] = [await sites.add('a', { schema: `${schema} STRICT` }), await sites.add('b', { schema })]
    a.run(`INSERT INTO t VALUES (1, '1'), (2, '1e3')`)
    const propagator = sites.propagator(a, [b], { capture: ['t'] })
    await propagator.flush()
    expect(propagator.status().peers[0]?.tables).toMatchObject({ t: { state: 'refused', error: { code: 'PEER_SCHEMA_DIFFERS' } } })
    expect(b.cells('t')).toEqual([])
  })
})

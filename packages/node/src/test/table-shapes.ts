/** A table with its ways to conflict, for random histories. */
export interface TableShape {
  readonly name: string
  readonly setup: readonly string[]
  readonly tables: readonly TestTable[]
}

export interface TestTable {
  readonly name: string
  /** Columns that statements may write. */
  readonly columns: readonly string[]
}

function shape(name: string, setup: string | readonly string[], columns: string): TableShape {
  return { name, setup: [setup].flat(), tables: [{ name: 't', columns: columns.split(' ') }] }
}

const TWO_KEYS = 'CREATE TABLE t (id INTEGER PRIMARY KEY, u TEXT UNIQUE, v INT UNIQUE, x)'
/** What applications have: a time of the last change, and a row that gives way. */
const TOUCH = 'CREATE TRIGGER touch AFTER UPDATE OF u ON t BEGIN UPDATE t SET x = new.x || \'+\' WHERE id = new.id; END'
const TOUCH_NEW = 'CREATE TRIGGER touch_new AFTER INSERT ON t WHEN new.x IS NULL BEGIN UPDATE t SET x = \'new\' WHERE id = new.id; END'
const NESTED = 'CREATE TRIGGER nested AFTER INSERT ON t WHEN new.v = 3 BEGIN INSERT OR REPLACE INTO t (u, v) VALUES (\'a\', 4); END'
const NESTED_BEFORE = 'CREATE TRIGGER nested_before BEFORE INSERT ON t WHEN new.v = 3 BEGIN DELETE FROM t WHERE u = new.u; INSERT OR REPLACE INTO t (u, v) VALUES (\'b\', 5); END'

export const TABLE_SHAPES: readonly TableShape[] = [
  shape('one integer key', 'CREATE TABLE t (id INTEGER PRIMARY KEY, u TEXT, v REAL, x)', 'id u v x'),
  shape('three unique keys', TWO_KEYS, 'id u v x'),
  shape('a text key and a unique column', 'CREATE TABLE t (u TEXT PRIMARY KEY, v INT UNIQUE, x)', 'u v x rowid'),
  shape('without rowid', 'CREATE TABLE t (u TEXT, v INT, x, id INT UNIQUE, PRIMARY KEY (u, v)) WITHOUT ROWID', 'u v x id'),
  shape('no key but a unique column', 'CREATE TABLE t (u UNIQUE, v, x)', 'u v x'),
  shape('no key at all', 'CREATE TABLE t (u TEXT, v INT, x BLOB)', 'u v x'),
  shape('collations', 'CREATE TABLE t (id INTEGER PRIMARY KEY, u TEXT COLLATE NOCASE UNIQUE, v TEXT COLLATE RTRIM, x COLLATE NOCASE)', 'id u v x'),
  shape('partial and expression indexes', [
    'CREATE TABLE t (id INTEGER PRIMARY KEY, u TEXT, v INT, x)',
    'CREATE UNIQUE INDEX live ON t (u) WHERE v > 2 /* a comment, ( */',
    'CREATE UNIQUE INDEX lowered ON t (lower(u), coalesce(v, 0) DESC) WHERE "x" IS NOT NULL AND v <> 1',
  ], 'id u v x'),
  shape('a generated unique column', 'CREATE TABLE t (id INTEGER PRIMARY KEY, u TEXT, v INT, x, g TEXT AS (u || \'/\' || v) STORED UNIQUE, h AS (v * 2) VIRTUAL)', 'id u v x'),
  shape('constraints that replace and ignore', 'CREATE TABLE t (id INTEGER PRIMARY KEY ON CONFLICT REPLACE, u TEXT UNIQUE ON CONFLICT REPLACE, v INT UNIQUE ON CONFLICT IGNORE, x CHECK (x IS NOT 6))', 'id u v x'),
  shape('triggers of the user, before ours', [TWO_KEYS, TOUCH, TOUCH_NEW, NESTED], 'id u v x'),
  shape('nested writes before and after the insert', [TWO_KEYS, NESTED, NESTED_BEFORE], 'id u v x'),
  {
    name: 'cascades',
    setup: [
      'CREATE TABLE t (id INTEGER PRIMARY KEY, u TEXT UNIQUE, v INT, x)',
      'CREATE TABLE c (id INTEGER PRIMARY KEY, t_id INT REFERENCES t (id) ON DELETE CASCADE ON UPDATE CASCADE, u TEXT REFERENCES t (u) ON DELETE SET NULL, v INT UNIQUE)',
    ],
    tables: [{ name: 't', columns: ['id', 'u', 'v', 'x'] }, { name: 'c', columns: ['id', 't_id', 'u', 'v'] }],
  },
]

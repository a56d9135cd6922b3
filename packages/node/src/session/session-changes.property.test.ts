import { DatabaseSync } from 'node:sqlite'
import type { ChangeEvent } from '@tidemark/core'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { anyValue } from '../test/any-value.ts'
import { SessionSubject } from './test/session-subject.ts'

const TABLES = {
  plain: 'CREATE TABLE plain (k INTEGER PRIMARY KEY, none, i INT, t TEXT, r REAL, n NUMERIC, b BLOB, UNIQUE (none))',
  rowless: 'CREATE TABLE rowless (k NOT NULL, none, i INT, t TEXT, r REAL, n NUMERIC, b BLOB, PRIMARY KEY (k)) WITHOUT ROWID',
  nocase: 'CREATE TABLE nocase (none, k TEXT COLLATE NOCASE NOT NULL, i INT NOT NULL, t TEXT, r REAL, n NUMERIC, b BLOB, PRIMARY KEY (k, i))',
  computed: 'CREATE TABLE computed (k INTEGER PRIMARY KEY, g AS (typeof(none) || quote(none)), none, i INT, t TEXT, s AS (r) STORED, r REAL, n NUMERIC, b BLOB)',
}
const SCHEMA = Object.values(TABLES).join(';')
type Table = keyof typeof TABLES
const COLUMNS = ['k', 'none', 'i', 't', 'r', 'n', 'b']

const key = fc.integer({ min: 1, max: 5 })
const column = fc.constantFrom(...COLUMNS.slice(1))
const table = fc.constantFrom(...Object.keys(TABLES) as Table[])
const conflict = fc.constantFrom('', 'OR REPLACE', 'OR IGNORE', 'OR FAIL', 'OR ABORT', 'OR ROLLBACK')

const statement = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('insert' as const), table, conflict, key: fc.array(key, { minLength: 1, maxLength: 3 }), values: fc.array(anyValue, { minLength: 6, maxLength: 6 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('update' as const), table, conflict, key, column, value: anyValue }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('key' as const), table, conflict, key, to: fc.oneof(key, anyValue) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), table, key: fc.option(key) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('savepoint' as const), undo: fc.boolean() }) },
)
type Statement = (typeof statement) extends fc.Arbitrary<infer T> ? T : never

/** Texts, so that case alone can change: `k1`, `K1`. */
const keyOf = (table: Table, value: unknown): unknown => (table === 'nocase' && typeof value === 'number' ? (value % 2 === 0 ? `k${value}` : `K${value + 1}`) : value)

function run(database: DatabaseSync, one: Statement): void {
  switch (one.kind) {
    case 'insert': {
      const sql = `INSERT ${one.conflict} INTO ${one.table} (${COLUMNS.join(', ')}) VALUES ${one.key.map(() => `(${COLUMNS.map(() => '?').join(', ')})`).join(', ')}`
      return void database.prepare(sql).run(...one.key.flatMap((key) => [keyOf(one.table, key), ...one.values] as never[]))
    }
    case 'update': return void database.prepare(`UPDATE ${one.conflict} ${one.table} SET ${one.column} = ? WHERE k = ?`).run(one.value, keyOf(one.table, one.key) as never)
    case 'key': return void database.prepare(`UPDATE ${one.conflict} ${one.table} SET k = ? WHERE k = ?`).run(keyOf(one.table, one.to) as never, keyOf(one.table, one.key) as never)
    case 'delete': return void (one.key === null ? database.exec(`DELETE FROM ${one.table}`) : database.prepare(`DELETE FROM ${one.table} WHERE k = ?`).run(keyOf(one.table, one.key) as never))
    case 'savepoint': return
    default: return one satisfies never
  }
}

/** Statements may fail: what they leave is what must be seen. A savepoint encloses the rest of the list. */
function runAll(database: DatabaseSync, statements: readonly Statement[]): void {
  for (const [index, one] of statements.entries()) {
    if (one.kind === 'savepoint' && database.isTransaction) {
      database.exec('SAVEPOINT s')
      runAll(database, statements.slice(index + 1))
      if (database.isTransaction) database.exec(one.undo ? 'ROLLBACK TO s; RELEASE s' : 'RELEASE s')
      return
    }
    try {
      run(database, one)
    } catch {
      // A constraint refused it.
    }
  }
}

/** Applies events by key: nothing but what is in them. Only where keys can be the same by other bytes may an insert meet its row. */
function apply(copy: DatabaseSync, events: readonly ChangeEvent[]): void {
  const where = (keys: readonly string[]): string => keys.map((name) => `${name} = ? COLLATE BINARY`).join(' AND ')
  for (const { op, table, before, after } of events) {
    const keys = table === 'nocase' ? ['k', 'i'] : ['k']
    if (before !== null) {
      const { changes } = copy.prepare(`DELETE FROM ${table} WHERE ${where(keys)}`).run(...keys.map((name) => before[name] as never))
      expect(Number(changes), `${op} finds its row`).toBe(1)
    }
    const isLoose = op === 'insert' && (table === 'nocase' || table === 'rowless')
    if (after !== null) copy.prepare(`INSERT ${isLoose ? 'OR REPLACE' : ''} INTO ${table} (${COLUMNS.join(', ')}) VALUES (${COLUMNS.map(() => '?').join(', ')})`).run(...COLUMNS.map((name) => after[name] as never))
  }
}

const UNIQUE_FREE = SCHEMA.replace(', UNIQUE (none)', '')

function cellsOf(database: DatabaseSync, table: Table): readonly unknown[] {
  const all = table === 'computed' ? [...COLUMNS, 'g', 's'] : COLUMNS
  const statement = database.prepare(`SELECT ${all.map((name) => `typeof(${name}), ${name}`).join(', ')} FROM ${table} ORDER BY k, i`)
  statement.setReadBigInts(true)
  statement.setReturnArrays(true)
  return statement.all()
}

it('makes a copy equal the source cell by cell, whatever was written and undone', async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.record({ wrapped: fc.constantFrom<boolean | 'throws'>(true, false, 'throws'), statements: fc.array(statement, { minLength: 1, maxLength: 8 }) }), { minLength: 1, maxLength: 6 }), async (transactions) => {
    await using subject = await SessionSubject.open(SCHEMA, { tables: Object.keys(TABLES) })
    using copy = new DatabaseSync(':memory:')
    copy.exec(UNIQUE_FREE)
    for (const { wrapped, statements } of transactions) {
      runOne(subject, wrapped, statements)
      const events = await subject.events()
      apply(copy, events)
      for (const table of Object.keys(TABLES) as Table[]) expect(cellsOf(copy, table)).toEqual(cellsOf(subject.database, table))
      for (const event of events) checkImages(subject.database, event)
    }
    for (const table of Object.keys(TABLES) as Table[]) await checkSnapshot(subject, table)
  }), { numRuns: 400 })
}, 120_000)

function runOne({ database, source }: SessionSubject, wrapped: boolean | 'throws', statements: readonly Statement[]): void {
  if (wrapped === false) return runAll(database, statements)
  try {
    source.transaction(() => {
      runAll(database, statements)
      if (wrapped === 'throws') throw new RangeError('undone')
    })
  } catch (error) {
    // OR ROLLBACK ends the transaction, which transaction() then reports.
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error
  }
}

/** Generated columns are in no copy's INSERT, so they are compared with the source itself. */
function checkImages(database: DatabaseSync, { table, after, unavailable }: ChangeEvent): void {
  expect(unavailable).toEqual([])
  if (table !== 'computed' || after === null) return
  const statement = database.prepare('SELECT g, s FROM computed WHERE k = ?')
  expect([after['g'], after['s']]).toEqual(Object.values(statement.get(after['k'] as never) ?? {}))
}

/** A snapshot row and a streamed row of the same state are equal. */
async function checkSnapshot(subject: SessionSubject, table: Table): Promise<void> {
  const before = await subject.chunk(table)
  subject.source.transaction(() => subject.database.exec(`CREATE TEMP TABLE kept AS SELECT ${COLUMNS.join(', ')} FROM ${table}; DELETE FROM ${table}`))
  subject.source.transaction(() => subject.database.exec(`INSERT INTO ${table} (${COLUMNS.join(', ')}) SELECT * FROM kept; DROP TABLE kept`))
  const inserted = (await subject.events()).filter(({ op }) => op === 'insert').map(({ after }) => after)
  const text = (rows: readonly unknown[]): readonly string[] => rows.map((row) => JSON.stringify(row, (_, value: unknown) => typeof value === 'bigint' ? `${value}n` : Object.is(value, -0) ? '-0' : value === Infinity ? 'inf' : value === -Infinity ? '-inf' : value)).toSorted()
  expect(text(inserted)).toEqual(text(before.events.map(({ after }) => after)))
}

import { DatabaseSync } from 'node:sqlite'
import { Replicator, type SourceDialect } from '@tidemark/core'
import type { BetterSqliteDatabase } from '@tidemark/sqlite'
import BetterSqlite from 'better-sqlite3'
import Libsql from 'libsql'
import { describe, expect, it } from 'vitest'
import { betterSqliteSource, betterSqliteTarget } from './better-sqlite.ts'
import { nodeSqliteSource } from './node-sqlite-source.ts'
import { nodeSqliteTarget } from './node-sqlite-target.ts'
import { ALL_CLASSES } from './test/all-classes.ts'
import { cells } from './test/cells.ts'
import { replicate } from './test/replicate.ts'
import { useFolder } from './test/use-folder.ts'

const path = useFolder()
const source = (): SourceDialect => nodeSqliteSource({ path: path('source.db') })

function write(sql: string, file = 'source.db'): void {
  using database = new DatabaseSync(path(file))
  database.exec(sql)
}

describe('a SQLite file into another', () => {
  it('has every cell in its own storage class, by load and by increment', async () => {
    write(ALL_CLASSES)
    const target = nodeSqliteTarget({ path: path('copy.db') })
    await replicate(source(), target, { sourceTable: 'cells' })
    const sql = 'SELECT * FROM cells ORDER BY id'
    expect(cells(path('copy.db'), sql)).toEqual(cells(path('source.db'), sql))
    write('UPDATE cells SET none = 2.0, at = 7 WHERE id = 1; INSERT INTO cells (id, none, blob, real) SELECT id + 9007199254740999, none, int, real FROM cells WHERE id > 0')
    await replicate(source(), target, { sourceTable: 'cells', reconcile: { intervalMinutes: 0.0001 } })
    await replicate(source(), target, { sourceTable: 'cells', reconcile: { intervalMinutes: 0.0001 } })
    expect(cells(path('copy.db'), sql)).toEqual(cells(path('source.db'), sql))
  })

  it('keeps an infinity as the text that reals have in every copy', async () => {
    write('CREATE TABLE t (id INTEGER PRIMARY KEY, r REAL); INSERT INTO t VALUES (1, 9e999), (2, -9e999)')
    await replicate(source(), nodeSqliteTarget({ path: path('copy.db') }), { sourceTable: 't' })
    expect(cells(path('copy.db'), 'SELECT r FROM t ORDER BY id')).toEqual([[['text', 'Infinity']], [['text', '-Infinity']]])
  })

  it('follows a dropped column without giving its values to the next one', async () => {
    write('CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b TEXT, c TEXT); INSERT INTO t VALUES (1, \'a\', \'b\', \'c\')')
    const options = { sourceTable: 't', schemaPolicy: 'follow' } as const
    const target = nodeSqliteTarget({ path: path('copy.db') })
    await replicate(source(), target, options)
    write('ALTER TABLE t DROP COLUMN a; ALTER TABLE t ADD COLUMN d TEXT DEFAULT \'d\'')
    await replicate(source(), target, options)
    expect(cells(path('copy.db'), 'SELECT * FROM t')).toEqual(cells(path('source.db'), 'SELECT * FROM t'))
    write('ALTER TABLE t RENAME COLUMN b TO e')
    await replicate(source(), target, options)
    const sql = 'SELECT id, c, d, e FROM t'
    expect(cells(path('copy.db'), sql)).toEqual(cells(path('source.db'), sql))
  })

  it('finds deleted rows whose keys are of any class', async () => {
    write('CREATE TABLE t (id BLOB PRIMARY KEY NOT NULL, n INTEGER); INSERT INTO t VALUES (1, 1), (\'1\', 2), (x\'31\', 3), (1.5, 4), (9223372036854775807, 5)')
    const target = nodeSqliteTarget({ path: path('copy.db') })
    const options = { sourceTable: 't', trackingColumn: 'n' }
    await replicate(source(), target, options)
    write('DELETE FROM t WHERE n IN (2, 5)')
    await using replicator = new Replicator({ target, replications: [{ name: 'copy', source: source(), ...options }] })
    await replicator.reconcile('copy')
    const sql = 'SELECT id, n FROM t ORDER BY n'
    expect(cells(path('copy.db'), sql)).toEqual(cells(path('source.db'), sql))
  })

  it('keeps a trigger of the user\'s through a resync, also one that names the table in another letter case', async () => {
    write('CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER); INSERT INTO t VALUES (1, 1)')
    const target = nodeSqliteTarget({ path: path('copy.db') })
    const options = { sourceTable: 't', trackingColumn: 'n' }
    await replicate(source(), target, options)
    write('CREATE TABLE seen (id INTEGER); CREATE TRIGGER watch AFTER INSERT ON T BEGIN INSERT INTO seen VALUES (new.id); END', 'copy.db')
    await using replicator = new Replicator({ target, replications: [{ name: 'copy', source: source(), ...options }] })
    await replicator.resync('copy')
    write('INSERT INTO t VALUES (2, 2)')
    await replicator.syncNow('copy')
    expect(cells(path('copy.db'), 'SELECT id FROM seen')).toEqual([[['integer', 2n]]])
  })

  it('needs a key, or one that is named', async () => {
    write('CREATE TABLE t (name TEXT NOT NULL, n INTEGER); INSERT INTO t VALUES (\'a\', 1), (\'b\', 2)')
    const target = nodeSqliteTarget({ path: path('copy.db') })
    await expect(replicate(source(), target, { sourceTable: 't', trackingColumn: 'n' })).rejects.toMatchObject({ code: 'KEY_REQUIRED' })
    await replicate(source(), target, { sourceTable: 't', trackingColumn: 'n', key: ['name'] })
    expect(cells(path('copy.db'), 'SELECT * FROM t ORDER BY n')).toEqual(cells(path('source.db'), 'SELECT * FROM t ORDER BY n'))
  })
})

const packages: readonly (readonly [string, (file: string) => BetterSqliteDatabase])[] = [
  ['libsql', (file) => new Libsql(file)],
  ['better-sqlite3', (file) => new BetterSqlite(file)],
]

describe.each(packages)('a database that the application opened with %s', (_name, open) => {
  it('is copied from and to, and left open', async () => {
    write(ALL_CLASSES)
    const [from, to] = [open(path('source.db')), open(path('copy.db'))]
    await replicate(betterSqliteSource({ database: from }), betterSqliteTarget({ database: to }), { sourceTable: 'cells' })
    expect(to.open).toBe(true)
    expect(to.prepare('SELECT count(*) AS n FROM cells').all([])).toEqual([expect.objectContaining({ n: 7 })])
    from.close()
    to.close()
    const sql = 'SELECT * FROM cells ORDER BY id'
    expect(cells(path('copy.db'), sql)).toEqual(cells(path('source.db'), sql))
  })

  it('refuses bytes that are no text instead of losing them or the process', async () => {
    write('CREATE TABLE t (id INTEGER PRIMARY KEY, s TEXT); INSERT INTO t VALUES (1, CAST(x\'ff\' AS TEXT))')
    const from = open(path('source.db'))
    const target = nodeSqliteTarget({ path: path('copy.db') })
    await expect(replicate(betterSqliteSource({ database: from }), target, { sourceTable: 't' })).rejects.toMatchObject({ code: 'VALUE_UNREPRESENTABLE' })
    from.close()
  })
})

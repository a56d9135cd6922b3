import { DatabaseSync } from 'node:sqlite'
import BetterSqlite from 'better-sqlite3'
import fc from 'fast-check'
import type { TargetDialect } from '@tidemark/core'
import { describe, expect, it } from 'vitest'
import { betterSqliteTarget } from './better-sqlite.ts'
import { nodeSqliteSource } from './node-sqlite-source.ts'
import { nodeSqliteTarget } from './node-sqlite-target.ts'
import { anyValue } from './test/any-value.ts'
import { cells } from './test/cells.ts'
import { replicate } from './test/replicate.ts'
import { useFolder } from './test/use-folder.ts'

const path = useFolder()

/** Infinities have a policy of their own. */
const value = anyValue.filter((one) => typeof one !== 'number' || Number.isFinite(one))
const row = fc.tuple(value, value, value, value, value)

/** Each is a whole replication. */
const RUNS = 25

const targets: readonly (readonly [string, (file: string) => TargetDialect])[] = [
  ['images', (file) => nodeSqliteTarget({ path: file })],
  ['bound values', (file) => betterSqliteTarget({ database: new BetterSqlite(file) })],
]

describe.each(targets)('copying by %s', (_name, target) => {
  it('gives every cell its value and its storage class', async () => {
    using database = new DatabaseSync(path('source.db'))
    database.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, none, int INT, real REAL, amount DECIMAL, name TEXT)')
    const insert = database.prepare('INSERT INTO t (none, int, real, amount, name) VALUES (?, ?, ?, ?, ?)')
    let run = 0
    await fc.assert(fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 20 }), async (rows) => {
      database.exec('DELETE FROM t')
      for (const values of rows) insert.run(...values)
      const copy = path(`copy-${run += 1}.db`)
      await replicate(nodeSqliteSource({ path: path('source.db') }), target(copy), { sourceTable: 't' })
      const sql = 'SELECT * FROM t ORDER BY id'
      expect(cells(copy, sql)).toEqual(cells(path('source.db'), sql))
    }), { numRuns: RUNS })
  })
})

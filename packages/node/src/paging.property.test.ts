import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RowPage, Value } from '@tidemark/core/adapter'
import { nodeSqliteSource } from './node-sqlite-source.ts'
import { anyValue } from './test/any-value.ts'
import { useFolder } from './test/use-folder.ts'

const path = useFolder()

const RUNS = 60

describe('paging by a column of any values', () => {
  it.each(['', 'INTEGER', 'NUMERIC', 'REAL', 'TEXT', 'TEXT COLLATE NOCASE'])('declared "%s" gives every row once, in SQLite\'s order', async (type) => {
    using database = new DatabaseSync(path('source.db'))
    database.exec(`CREATE TABLE t (id INTEGER PRIMARY KEY, at ${type})`)
    const insert = database.prepare('INSERT INTO t (at) VALUES (?)')
    const source = nodeSqliteSource({ path: path('source.db') })
    await using connection = await source.connect()
    const table = await connection.describeTable(source.parseTable('t'))
    const columns = table.columns.slice(0, 1)
    await fc.assert(fc.asyncProperty(fc.array(anyValue, { maxLength: 12 }), fc.integer({ min: 1, max: 4 }), async (values, limit) => {
      database.exec('DELETE FROM t')
      for (const one of values) insert.run(one)
      const found: Value[] = []
      let page: RowPage | undefined
      while (page?.isLast !== true) {
        page = await connection.readRows({ table, columns, key: ['id'], tracking: 'at', limit, after: page?.last })
        found.push(...page.rows.flat())
        // A cursor that goes back would read for ever, and a synchronous driver leaves no time-out its turn.
        expect(found.length).toBeLessThanOrEqual(values.length)
      }
      const expected = database.prepare('SELECT id FROM t WHERE at IS NOT NULL ORDER BY at, id').all().map((row) => Object.values(row)[0])
      expect(found).toEqual(expected)
    }), { numRuns: RUNS })
  })
})

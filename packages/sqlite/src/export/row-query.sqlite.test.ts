import { DatabaseSync } from 'node:sqlite'
import type { RowValues } from '@tidemark/core/adapter'
import { expect, it } from 'vitest'
import { readExportedTable } from './read-exported-table.ts'
import { rowQuery } from './row-query.ts'

/** A page costs the same wherever it is in the table: it is looked up, neither scanned for nor sorted. */
it.each([
  ['CREATE TABLE t(id INTEGER PRIMARY KEY, a)', '7', 'SEARCH t USING INTEGER PRIMARY KEY (rowid>?)'],
  ['CREATE TABLE t(a TEXT PRIMARY KEY, b)', '7', 'SEARCH t USING INTEGER PRIMARY KEY (rowid>?)'],
  ['CREATE TABLE t(a TEXT, b INT, PRIMARY KEY(a, b)) WITHOUT ROWID', `'k', 7`, 'SEARCH t USING PRIMARY KEY ((a,b)>(?,?))'],
  ['CREATE TABLE t(a TEXT COLLATE NOCASE, b INT, PRIMARY KEY(a, b)) WITHOUT ROWID', `'k', 7`, 'SEARCH t USING PRIMARY KEY ((a,b)>(?,?))'],
  ['CREATE TABLE t(a TEXT COLLATE NOCASE PRIMARY KEY, b) WITHOUT ROWID', `'k'`, 'SEARCH t USING PRIMARY KEY (a>?)'],
  ['CREATE TABLE t(a TEXT, b, PRIMARY KEY(a COLLATE NOCASE)) WITHOUT ROWID', `'k'`, 'SEARCH t USING PRIMARY KEY (a>?)'],
])('%s is read from where a page begins', async (sql, after, plan) => {
  using database = new DatabaseSync(':memory:')
  database.exec(sql)
  const query = (text: string): Promise<readonly RowValues[]> => {
    const statement = database.prepare(text)
    statement.setReturnArrays(true)
    const rows: readonly unknown[] = statement.all()
    return Promise.resolve(rows as readonly RowValues[]) // as setReturnArrays has them
  }
  const entry = { type: 'table', name: 't', table: 't', sql, kind: 'table', isWithoutRowid: sql.includes('WITHOUT') } as const
  const table = await readExportedTable(query, { entry })
  expect((await query(`EXPLAIN QUERY PLAN ${rowQuery(table, { select: ['1'], after, limit: 5 })}`)).map((row) => String(row[3]).replace('main.', ''))).toEqual([plan])
})

import { DatabaseSync } from 'node:sqlite'
import type { RowValues } from '@tidemark/core/adapter'
import { expect, it } from 'vitest'
import { literalSql } from './literal-sql.ts'
import { readExportedTable } from './read-exported-table.ts'
import { rowBytesSql, rowLiteralsSql } from './row-literals-sql.ts'

const VALUES = [
  'NULL', '0', '1', '-1', '9007199254740993', '9223372036854775807', '-9223372036854775808', '1.0', '-0.0', '0.1', '1.5', '1e308', '-1e308', '1.0000000000000002e308', '1.7976931348623157e308',
  '-1.7976931348623157e308', '5e-324', '9e999', '-9e999', `''`, `''''`, `'1x'`, `'é漢字😀'`, 'char(0)', `'a' || char(0) || 'b'''`, `'é' || char(0)`, `CAST(X'41ff42' AS TEXT)`, `X''`, `X'00ff'`, 'zeroblob(3)',
]

/** What a type lets expect decides what is looked for first, and nothing else: a column may hold anything. */
it.each(['INT', 'INTEGER', 'TEXT', 'REAL', 'NUMERIC', 'BLOB', 'ANY'].flatMap((type) => ['UTF-8', 'UTF-16le'].map((encoding) => [type, encoding] as const)))('a value in a column of type %s is written as in one without a type (%s)', (type, encoding) => {
  using database = new DatabaseSync(':memory:')
  database.exec(`PRAGMA encoding = '${encoding}'; CREATE TABLE t(a ${type}); INSERT INTO t VALUES ${VALUES.map((value) => `(${value})`).join(', ')}`)
  const literals = (declared: string): readonly unknown[] => database.prepare(`SELECT '' || ${literalSql('a', declared)} AS literal, rowid FROM t`).all().map(({ literal, rowid }) => ({ literal, rowid }))
  expect(literals(type)).toEqual(literals(''))
  expect(literals(type)).toHaveLength(VALUES.length)
})

it.each([
  ['integers', 'CREATE TABLE t(a INT)'],
  ['row numbers', 'CREATE TABLE t(a INTEGER PRIMARY KEY)'],
])('a row of a single column of %s is a text, which a host with doubles does not round', async (_what, sql) => {
  using database = new DatabaseSync(':memory:')
  database.exec(`${sql}; INSERT INTO t VALUES (9007199254740993)`)
  const query = (text: string): Promise<readonly RowValues[]> => Promise.resolve(database.prepare(text).all().map((row) => Object.values(row)))
  const table = await readExportedTable(query, { entry: { type: 'table', name: 't', table: 't', sql, kind: 'table', isWithoutRowid: false } })
  for (const row of [rowLiteralsSql(table, false), rowBytesSql(table, false)]) expect(await query(`SELECT ${row} FROM t`)).toEqual([['9007199254740993']])
})

import { DatabaseSync } from 'node:sqlite'
import type { Value } from '@tidemark/core/adapter'
import { expect, test } from 'vitest'
import { memoryTarget } from '../memory/memory-target.ts'
import { MemoryTargetStore } from '../memory/memory-target-store.ts'
import { sqliteTargetHarness, type SqliteOracle } from './sqlite-target-harness.ts'

// The oracle alone: what it says of a database that was made by hand.
function openOracle(): SqliteOracle {
  const database = new DatabaseSync(':memory:')
  return {
    query: async (sql) => {
      const statement = database.prepare(sql)
      statement.setReadBigInts(true)
      // Cells of SQLite are values of the seam.
      return statement.all().map((row) => Object.values(row) as Value[])
    },
    close: async () => database.close(),
  }
}

test('the SQLite oracle tells storage classes, columns, indexes, tables and what triggers saw', async () => {
  const oracle = openOracle()
  await using harness = sqliteTargetHarness({
    target: () => memoryTarget(new MemoryTargetStore()), oracle, makeStateNewer: async () => {}, dispose: async () => {},
  })
  await harness.createForeignTable('odd "name"')
  await oracle.query('create table tidemark_state (v)')
  await oracle.query(`insert into tidemark_state values (1)`)
  expect(await harness.tableNames()).toEqual(['odd "name"'])
  await oracle.query('create table t (a integer, b real, c text, d blob, e)')
  await oracle.query(`insert into t values (9223372036854775807, 1.0, cast(x'610062' as text), x'00ff', null)`)
  expect(await harness.rows('t', ['a', 'b', 'c', 'd', 'e'])).toEqual([['integer:9223372036854775807', 'real:1', 'text:"a\\u0000b"', 'blob:00ff', 'null']])
  expect(await harness.columnNames('t')).toEqual(['a', 'b', 'c', 'd', 'e'])
  await harness.addUserIndex('t', ['b', 'a'])
  expect(await harness.indexColumns('t')).toEqual([['b', 'a']])
  const counts = await harness.watch?.('t')
  await oracle.query('insert into t (a) values (1)')
  await oracle.query('update t set a = 2')
  await oracle.query('delete from t where a = 2')
  expect(await counts?.()).toEqual({ inserts: 1, updates: 2, deletes: 2 })
  expect(await harness.stateDigest('tidemark_')).toBe('tidemark_state: integer:1')
})

import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ExportConnection, ExportView } from '@tidemark/core/adapter'
import { mysqlSource } from '../mysql-source.ts'
import { openTestDatabase, type TestDatabase } from '../test/test-database.ts'
import { ALL, readBlocks, RENDER } from './test/dump.ts'

let database: TestDatabase

beforeEach(async () => {
  database = await openTestDatabase()
  const { writer } = database
  for (const name of ['first', 'second']) await writer.query(`CREATE TABLE ${name} (id INT PRIMARY KEY, v INT) ENGINE = InnoDB; INSERT INTO ${name} VALUES (1, 1), (2, ${name.length})`)
  const byTen = 'PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE)'
  await writer.query(`CREATE TABLE \`parts of-it\` (id INT PRIMARY KEY) ENGINE = InnoDB ${byTen}; INSERT INTO \`parts of-it\` VALUES (1), (2), (30)`)
  for (const name of ['empty_one', 'full_one']) await writer.query(`CREATE TABLE ${name} (id INT PRIMARY KEY) ENGINE = InnoDB`)
  await writer.query('INSERT INTO full_one VALUES (5)')
})

afterEach(async () => await database[Symbol.asyncDispose]())

async function openView(connection: ExportConnection): Promise<ExportView> {
  const ref = await connection.createView({ viewId: 'v', consistency: 'snapshot', selection: ALL })
  return await connection.openView({ ref, selection: ALL, render: RENDER })
}

/** The tables that can't be read any more. All others have the rows that they had. */
async function changed(url: string, ddl: string): Promise<readonly string[]> {
  await using connection = await mysqlSource({ url }).connectExport()
  const view = await openView(connection)
  const expected = new Map<string, number>([['first', 2], ['second', 2], ['parts of-it', 3], ['empty_one', 0], ['full_one', 1]])
  await database.writer.query(ddl)
  const refused: string[] = []
  for (const [index, { name }] of view.plan.tables.entries()) {
    const rows = await readBlocks(view, index, () => 1 << 20).then((blocks) => blocks.reduce((sum, block) => sum + block.rows, 0), (error: unknown) => error)
    if (typeof rows === 'number') expect({ name, rows }).toEqual({ name, rows: expected.get(name) })
    else {
      expect(rows).toMatchObject({ code: 'SCHEMA_CHANGED' })
      refused.push(name)
    }
  }
  return refused
}

describe('a table that is another one behind the same definition is not read', () => {
  test.each([
    ['RENAME TABLE first TO between_names, second TO first, between_names TO second', ['first', 'second']],
    ['TRUNCATE TABLE first', ['first']],
    ['ALTER TABLE first ENGINE = InnoDB', ['first']],
    ['ALTER TABLE `parts of-it` TRUNCATE PARTITION p0', ['parts of-it']],
    ['ALTER TABLE `parts of-it` REBUILD PARTITION p1', ['parts of-it']],
    ['ALTER TABLE `parts of-it` EXCHANGE PARTITION p0 WITH TABLE empty_one', ['empty_one', 'parts of-it']],
    ['ALTER TABLE `parts of-it` EXCHANGE PARTITION p0 WITH TABLE full_one', ['full_one', 'parts of-it']],
    ['INSERT INTO first VALUES (7, 7); DELETE FROM second; ANALYZE TABLE first', []],
  ])('%s', async (ddl, expected) => {
    expect(await changed(database.url, ddl)).toEqual(expected)
  })

  test('a column that was dropped and added again', async () => {
    // The catalogue tells by the second, and the table is as old as this test.
    await database.writer.query('DO SLEEP(1.05 - MICROSECOND(SYSDATE(6)) / 1e6)')
    expect(await changed(database.url, 'ALTER TABLE first DROP COLUMN v; ALTER TABLE first ADD COLUMN v INT')).toEqual(['first'])
  })
})

describe('for a user without PROCESS', () => {
  const user = `tm_${randomBytes(4).toString('hex')}`
  let url: string

  beforeEach(async () => {
    await database.writer.query(`CREATE USER ${user} IDENTIFIED BY 'secret'; GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON ${database.name}.* TO ${user}`)
    url = Object.assign(new URL(database.url), { username: user, password: 'secret' }).href
  })
  afterEach(async () => void await database.writer.query(`DROP USER ${user}`))

  test.each([
    ['TRUNCATE TABLE first', ['first']],
    ['ALTER TABLE `parts of-it` TRUNCATE PARTITION p0', ['parts of-it']],
    ['INSERT INTO first VALUES (7, 7); DELETE FROM second', []],
  ])('%s', async (ddl, expected) => {
    expect(await changed(url, ddl)).toEqual(expected)
  })

  test('names that were exchanged', async () => {
    await database.writer.query('DO SLEEP(1.05 - MICROSECOND(SYSDATE(6)) / 1e6)')
    expect(await changed(url, 'RENAME TABLE first TO between_names, second TO first, between_names TO second')).toEqual(['first', 'second'])
  })
})

import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ExportConnection, ExportSelection, RowValues } from '@tidemark/core/adapter'
import { mysqlSource } from '../mysql-source.ts'
import { openTestDatabase, type TestDatabase } from '../test/test-database.ts'
import { ALL, dump, loadWithShell, RENDER } from './test/dump.ts'

let database: TestDatabase
let connection: ExportConnection

beforeEach(async () => {
  database = await openTestDatabase()
  connection = await mysqlSource({ url: database.url }).connectExport()
  const { writer } = database
  await writer.query('CREATE TABLE user_a (id INT PRIMARY KEY, v VARCHAR(20)) ENGINE = InnoDB')
  await writer.query('INSERT INTO user_a VALUES (3, \'c\'), (1, \'a\'), (2, \'b\')')
  await writer.query('CREATE TABLE userXa (id INT, v VARCHAR(20)) ENGINE = InnoDB')
  await writer.query('INSERT INTO userXa VALUES (3, \'c\'), (1, \'a\'), (2, NULL)')
  await writer.query('CREATE VIEW seen AS SELECT id FROM user_a')
  await writer.query('CREATE TRIGGER tr BEFORE INSERT ON userXa FOR EACH ROW SET NEW.v = \'t\'')
})

afterEach(async () => {
  await connection[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
})

async function sqlOf(selection: Partial<ExportSelection>): Promise<string> {
  return (await dump(connection, { selection: { ...ALL, ...selection } })).sql.toString()
}

test('a name is left out as it is written: an underscore is no wildcard', async () => {
  const sql = await sqlOf({ exclude: ['user_a'] })
  expect(sql).toContain('CREATE TABLE `userXa`')
  expect(sql).not.toContain('CREATE TABLE `user_a`')
  expect(await sqlOf({ excludePatterns: ['^user.a$'], exclude: [] }).catch((error: unknown) => error)).not.toContain('CREATE TABLE')
})

test('what is not there is said', async () => {
  await expect(sqlOf({ tables: [{ name: 'nobody' }] })).rejects.toMatchObject({ code: 'TABLE_UNKNOWN' })
  await expect(sqlOf({ tables: [{ name: 'mysql.user' }] })).rejects.toMatchObject({ code: 'TABLE_UNKNOWN' })
  await expect(sqlOf({ excludePatterns: ['.'] })).rejects.toMatchObject({ code: 'NOTHING_SELECTED' })
  await expect(sqlOf({ tables: [{ name: 'user_a', where: 'no_such = 1' }] })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  await expect(sqlOf({ tables: [{ name: 'user_a', where: 'id >' }] })).rejects.toMatchObject({ code: 'CONFIG_INVALID', issues: [{ path: 'tables.user_a.where' }] })
  const server = new URL(database.url)
  server.pathname = ''
  await using nowhere = await mysqlSource({ url: server.href }).connectExport()
  await expect(nowhere.createView({ viewId: 'v', consistency: 'snapshot', selection: ALL })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})

test('schema only, data only, and some rows', async () => {
  expect(await sqlOf({ content: 'schema' })).not.toContain('INSERT INTO')
  const data = await sqlOf({ content: 'data' })
  expect(data).not.toContain('CREATE')
  expect(data).toContain('INSERT INTO `user_a` (`id`,`v`) VALUES\n(1,\'a\'),\n(2,\'b\'),\n(3,\'c\');\n')
  const some = await sqlOf({ tables: [{ name: '`user_a`', where: 'id > 1 -- of these', limit: 1 }, { name: `${database.name}.userXa`, limit: 2 }] })
  expect(some).toContain('INSERT INTO `user_a` (`id`,`v`) VALUES\n(2,\'b\');\n')
  expect(some).toContain('INSERT INTO `userXa` (`id`,`v`) VALUES\n(3,\'c\'),\n(1,\'a\');\n')
  expect(some).not.toContain('VIEW')
  await using copy = await openTestDatabase()
  await loadWithShell(copy.url, copy.name, Buffer.from(some))
})

test('rows come as values, one place behind each', async () => {
  const { view } = await dump(connection, { selection: { ...ALL, exclude: ['seen'] } })
  for (const [table, expected] of [[0, ['c', 'a', null]], [1, ['a', 'b', 'c']]] as const) {
    const all: RowValues[] = []
    let after: string | undefined
    for (let isLast = false; !isLast;) {
      const page = await view.readRows({ table, after, limit: { rows: 2, bytes: 1 << 20 } })
      all.push(...page.rows)
      if (page.rows.length > 0) {
        const inner = await view.readRows({ table, after: page.cursorAfter(0), limit: { rows: 1, bytes: 1 } })
        expect(inner.rows[0] ?? page.rows[1]).toEqual(page.rows[1] ?? inner.rows[0])
        after = page.cursorAfter(page.rows.length - 1)
      }
      isLast = page.isLast
    }
    expect(all.map(([, v]) => v)).toEqual(expected)
  }
})

test('a sound database has no findings', async () => {
  expect(await connection.checkIntegrity()).toEqual([])
})

test('a row that no statement can hold is an error, not a shorter row', async () => {
  const columns = Array.from({ length: 20 }, (_, i) => `c${i} CHAR(60)`).join(', ')
  await database.writer.query(`CREATE TABLE wide (${columns}) ENGINE = InnoDB`)
  await database.writer.query(`INSERT INTO wide VALUES (${Array.from({ length: 20 }, () => `'${'x'.repeat(60)}'`).join(', ')})`)
  await expect(dump(connection, { selection: { ...ALL, tables: [{ name: 'wide' }] }, render: { maxStatementBytes: 1000 } })).rejects.toMatchObject({ code: 'VALUE_UNREPRESENTABLE' })
})

test('nothing of a row or of a condition is in an error', async () => {
  const error: unknown = await sqlOf({ tables: [{ name: 'user_a', where: 'secret_17 = \'hunter2\'' }] }).catch((caught: unknown) => caught)
  expect(JSON.stringify([String(error), error])).not.toMatch(/hunter2|secret_17/u)
})

test('what the rows are is part of the plan\'s hash, and how many there are is not', async () => {
  const hash = async (): Promise<string> => {
    const ref = await connection.createView({ viewId: 'h', consistency: 'snapshot', selection: ALL })
    return (await connection.openView({ ref, selection: ALL, render: RENDER })).plan.schemaHash
  }
  const before = await hash()
  await database.writer.query('INSERT INTO user_a VALUES (77, \'x\')')
  expect(await hash()).toBe(before)
  await database.writer.query('ALTER TABLE user_a ADD COLUMN more INT')
  expect(await hash()).not.toBe(before)
})

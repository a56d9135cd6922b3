import { Exporter } from '@tidemark/core'
import { memoryStateStore, memoryStorage } from '@tidemark/core/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { mysqlSource } from '../mysql-source.ts'
import { openTestDatabase, type TestDatabase } from '../test/test-database.ts'
import { loadWithShell } from './test/dump.ts'

let database: TestDatabase

beforeEach(async () => {
  database = await openTestDatabase()
  const { writer } = database
  await writer.query('CREATE TABLE item (id INT AUTO_INCREMENT PRIMARY KEY, note TEXT, at DATETIME(6)) ENGINE = InnoDB')
  await writer.query('INSERT INTO item (note, at) VALUES (\'it\'\'s\', \'2026-01-02 03:04:05.000006\')')
  for (let i = 0; i < 12; i++) await writer.query('INSERT INTO item (note, at) SELECT CONCAT(note, id), at FROM item')
})

afterEach(async () => await database[Symbol.asyncDispose]())

async function bytesOf(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of body) parts.push(part)
  return Buffer.concat(parts)
}

test('the exporter writes a dump that the shell loads', async () => {
  await using exporter = new Exporter({ source: mysqlSource({ url: database.url }), storage: memoryStorage(), state: memoryStateStore() })
  const { id } = await exporter.start({ fileName: 'dump' })
  const status = await exporter.finish(id)
  expect(status).toMatchObject({ status: 'completed', consistency: 'snapshot' })
  const { body } = await exporter.download(id)
  await using copy = await openTestDatabase()
  await loadWithShell(copy.url, copy.name, await bytesOf(body))
  const all = async (of: TestDatabase): Promise<unknown> => (await of.writer.query('SELECT * FROM item ORDER BY id'))[0]
  expect(await all(copy)).toEqual(await all(database))
})

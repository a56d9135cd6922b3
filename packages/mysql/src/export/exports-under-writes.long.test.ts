import { randomInt } from 'node:crypto'
import { expect, test } from 'vitest'
import { mysqlSource } from '../mysql-source.ts'
import { openTestDatabase } from '../test/test-database.ts'
import { loadWithShell } from './test/dump.ts'
import { exportsUnderWrites } from './test/exports-under-writes.ts'

const SEED = Number(process.env['TIDEMARK_SEED'] ?? randomInt(1 << 30))
const ROUNDS = 120

test(`what is restored is the database at one instant, ${ROUNDS} times`, { timeout: 1_200_000 }, async () => {
  process.stdout.write(`exports under writes: TIDEMARK_SEED=${SEED}\n`)
  await using database = await openTestDatabase()
  await using connection = await mysqlSource({ url: database.url }).connectExport()
  let restores = 0
  await exportsUnderWrites({
    database, connection, rounds: ROUNDS, seed: SEED,
    restored: async (sql, use) => {
      await using copy = await openTestDatabase()
      await loadWithShell(copy.url, copy.name, sql)
      await use(copy)
      restores += 1
    },
  })
  expect(restores).toBe(ROUNDS)
})

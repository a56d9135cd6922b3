import { beforeAll, test } from 'vitest'
import { useTestDatabase } from '../test/test-database.ts'
import { exportsUnderWrites, makeBank } from './test/exports-under-writes.ts'

const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31)
const ROUNDS = 110
const database = await useTestDatabase('export_writes')
const copy = await useTestDatabase('export_writes_copy')

beforeAll(() => makeBank(database, 10_000))

test(`what is restored is the database at one instant, ${ROUNDS} times`, { timeout: 1_200_000 }, async () => {
  process.stdout.write(`exports under writes: SEED=${seed}\n`)
  await exportsUnderWrites({ database, copy, rounds: ROUNDS, seed })
})

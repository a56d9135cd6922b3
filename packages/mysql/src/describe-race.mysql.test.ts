import { afterAll, beforeAll, describe as group, expect, it } from 'vitest'
import { readConfig } from './connection-settings.ts'
import { describeTable } from './describe-table.ts'
import type { MysqlLink } from './mysql-link.ts'
import { openSession, type Session } from './open-session.ts'
import { openTestDatabase, type TestDatabase } from './test/test-database.ts'

let database: TestDatabase
let session: Session

beforeAll(async () => {
  database = await openTestDatabase()
  session = await openSession(readConfig({ url: database.url }), { statementTimeoutMs: undefined })
})

afterAll(async () => {
  await session.link.close()
  await database[Symbol.asyncDispose]()
})

/** The same session, in which `act` happens behind the statement with this number. */
function interrupted(number: number, act: () => Promise<unknown>): Session {
  let count = 0
  const link = new Proxy(session.link, {
    get: (target, key) => {
      if (key !== 'rows') return Reflect.get(target, key) as unknown
      return async (...args: Parameters<MysqlLink['rows']>) => {
        const rows = await target.rows(...args)
        if (count++ === number) await act()
        return rows
      }
    },
  })
  return { ...session, link }
}

group('a table that changes while it is described', () => {
  // A page under the new version would be taken for one of the columns described.
  it.each([0, 1, 2])('never has the new version with the old columns (behind statement %i)', async (number) => {
    await database.writer.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id INT PRIMARY KEY)')
    const ref = { schema: database.name, name: 't' }
    const described = await describeTable(interrupted(number, () => database.writer.query('ALTER TABLE t ADD COLUMN late INT')), ref, {})
    const now = await describeTable(session, ref, {})
    expect(now.columns).toHaveLength(2)
    expect(described.columns.length === 1 && described.version === now.version).toBe(false)
  })
})

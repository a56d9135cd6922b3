import { mysqlForTests, postgresForTests } from '@tidemark/test-servers/vitest'
import { describe, it } from 'vitest'
import { mysqlFixture } from './fixtures/mysql-fixture.ts'
import { postgresFixture } from './fixtures/postgres-fixture.ts'
import { expectFaultsSurvived } from './scenarios/fault-loop-tests.ts'

const postgres = await postgresForTests()
const mariadb = await mysqlForTests({ engine: 'mariadb' })
const mysql = await mysqlForTests({ engine: 'mysql' })

describe('a network that breaks hundreds of times', () => {
  it.each([['PostgreSQL', () => postgresFixture(postgres)], ['MariaDB', () => mysqlFixture(mariadb)], ['MySQL', () => mysqlFixture(mysql)]] as const)('costs time, and no row of %s', async (_engine, open) => {
    await expectFaultsSurvived(open, { cuts: 300, rows: 6_000 })
  }, 600_000)
})

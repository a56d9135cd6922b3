import { mysqlForTests } from '@tidemark/test-servers/vitest'
import { describe, it } from 'vitest'
import { mysqlFixture } from './fixtures/mysql-fixture.ts'
import { expectFaultsSurvived } from './scenarios/fault-loop-tests.ts'

const mariadb = await mysqlForTests({ engine: 'mariadb' })
const mysql = await mysqlForTests({ engine: 'mysql' })

describe('a network that breaks again and again', () => {
  it.each([['MariaDB', mariadb], ['MySQL', mysql]] as const)('costs time, and no row of %s', async (_engine, server) => {
    await expectFaultsSurvived(() => mysqlFixture(server), { cuts: 40, rows: 4_000 })
  })
})

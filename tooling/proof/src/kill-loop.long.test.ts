import { mysqlForTests, postgresForTests } from '@tidemark/test-servers/vitest'
import { describe, it } from 'vitest'
import { mysqlFixture } from './fixtures/mysql-fixture.ts'
import { postgresFixture } from './fixtures/postgres-fixture.ts'
import { expectKillsSurvived } from './scenarios/kill-loop-tests.ts'

const postgres = await postgresForTests()
const mariadb = await mysqlForTests({ engine: 'mariadb' })
const mysql = await mysqlForTests({ engine: 'mysql' })

describe('a process killed 150 times while it copies', () => {
  it.each([['PostgreSQL', () => postgresFixture(postgres)], ['MariaDB', () => mysqlFixture(mariadb)], ['MySQL', () => mysqlFixture(mysql)]] as const)('leaves a copy of %s that the next one completes', async (_engine, open) => {
    await expectKillsSurvived(open, { kills: 150, rows: 20_000 })
  }, 900_000)
})

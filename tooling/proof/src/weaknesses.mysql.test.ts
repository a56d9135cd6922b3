import { mysqlForTests } from '@tidemark/test-servers/vitest'
import { describe } from 'vitest'
import { mysqlFixture } from './fixtures/mysql-fixture.ts'
import { weaknessTests } from './scenarios/weaknesses.ts'

const engines = [await mysqlForTests({ engine: 'mariadb' }), await mysqlForTests({ engine: 'mysql' })]

describe.each(engines)('replication from $engine $version', (server) => {
  weaknessTests(() => mysqlFixture(server))
})

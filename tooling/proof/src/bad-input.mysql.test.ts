import { mysqlForTests } from '@tidemark/test-servers/vitest'
import { describe } from 'vitest'
import { mysqlFixture } from './fixtures/mysql-fixture.ts'
import { badInputTests } from './scenarios/bad-input.ts'

const engines = [await mysqlForTests({ engine: 'mariadb' }), await mysqlForTests({ engine: 'mysql' })]

describe.each(engines)('bad input, $engine $version', (server) => {
  badInputTests(() => mysqlFixture(server))
})

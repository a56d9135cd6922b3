import { inject } from 'vitest'
import { mysqlAccess } from '../mysql/mysql-access.ts'
import { postgresAccess } from '../postgres/postgres-access.ts'
import type { MysqlEngine } from '../mysql/mysql-settings.ts'
import type { PostgresVersion } from '../postgres/postgres-versions.ts'
import type { ServerAccess } from '../server.ts'
import type {} from './provided-context.ts'
import { askBroker, type BrokerAddress, type ServerRequest } from './broker.ts'

export interface PostgresForTestsOptions {
  readonly version?: PostgresVersion | undefined
}

export interface MysqlForTestsOptions {
  /** Default: `mariadb`. */
  readonly engine?: MysqlEngine | undefined
  readonly version?: string | undefined
}

/**
 * The PostgreSQL server that all test files of a run share; the first to ask waits for its start. Make a database of
 * your own on it. A test that stops or restarts its server starts one with `startPostgres({ restartable: true })`.
 */
export async function postgresForTests({ version }: PostgresForTestsOptions = {}): Promise<ServerAccess> {
  return postgresAccess(await ask({ engine: 'postgres', version }))
}

/** The MariaDB or MySQL server that all test files of a run share; see `postgresForTests`. */
export async function mysqlForTests({ engine = 'mariadb', version }: MysqlForTestsOptions = {}): Promise<ServerAccess> {
  return mysqlAccess(await ask({ engine, version }))
}

async function ask(wanted: ServerRequest): ReturnType<typeof askBroker> {
  // Typed as always there, but it is not in a lane without the global setup.
  const address = inject('tidemarkServers') as BrokerAddress | undefined
  if (address === undefined) throw new Error('This lane has no servers: run the file in the postgres, mysql, conformance or long lane')
  return await askBroker(address, wanted)
}

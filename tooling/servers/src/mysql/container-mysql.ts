import type { TestServer } from '../server.ts'
import { finishOrDispose } from '../own-server.ts'
import { Container } from '../system/container.ts'
import { mysqlSettings, type MysqlEngine } from './mysql-settings.ts'
import { finishMysql, probeMysql } from './mysql-setup.ts'
import { newMysqlUsers, userStatements } from './mysql-users.ts'
import { withConnection } from './with-connection.ts'

const DEFAULT_VERSION = { mariadb: '11.8', mysql: '8.4' } as const

/** A MariaDB or MySQL server of our own in a container of the official image. */
export async function startContainerMysql(engine: MysqlEngine, version: string = DEFAULT_VERSION[engine]): Promise<TestServer> {
  const users = newMysqlUsers()
  const rootUrl = (host: string, port: number): string => `mysql://root:${users.adminPassword}@${host}:${port}/`
  const container = await Container.start({
    image: `${engine}:${version}`,
    port: 3306,
    env: { [engine === 'mariadb' ? 'MARIADB_ROOT_PASSWORD' : 'MYSQL_ROOT_PASSWORD']: users.adminPassword },
    command: mysqlSettings(engine, Number.parseInt(version, 10)),
    probe: (host, port) => probeMysql(rootUrl(host, port)),
  })
  const { host, port } = container
  await finishOrDispose(container, async () => await withConnection(rootUrl(host, port), async (connection) => {
    for (const statement of userStatements(users)) await connection.query(statement)
  }))
  return await finishMysql(container, { origin: 'docker', host, port, users })
}

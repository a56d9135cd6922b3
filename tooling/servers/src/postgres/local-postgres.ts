import { randomBytes } from 'node:crypto'
import { chown, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import postgres from 'postgres'
import type { ServerInfo, ServerOrigin, TestServer } from '../server.ts'
import { InstanceFolder } from '../system/instance-folder.ts'
import { LocalInstance, type LocalServerSpec } from '../system/local-instance.ts'
import { runCommand } from '../system/run-command.ts'
import { postgresAccess } from './postgres-access.ts'
import type { PostgresBinaries } from './postgres-binaries.ts'
import { createUser, readServerVersion } from './postgres-setup.ts'

const SETTINGS = {
  listen_addresses: '127.0.0.1',
  wal_level: 'logical',
  max_connections: '200',
  max_wal_senders: '50',
  max_replication_slots: '100',
  // A crash test kills processes, not the machine: what the kernel has been given survives.
  fsync: 'off',
  full_page_writes: 'off',
  // Slots that wait for a running transaction must not wait for the next periodic checkpoint record too.
  shared_buffers: '32MB',
  autovacuum_naptime: '10s',
  log_min_messages: 'warning',
}

/** A PostgreSQL server of our own, from binaries on this machine. */
export async function startLocalPostgres(binaries: PostgresBinaries, origin: ServerOrigin): Promise<TestServer> {
  const folder = await InstanceFolder.create(`pg${binaries.major}`, 'SIGQUIT')
  const superuserPassword = randomBytes(12).toString('hex')
  try {
    await initialise(folder, binaries, superuserPassword)
  } catch (error) {
    await folder[Symbol.asyncDispose]()
    throw error
  }
  const instance = await LocalInstance.start(postgresSpec(folder, binaries, superuserPassword), folder)
  try {
    return await describeServer(instance, origin, superuserPassword)
  } catch (error) {
    await instance[Symbol.asyncDispose]()
    throw error
  }
}

async function initialise(folder: InstanceFolder, binaries: PostgresBinaries, superuserPassword: string): Promise<void> {
  const passwordFile = join(folder.path, 'superuser-password')
  await writeFile(passwordFile, superuserPassword, { mode: 0o600 })
  if (folder.owner !== undefined) await chown(passwordFile, folder.owner.uid, folder.owner.gid)
  const data = await folder.makeFolder('data')
  const args = ['-D', data, '-U', 'postgres', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`, '-E', 'UTF8', '--locale=C', '--no-sync']
  await runCommand(join(binaries.folder, 'initdb'), args, { owner: folder.owner, cwd: folder.path })
}

function postgresSpec(folder: InstanceFolder, binaries: PostgresBinaries, password: string): LocalServerSpec {
  const settings = Object.entries({ ...SETTINGS, unix_socket_directories: folder.path })
  return {
    name: `PostgreSQL ${binaries.major}`,
    command: join(binaries.folder, 'postgres'),
    args: (port) => ['-D', join(folder.path, 'data'), '-p', `${port}`, ...settings.flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    stopSignal: 'SIGINT',
    probe: async (port) => {
      const sql = postgres({ host: '127.0.0.1', port, user: 'postgres', password, database: 'postgres', max: 1, connect_timeout: 5 })
      try {
        await sql`select 1`
      } finally {
        await sql.end({ timeout: 1 })
      }
    },
  }
}

async function describeServer(instance: LocalInstance, origin: ServerOrigin, superuserPassword: string): Promise<TestServer> {
  const superuserBaseUrl = `postgres://postgres:${superuserPassword}@127.0.0.1:${instance.port}/postgres`
  const password = randomBytes(12).toString('hex')
  await createUser(superuserBaseUrl, password)
  const info: ServerInfo = {
    engine: 'postgres',
    version: await readServerVersion(superuserBaseUrl),
    origin,
    baseUrl: `postgres://tidemark:${password}@127.0.0.1:${instance.port}/postgres`,
    superuserBaseUrl,
  }
  return Object.assign(postgresAccess(info), {
    info,
    stop: (mode: 'fast' | 'kill') => instance.stop(mode),
    restart: (mode: 'graceful' | 'kill') => instance.restart(mode),
    [Symbol.asyncDispose]: () => instance[Symbol.asyncDispose](),
  })
}

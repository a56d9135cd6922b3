import { randomBytes } from 'node:crypto'
import { chown, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ServerOrigin, TestServer } from '../server.ts'
import { InstanceFolder } from '../system/instance-folder.ts'
import { LocalInstance, type LocalServerSpec } from '../system/local-instance.ts'
import { runCommand } from '../system/run-command.ts'
import type { PostgresBinaries } from './postgres-binaries.ts'
import { POSTGRES_SETTINGS, settingArgs, type PostgresSettings } from './postgres-settings.ts'
import { finishPostgres, probePostgres } from './postgres-setup.ts'

export interface LocalPostgresOptions {
  readonly origin: ServerOrigin
  readonly settings?: PostgresSettings | undefined
}

/** A PostgreSQL server of our own, from binaries on this machine. */
export async function startLocalPostgres(binaries: PostgresBinaries, { origin, settings }: LocalPostgresOptions): Promise<TestServer> {
  // SIGQUIT is the immediate shutdown: no checkpoint, but the shared memory segment is given back, unlike by SIGKILL.
  const folder = await InstanceFolder.create(`pg${binaries.major}`, 'SIGQUIT')
  const password = randomBytes(12).toString('hex')
  try {
    await initialise(folder, binaries, password)
  } catch (error) {
    await folder[Symbol.asyncDispose]()
    throw error
  }
  const instance = await LocalInstance.start(localSpec(folder, binaries, { password, settings }), folder)
  return await finishPostgres(instance, { origin, superuserUrl: superuserUrl(instance.port, password) })
}

async function initialise(folder: InstanceFolder, binaries: PostgresBinaries, password: string): Promise<void> {
  const passwordFile = join(folder.path, 'superuser-password')
  await writeFile(passwordFile, password, { mode: 0o600 })
  if (folder.owner !== undefined) await chown(passwordFile, folder.owner.uid, folder.owner.gid)
  const data = await folder.makeFolder('data')
  const args = ['-D', data, '-U', 'postgres', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`, '-E', 'UTF8', '--locale=C', '--no-sync']
  await runCommand(join(binaries.folder, 'initdb'), args, { owner: folder.owner, cwd: folder.path })
}

/** A server whose first data is already in the folder's `data`. */
export function localSpec(folder: InstanceFolder, binaries: PostgresBinaries, { password, settings: given }: { readonly password: string; readonly settings: PostgresSettings | undefined }): LocalServerSpec {
  const settings = { ...POSTGRES_SETTINGS, ...given, listen_addresses: '127.0.0.1', unix_socket_directories: folder.path }
  return {
    name: `PostgreSQL ${binaries.major}`,
    command: join(binaries.folder, 'postgres'),
    args: (port) => ['-D', join(folder.path, 'data'), '-p', `${port}`, ...settingArgs(settings)],
    stopSignal: 'SIGINT',
    probe: (port) => probePostgres(superuserUrl(port, password)),
  }
}

function superuserUrl(port: number, password: string): string {
  return `postgres://postgres:${password}@127.0.0.1:${port}/postgres`
}

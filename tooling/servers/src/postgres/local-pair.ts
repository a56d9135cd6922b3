import { chown, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ownServer } from '../own-server.ts'
import type { ServerInfo, ServerOrigin, TestServer } from '../server.ts'
import { InstanceFolder } from '../system/instance-folder.ts'
import { LocalInstance } from '../system/local-instance.ts'
import { runCommand } from '../system/run-command.ts'
import { localSpec, startLocalPostgres } from './local-postgres.ts'
import { postgresAccess } from './postgres-access.ts'
import type { PostgresBinaries } from './postgres-binaries.ts'
import { withConnection } from './with-connection.ts'

/** A primary and its standby, of the same users and databases. Disposing stops both and removes their data. */
export interface PostgresPair extends AsyncDisposable {
  readonly primary: TestServer
  readonly standby: TestServer
}

/** Not by `pg_basebackup`, which the binaries of npm have not: the primary's data is copied while it is down. */
export async function startLocalPair(binaries: PostgresBinaries, origin: ServerOrigin): Promise<PostgresPair> {
  const primary = await startLocalPostgres(binaries, { origin })
  try {
    const standby = await startStandby(binaries, primary)
    return { primary, standby, [Symbol.asyncDispose]: async () => {
      await standby[Symbol.asyncDispose]()
      await primary[Symbol.asyncDispose]()
    } }
  } catch (error) {
    await primary[Symbol.asyncDispose]()
    throw error
  }
}

async function startStandby(binaries: PostgresBinaries, primary: TestServer): Promise<TestServer> {
  const folder = await InstanceFolder.create(`pg${binaries.major}`, 'SIGQUIT')
  try {
    await copyData(primary, folder)
  } catch (error) {
    await folder[Symbol.asyncDispose]()
    throw error
  }
  const { password } = new URL(primary.superuserUrl())
  const settings = { hot_standby: 'on', hot_standby_feedback: 'on', primary_conninfo: `host=127.0.0.1 port=${primary.port} user=postgres password=${password}` }
  const instance = await LocalInstance.start(localSpec(folder, binaries, { password, settings }), folder)
  const info: ServerInfo = {
    ...primary.info, baseUrl: atPort(primary.info.baseUrl, instance.port), superuserBaseUrl: atPort(primary.info.superuserBaseUrl, instance.port),
  }
  return ownServer(info, postgresAccess(info), instance)
}

async function copyData(primary: TestServer, folder: InstanceFolder): Promise<void> {
  const from = await withConnection(primary.superuserUrl(), async (sql) => (await sql<{ data_directory: string }[]>`show data_directory`)[0]?.data_directory ?? '')
  const data = join(folder.path, 'data')
  await primary.stop('fast')
  await runCommand('cp', ['-a', from, data], { owner: folder.owner })
  const signal = join(data, 'standby.signal')
  await writeFile(signal, '')
  if (folder.owner !== undefined) await chown(signal, folder.owner.uid, folder.owner.gid)
  await primary.restart('graceful')
}

function atPort(url: string, port: number): string {
  return Object.assign(new URL(url), { port: String(port) }).href
}

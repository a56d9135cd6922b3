import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, cp, lstat, mkdir, readFile, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { tempRoot } from './temp-root.ts'

const require = createRequire(import.meta.url)

/** Where the workspace keeps the servers that only suites need; a partial install for a demo or a bench leaves them out. */
const MORE_BINARIES = join(import.meta.dirname, '..', '..', '..', 'server-binaries', 'node_modules')

/** A package whose files include a server's binaries. */
export interface NpmPackage {
  readonly folder: string
  readonly version: string
}

/** The installed package, or undefined where the platform has none of that name. */
export async function findNpmPackage(name: string): Promise<NpmPackage | undefined> {
  const folder = packageFolder(name)
  if (folder === undefined) return undefined
  const manifest: unknown = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
  const version = typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : 'unknown'
  return { folder, version }
}

/** Looked up by folder because these packages export no `package.json`. */
function packageFolder(name: string): string | undefined {
  const candidates = [...(require.resolve.paths(name) ?? []), MORE_BINARIES]
  return candidates.map((base) => join(base, name)).find((folder) => existsSync(join(folder, 'package.json')))
}

/**
 * Copies a folder of binaries once per machine and user to where any user may read it, and returns the copy.
 *
 * A copy, because a package store below a private home folder is closed to the user that the server runs as, and
 * because completing the files in place would change the store. Safe for parallel starters: each copies to a name of
 * its own and renames; one wins, the others use the winner's.
 */
export async function unpackOnce(key: string, source: string, complete?: (folder: string) => Promise<void>): Promise<string> {
  const cache = await cacheFolder()
  const target = join(cache, key)
  if (existsSync(target)) return target
  const draft = join(cache, `.${key}-${randomUUID()}`)
  await cp(source, draft, { recursive: true, dereference: true })
  await chmod(draft, 0o755)
  await complete?.(draft)
  try {
    await rename(draft, target)
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    if (!existsSync(target)) throw error
  }
  return target
}

/** One cache per user: binaries that someone else could have put there must not be run. */
async function cacheFolder(): Promise<string> {
  const uid = process.getuid?.()
  const folder = join(tempRoot(), `tidemark-server-binaries-${uid ?? 'user'}`)
  await mkdir(folder, { recursive: true, mode: 0o755 })
  const stats = await lstat(folder)
  const isOurs = stats.isDirectory() && (uid === undefined || stats.uid === uid) && (stats.mode & 0o022) === 0
  if (!isOurs) throw new Error(`${folder} belongs to another user or is writable by others; remove it, or set TMPDIR`)
  return folder
}

/** `linux-x64`, as the packages name it. */
export const platformTag = `${process.platform}-${process.arch}`


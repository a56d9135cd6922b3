import { createHash, randomUUID } from 'node:crypto'
import { mkdir, open, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { checkKey, TidemarkError } from '@tidemark/core/adapter'
import { codeOf } from './storage-error.ts'

/** Holds what is not an object: uploads, and the metadata of objects. */
export const HIDDEN = '.tidemark'

/** The folder of a storage: where a key's file is, and how one comes to its name. */
export class RootFolder {
  readonly path: string
  readonly #creates: boolean
  #real: Promise<string> | undefined

  constructor(path: string, creates: boolean) {
    this.path = path
    this.#creates = creates
  }

  /** Where the object is, or would be. Errors: `CONFIG_INVALID` for a key that leads elsewhere. */
  async fileOf(key: string): Promise<string> {
    checkKey(key)
    if (key.split('/')[0]?.toLowerCase() === HIDDEN) throw outside()
    const root = await this.#root()
    const file = join(root, ...key.split('/'))
    await requireInside(root, dirname(file))
    return file
  }

  /** A place of Tidemark's own. */
  async hidden(...names: readonly string[]): Promise<string> {
    return join(await this.#root(), HIDDEN, ...names)
  }

  /** A folder by the name of its own, made where it is missing. */
  async makeHidden(...names: readonly string[]): Promise<string> {
    const folder = await this.hidden(...names)
    await mkdir(folder, { recursive: true })
    return folder
  }

  /**
   * Gives a finished file its name: from one moment to the next all of it is there. Its metadata is written before, for this very file: one of an
   * earlier file of the name is no longer taken for its own.
   */
  async publish(temporary: string, key: string, metadata: Readonly<Record<string, string>>): Promise<void> {
    const file = await this.fileOf(key)
    await mkdir(dirname(file), { recursive: true })
    await this.#writeMetadata(key, { identity: identityOf(await stat(temporary, { bigint: true })), metadata })
    await rename(temporary, file)
    await synchroniseFolder(dirname(file))
  }

  async readMetadata(key: string, identity: string): Promise<Readonly<Record<string, string>>> {
    const kept = await readJson(await this.#metadataFile(key)) as { readonly identity: string; readonly metadata: Readonly<Record<string, string>> } | undefined // written by `publish`
    return kept?.identity === identity ? kept.metadata : {}
  }

  async dropMetadata(key: string): Promise<void> {
    await rm(await this.#metadataFile(key), { force: true })
  }

  /** An empty file's path, on the same file system as the objects. */
  async temporary(): Promise<string> {
    return join(await this.makeHidden('new'), randomUUID())
  }

  async #writeMetadata(key: string, content: unknown): Promise<void> {
    await this.makeHidden('metadata')
    const temporary = await this.temporary()
    await writeFile(temporary, JSON.stringify(content), { flush: true })
    await rename(temporary, await this.#metadataFile(key))
  }

  /** By a digest: a key may be longer than a file's name. */
  #metadataFile(key: string): Promise<string> {
    return this.hidden('metadata', `${createHash('sha256').update(key).digest('hex')}.json`)
  }

  #root(): Promise<string> {
    this.#real ??= this.#open().catch((error: unknown) => {
      this.#real = undefined
      throw error
    })
    return this.#real
  }

  async #open(): Promise<string> {
    if (this.#creates) await mkdir(this.path, { recursive: true })
    try {
      return await realpath(this.path)
    } catch (error) {
      if (codeOf(error) === 'ENOENT') throw new TidemarkError('BUCKET_UNKNOWN', 'The folder does not exist.')
      throw error
    }
  }
}

/** Tells a file from one that was there before or is there later, also where a number of the file system is used again. */
export function identityOf({ ino, size, mtimeNs }: { readonly ino: bigint; readonly size: bigint; readonly mtimeNs: bigint }): string {
  return `${ino}-${size}-${mtimeNs}`
}

/** A link on the way must not lead out of the folder. What does not exist yet leads nowhere. */
async function requireInside(root: string, folder: string): Promise<void> {
  for (let at = folder; at.length > root.length; at = dirname(at)) {
    const real = await realpath(at).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined
      throw error
    })
    if (real === undefined) continue
    const path = relative(root, real)
    if (path === '..' || path.startsWith(`..${sep}`)) throw outside()
    return
  }
}

/** So that a name is still there after the power was cut. Not every system lets a folder be opened. */
export async function synchroniseFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** `undefined` for what is not there, or was cut short by a kill. */
export async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    if (error instanceof SyntaxError || codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

function outside(): TidemarkError {
  return new TidemarkError('CONFIG_INVALID', 'The key leads out of the storage\'s folder.', { issues: [{ path: 'key', message: 'Must stay within the folder.' }] })
}

import { lstat, open, readdir, rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import {
  checkMetadata, resolveRange, throwIfAborted, TidemarkError, type AbortOptions, type CompleteUploadRequest, type GetOptions, type ListRequest, type ObjectBody, type ObjectPage, type ObjectStorage,
  type PutOptions, type PutPartRequest, type StorageCapabilities, type StoredObject, type UploadedPart, type UploadRef, type WriteOptions,
} from '@tidemark/core/adapter'
import { FileUploads } from './file-uploads.ts'
import { HIDDEN, identityOf, RootFolder } from './root-folder.ts'
import { codeOf, storageError } from './storage-error.ts'

export interface FsStorageOptions {
  /** Whether the folder is made where it is missing. Default true; otherwise `BUCKET_UNKNOWN`. */
  readonly create?: boolean | undefined
}

const CAPABILITIES: StorageCapabilities = {
  equalParts: true, minPartBytes: 1, maxPartBytes: 2_147_483_647, maxParts: 1_000_000, conditionalPut: false, listsUploads: true, presigns: false,
}

/**
 * A folder as a storage: keys are paths in it. Files are written aside, brought to disk and renamed, so that nothing is under its name before all of it
 * is there. Uploads and metadata are in `.tidemark` within the folder.
 */
export function fsStorage(folder: string, { create = true }: FsStorageOptions = {}): ObjectStorage {
  return new FsStorage(folder, create)
}

class FsStorage implements ObjectStorage {
  readonly name = 'fs'
  readonly address: string
  readonly capabilities = CAPABILITIES
  readonly #root: RootFolder
  readonly #uploads: FileUploads

  constructor(folder: string, creates: boolean) {
    this.address = `file:${folder}`
    this.#root = new RootFolder(folder, creates)
    this.#uploads = new FileUploads(this.#root, CAPABILITIES)
  }

  put(key: string, bytes: Uint8Array, { metadata, ifAbsent = false, signal }: PutOptions = {}): Promise<StoredObject> {
    return perform(signal, async () => {
      if (ifAbsent) throw new TidemarkError('NOT_SUPPORTED', 'A folder can not refuse to replace a file.')
      const kept = checkMetadata(metadata)
      await this.#root.fileOf(key)
      const temporary = await this.#root.temporary()
      await writeSynchronised(temporary, bytes)
      await this.#root.publish(temporary, key, kept)
      return this.#require(key)
    })
  }

  head(key: string, { signal }: AbortOptions = {}): Promise<StoredObject | undefined> {
    return perform(signal, () => this.#find(key))
  }

  get(key: string, { range, signal }: GetOptions = {}): Promise<ObjectBody> {
    return perform(signal, async () => {
      const object = await this.#require(key)
      const { start, end } = resolveRange(range, object.bytes)
      return new FileBody(object, await open(await this.#root.fileOf(key), 'r'), { start, end })
    })
  }

  list({ prefix, after, limit = 1_000, signal }: ListRequest): Promise<ObjectPage> {
    return perform(signal, async () => {
      const keys = (await this.#keys(prefix)).filter((key) => key.startsWith(prefix) && (after === undefined || key > after)).toSorted()
      const found = await Promise.all(keys.slice(0, limit).map((key) => this.#find(key)))
      // One may have gone meanwhile.
      const objects = found.flatMap((object) => (object === undefined ? [] : [{ ...object, metadata: {} }]))
      return { objects, next: keys.length > limit ? keys[limit - 1] : undefined }
    })
  }

  delete(key: string, { signal }: AbortOptions = {}): Promise<void> {
    return perform(signal, async () => {
      await rm(await this.#root.fileOf(key), { force: true })
      await this.#root.dropMetadata(key)
    })
  }

  createUpload(key: string, { metadata, signal }: WriteOptions = {}): Promise<string> {
    return perform(signal, () => this.#uploads.create(key, checkMetadata(metadata)))
  }

  putPart(request: PutPartRequest): Promise<UploadedPart> {
    return perform(request.signal, () => this.#uploads.putPart(request))
  }

  completeUpload(request: CompleteUploadRequest): Promise<StoredObject> {
    return perform(request.signal, async () => {
      await this.#uploads.complete(request)
      return this.#require(request.key)
    })
  }

  abortUpload({ uploadId }: UploadRef, { signal }: AbortOptions = {}): Promise<void> {
    return perform(signal, () => this.#uploads.abort(uploadId))
  }

  listUploads(prefix: string, { signal }: AbortOptions = {}): Promise<readonly (UploadRef & { readonly createdAtMs: number })[]> {
    return perform(signal, () => this.#uploads.list(prefix))
  }

  async #require(key: string): Promise<StoredObject> {
    const object = await this.#find(key)
    if (object === undefined) throw new TidemarkError('OBJECT_UNKNOWN', 'There is no object of this key.')
    return object
  }

  /** A link is no object, wherever it leads. */
  async #find(key: string): Promise<StoredObject | undefined> {
    const found = await lstat(await this.#root.fileOf(key), { bigint: true }).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined
      throw error
    })
    if (found?.isFile() !== true) return undefined
    const etag = identityOf(found)
    return { key, bytes: Number(found.size), etag, metadata: await this.#root.readMetadata(key, etag), modifiedAtMs: Number(found.mtimeNs / 1_000_000n) }
  }

  /** From the last folder that the prefix names whole. */
  async #keys(prefix: string): Promise<readonly string[]> {
    const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1)
    const root = folder === '' ? await this.#root.hidden('..') : await this.#root.fileOf(folder.slice(0, -1))
    const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return []
      throw error
    })
    return entries.filter((entry) => entry.isFile()).map((entry) => folder + join(entry.parentPath, entry.name).slice(join(root).length + 1).replaceAll('\\', '/'))
      .filter((key) => !key.startsWith(`${HIDDEN}/`))
  }
}

class FileBody implements ObjectBody {
  readonly object: StoredObject
  readonly #handle: FileHandle
  readonly #range: { readonly start: number; readonly end: number }

  constructor(object: StoredObject, handle: FileHandle, range: { readonly start: number; readonly end: number }) {
    this.object = object
    this.#handle = handle
    this.#range = range
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    const { start, end } = this.#range
    try {
      if (end > start) yield* this.#handle.createReadStream({ start, end: end - 1, autoClose: false, highWaterMark: 1_048_576 }) as AsyncIterable<Uint8Array> // no encoding is set
    } catch (error) {
      throw storageError(error)
    } finally {
      await this.#handle.close()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close()
  }
}

async function writeSynchronised(file: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(file, 'wx')
  try {
    await handle.writeFile(bytes)
    await handle.datasync()
  } finally {
    await handle.close()
  }
}

async function perform<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  throwIfAborted(signal)
  try {
    return await work()
  } catch (error) {
    throw storageError(error)
  }
}

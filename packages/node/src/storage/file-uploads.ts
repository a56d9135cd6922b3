import { randomUUID } from 'node:crypto'
import { open, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  checkPart, checkParts, TidemarkError, type CompleteUploadRequest, type KeptPart, type PutPartRequest, type StorageCapabilities, type UploadedPart, type UploadRef,
} from '@tidemark/core/adapter'
import { readJson, type RootFolder } from './root-folder.ts'
import { codeOf } from './storage-error.ts'

interface UploadNote {
  readonly key: string
  readonly metadata: Readonly<Record<string, string>>
  readonly createdAtMs: number
}

/**
 * Uploads of a folder. Parts stand in one file, each where it belongs, so that completing is giving that file its name. All have the size of the first,
 * which therefore has to come first.
 */
export class FileUploads {
  readonly #root: RootFolder
  readonly #capabilities: StorageCapabilities

  constructor(root: RootFolder, capabilities: StorageCapabilities) {
    this.#root = root
    this.#capabilities = capabilities
  }

  async create(key: string, metadata: Readonly<Record<string, string>>): Promise<string> {
    await this.#root.fileOf(key)
    const uploadId = randomUUID()
    const folder = await this.#root.makeHidden('uploads', uploadId)
    await writeFile(join(folder, 'data'), '')
    const note: UploadNote = { key, metadata, createdAtMs: Date.now() }
    await writeFile(join(folder, 'upload.json'), JSON.stringify(note), { flush: true })
    return uploadId
  }

  /** What is known of a part is removed before its bytes are overwritten: a kill in between leaves a part that is missing, not one that is mixed. */
  async putPart({ key, uploadId, number, bytes }: PutPartRequest): Promise<UploadedPart> {
    checkPart(number, bytes.length, this.#capabilities)
    const folder = await this.#folder({ key, uploadId })
    await rm(partFile(folder, number), { force: true })
    const slotBytes = number === 1 ? bytes.length : (await readPart(folder, 1))?.bytes
    if (slotBytes === undefined || bytes.length > slotBytes) throw new TidemarkError('UPLOAD_PARTS_INVALID', 'The first part of an upload to a folder comes first, and none is larger.')
    const handle = await open(join(folder, 'data'), 'r+')
    try {
      for (let at = 0; at < bytes.length;) at += (await handle.write(bytes, at, bytes.length - at, (number - 1) * slotBytes + at)).bytesWritten
      await handle.datasync()
    } finally {
      await handle.close()
    }
    const part: KeptPart = { etag: randomUUID(), bytes: bytes.length }
    await writeFile(partFile(folder, number), JSON.stringify(part), { flush: true })
    return { number, etag: part.etag }
  }

  async complete({ key, uploadId, parts }: CompleteUploadRequest): Promise<void> {
    const folder = await this.#folder({ key, uploadId })
    const kept = new Map<number, KeptPart>()
    for (const { number } of parts) {
      const part = await readPart(folder, number)
      if (part !== undefined) kept.set(number, part)
    }
    checkParts(parts, (number) => kept.get(number), this.#capabilities)
    const data = join(folder, 'data')
    await truncate(data, [...kept.values()].reduce((sum, { bytes }) => sum + bytes, 0))
    await this.#root.publish(data, key, (await this.#note(folder))?.metadata ?? {})
    await rm(folder, { recursive: true, force: true })
  }

  async abort(uploadId: string): Promise<void> {
    await rm(await this.#root.hidden('uploads', plain(uploadId)), { recursive: true, force: true })
  }

  async list(prefix: string): Promise<readonly (UploadRef & { readonly createdAtMs: number })[]> {
    const folder = await this.#root.makeHidden('uploads')
    const found: (UploadRef & { readonly createdAtMs: number })[] = []
    for (const uploadId of await readdir(folder)) {
      const note = await this.#note(join(folder, uploadId))
      if (note?.key.startsWith(prefix) === true) found.push({ key: note.key, uploadId, createdAtMs: note.createdAtMs })
    }
    return found
  }

  /** Without its data an upload has been completed, by somebody who was killed before the folder was gone. */
  async #folder({ key, uploadId }: UploadRef): Promise<string> {
    const folder = await this.#root.hidden('uploads', plain(uploadId))
    const note = await this.#note(folder)
    const isThere = note?.key === key && await stat(join(folder, 'data')).then(() => true, (error: unknown) => {
      if (codeOf(error) === 'ENOENT') return false
      throw error
    })
    if (!isThere) throw new TidemarkError('UPLOAD_UNKNOWN', 'There is no such upload.')
    return folder
  }

  async #note(folder: string): Promise<UploadNote | undefined> {
    return await readJson(join(folder, 'upload.json')) as UploadNote | undefined // written by `create`
  }
}

async function readPart(folder: string, number: number): Promise<KeptPart | undefined> {
  return await readJson(partFile(folder, number)) as KeptPart | undefined // written by `putPart`
}

function partFile(folder: string, number: number): string {
  return join(folder, `part-${number}.json`)
}

/** An id is part of a path. */
function plain(uploadId: string): string {
  return /^[\da-f-]+$/.test(uploadId) ? uploadId : 'unknown'
}

import {
  abortable, checkKey, checkMetadata, checkPart, resolveRange, throwIfAborted, TidemarkError, type AbortOptions, type CompleteUploadRequest, type GetOptions, type ListRequest, type ObjectBody, type ObjectPage,
  type ObjectStorage, type PutOptions, type PutPartRequest, type StorageCapabilities, type StoredObject, type UploadedPart, type UploadRef, type WriteOptions,
} from '@tidemark/core/adapter'
import type { R2Bucket, R2Object, R2ObjectBody, R2WriteOptions } from './r2-bucket.ts'
import { R2Body } from './r2-body.ts'
import { r2Error } from './r2-error.ts'

export interface R2StorageOptions {
  /** Put before every key, without a slash at either end. */
  readonly prefix?: string | undefined
}

const MIB = 1_048_576

const CAPABILITIES: StorageCapabilities = {
  // A Worker has 128 MB; a part is held in memory.
  equalParts: true, minPartBytes: 5 * MIB, maxPartBytes: 32 * MIB, maxParts: 10_000, conditionalPut: true, listsUploads: false, presigns: false,
}

/**
 * A bucket that is bound to a Worker or Durable Object: no credentials, no client. It signs no URLs and lists no uploads: what was begun and never
 * completed, R2 removes after seven days.
 */
export function r2Storage(bucket: R2Bucket, { prefix = '' }: R2StorageOptions = {}): ObjectStorage {
  if (prefix !== '') checkKey(prefix)
  return new R2Storage(bucket, prefix === '' ? '' : `${prefix}/`)
}

class R2Storage implements ObjectStorage {
  readonly name = 'r2'
  readonly address: string
  readonly capabilities = CAPABILITIES
  readonly #bucket: R2Bucket
  readonly #prefix: string

  constructor(bucket: R2Bucket, prefix: string) {
    this.#bucket = bucket
    this.#prefix = prefix
    this.address = `r2:${prefix}`
  }

  put(key: string, bytes: Uint8Array, { metadata, contentType, ifAbsent = false, signal }: PutOptions = {}): Promise<StoredObject> {
    return this.#perform(key, signal, async (path) => {
      const kept = checkMetadata(metadata)
      const options = writeOptions(kept, contentType)
      const object = await this.#bucket.put(path, bytes, ifAbsent ? { ...options, onlyIf: { etagDoesNotMatch: '*' } } : options)
      if (object === null) throw new TidemarkError('OBJECT_EXISTS', 'An object of this key exists.')
      // What R2 gives lacks the metadata.
      return { ...this.#toObject(object), metadata: kept }
    })
  }

  head(key: string, { signal }: AbortOptions = {}): Promise<StoredObject | undefined> {
    return this.#perform(key, signal, async (path) => {
      const object = await this.#bucket.head(path)
      return object === null ? undefined : this.#toObject(object)
    })
  }

  get(key: string, { range, signal }: GetOptions = {}): Promise<ObjectBody> {
    return this.#perform(key, signal, async (path) => {
      // R2 reads ranges that are none in a way of its own.
      const { start, end } = range === undefined ? { start: 0, end: undefined } : resolveRange(range, (await this.#require(path)).bytes)
      if (end === start) return new R2Body(await this.#require(path), undefined, { bytes: 0, signal })
      const found = await this.#bucket.get(path, end === undefined ? {} : { range: { offset: start, length: end - start } })
      if (found === null || !hasBody(found)) throw unknown()
      return new R2Body(this.#toObject(found), found.body, { bytes: (end ?? found.size) - start, signal })
    })
  }

  async list({ prefix, after, limit = 1_000, signal }: ListRequest): Promise<ObjectPage> {
    throwIfAborted(signal)
    try {
      const page = await this.#bucket.list({ prefix: this.#prefix + prefix, limit, ...(after === undefined ? {} : { cursor: after }) })
      return { objects: page.objects.map((object) => ({ ...this.#toObject(object), metadata: {} })), next: page.truncated ? page.cursor : undefined }
    } catch (error) {
      throw r2Error(error)
    }
  }

  delete(key: string, { signal }: AbortOptions = {}): Promise<void> {
    return this.#perform(key, signal, (path) => this.#bucket.delete(path))
  }

  createUpload(key: string, { metadata, contentType, signal }: WriteOptions = {}): Promise<string> {
    return this.#perform(key, signal, async (path) => (await this.#bucket.createMultipartUpload(path, writeOptions(checkMetadata(metadata), contentType))).uploadId)
  }

  putPart({ key, uploadId, number, bytes, signal }: PutPartRequest): Promise<UploadedPart> {
    return this.#perform(key, signal, async (path) => {
      checkPart(number, bytes.length, this.capabilities)
      const { etag } = await this.#bucket.resumeMultipartUpload(path, uploadId).uploadPart(number, bytes)
      return { number, etag }
    })
  }

  completeUpload({ key, uploadId, parts, signal }: CompleteUploadRequest): Promise<StoredObject> {
    return this.#perform(key, signal, async (path) => {
      if (parts.length === 0 || parts.some(({ number }, index) => number !== index + 1)) throw new TidemarkError('UPLOAD_PARTS_INVALID', 'The parts of an upload must be given in order and without gaps.')
      await this.#bucket.resumeMultipartUpload(path, uploadId).complete(parts.map(({ number, etag }) => ({ partNumber: number, etag })))
      return this.#require(path)
    })
  }

  async abortUpload({ key, uploadId }: UploadRef, { signal }: AbortOptions = {}): Promise<void> {
    try {
      await this.#perform(key, signal, (path) => this.#bucket.resumeMultipartUpload(path, uploadId).abort())
    } catch (error) {
      if (!(error instanceof TidemarkError) || error.code !== 'UPLOAD_UNKNOWN') throw error
    }
  }

  /** A binding takes no signal: who gives up is let go of, and what was asked for may still happen. */
  async #perform<T>(key: string, signal: AbortSignal | undefined, work: (path: string) => Promise<T>): Promise<T> {
    throwIfAborted(signal)
    checkKey(key)
    try {
      return await abortable(work(this.#prefix + key), signal)
    } catch (error) {
      throw r2Error(error)
    }
  }

  async #require(path: string): Promise<StoredObject> {
    const object = await this.#bucket.head(path)
    if (object === null) throw unknown()
    return this.#toObject(object)
  }

  #toObject({ key, size, httpEtag, uploaded, customMetadata = {} }: R2Object): StoredObject {
    return { key: key.slice(this.#prefix.length), bytes: size, etag: httpEtag, metadata: { ...customMetadata }, modifiedAtMs: uploaded.getTime() }
  }
}

function writeOptions(metadata: Readonly<Record<string, string>>, contentType: string | undefined): R2WriteOptions {
  return { customMetadata: { ...metadata }, ...(contentType === undefined ? {} : { httpMetadata: { contentType } }) }
}

function hasBody(object: R2Object): object is R2ObjectBody {
  return 'body' in object && object.body !== null
}

function unknown(): TidemarkError {
  return new TidemarkError('OBJECT_UNKNOWN', 'There is no object of this key.')
}

import {
  checkKey, checkMetadata, checkPart, resolveRange, throwIfAborted, TidemarkError, type AbortOptions, type ByteRange, type CompleteUploadRequest, type GetOptions, type ListRequest, type ObjectBody,
  type ObjectPage, type ObjectStorage, type PresignRequest, type PutOptions, type PutPartRequest, type StorageCapabilities, type StoredObject, type UploadedPart, type UploadRef, type WriteOptions,
} from '@tidemark/core/adapter'
import type { AnswerReader } from './answer-reader.ts'
import { contentDisposition } from './content-disposition.ts'
import { S3Body, type CutAnswer } from './s3-body.ts'
import { S3Client } from './s3-client.ts'
import type { S3StorageOptions } from './s3-options.ts'
import { elements, elementText, escapeXml } from './xml.ts'

const MIB = 1_048_576
const MAX_EXPIRY_MS = 7 * 86_400_000
const METADATA = 'x-amz-meta-'

const CAPABILITIES: StorageCapabilities = {
  equalParts: true, minPartBytes: 5 * MIB, maxPartBytes: 5_120 * MIB, maxParts: 10_000, conditionalPut: false, listsUploads: true, presigns: true,
}

/**
 * A bucket of S3 or of a server that speaks its API, over `fetch`: Node, Bun, Deno, Workers. Credentials are in no error, log or inspection.
 *
 * Errors: `CONFIG_INVALID` for options that can't be.
 */
export function s3Storage(options: S3StorageOptions): ObjectStorage {
  const issues = [
    ...(/^[\w.-]{1,255}$/.test(options.bucket) ? [] : [{ path: 'bucket', message: 'Must be the name of a bucket.' }]),
    ...(options.endpoint === undefined || /^https?:\/\/[^/?#@]+(?:\/[^?#]*)?$/.test(options.endpoint) ? [] : [{ path: 'endpoint', message: 'Must be an http: or https: URL without credentials or query.' }]),
  ]
  if (issues.length > 0) throw new TidemarkError('CONFIG_INVALID', `The options have ${issues.length} faults. ${issues.map(({ path, message }) => `${path}: ${message}`).join(' ')}`, { issues })
  if (options.prefix !== undefined && options.prefix !== '') checkKey(options.prefix)
  return new S3Storage(options)
}

class S3Storage implements ObjectStorage {
  readonly name = 's3'
  readonly address: string
  readonly capabilities: StorageCapabilities
  readonly listUploads?: NonNullable<ObjectStorage['listUploads']>
  readonly #client: S3Client
  readonly #prefix: string

  constructor(options: S3StorageOptions) {
    const { bucket, prefix = '', capabilities } = options
    this.address = `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}`
    this.capabilities = { ...CAPABILITIES, ...capabilities }
    this.#client = new S3Client(options)
    this.#prefix = prefix === '' ? '' : `${prefix}/`
    if (this.capabilities.listsUploads) this.listUploads = (uploadPrefix, { signal } = {}) => this.#listUploads(uploadPrefix, signal)
  }

  async put(key: string, bytes: Uint8Array, { metadata, contentType, ifAbsent = false, signal }: PutOptions = {}): Promise<StoredObject> {
    if (ifAbsent && !this.capabilities.conditionalPut) throw new TidemarkError('NOT_SUPPORTED', 'This storage can not refuse to replace an object.')
    const kept = checkMetadata(metadata)
    const headers = await this.#client.send({
      method: 'PUT', key: this.#path(key), body: bytes, signal, headers: { ...writeHeaders(kept, contentType), ...(ifAbsent ? { 'if-none-match': '*' } : {}) },
    })
    const [etag, modifiedAtMs] = [headers.get('etag') ?? '', Date.parse(headers.get('date') ?? '')]
    return etag === '' || Number.isNaN(modifiedAtMs) ? this.#require(key, signal) : { key, bytes: bytes.length, etag, metadata: kept, modifiedAtMs }
  }

  async head(key: string, { signal }: AbortOptions = {}): Promise<StoredObject | undefined> {
    try {
      const headers = await this.#client.send({ method: 'HEAD', key: this.#path(key), signal })
      return toObject(key, headers, Number(headers.get('content-length')))
    } catch (error) {
      if (error instanceof TidemarkError && error.code === 'OBJECT_UNKNOWN') return undefined
      throw error
    }
  }

  async get(key: string, { range, signal }: GetOptions = {}): Promise<ObjectBody> {
    if (range !== undefined && (range.start !== 0 || range.end !== undefined)) return this.#getRange(key, range, signal)
    const { headers, reader } = await this.#client.open({ method: 'GET', key: this.#path(key), signal })
    const bytes = Number(headers.get('content-length') ?? Number.NaN)
    const object = Number.isNaN(bytes) ? await this.#require(key, signal) : toObject(key, headers, bytes)
    return this.#body(object, reader, { start: 0, end: object.bytes, signal })
  }

  async list({ prefix, after, limit = 1_000, signal }: ListRequest): Promise<ObjectPage> {
    const xml = await this.#client.sendForText({
      method: 'GET', key: '', signal, query: { 'list-type': '2', prefix: this.#prefix + prefix, 'max-keys': String(limit), ...(after === undefined ? {} : { 'continuation-token': after }) },
    })
    const objects = elements(xml, 'Contents').map((entry): StoredObject => ({
      key: (elementText(entry, 'Key') ?? '').slice(this.#prefix.length), bytes: Number(elementText(entry, 'Size')), etag: elementText(entry, 'ETag') ?? '', metadata: {},
      modifiedAtMs: Date.parse(elementText(entry, 'LastModified') ?? ''),
    }))
    return { objects, next: elementText(xml, 'IsTruncated') === 'true' ? elementText(xml, 'NextContinuationToken') : undefined }
  }

  async delete(key: string, { signal }: AbortOptions = {}): Promise<void> {
    await this.#forgiving('OBJECT_UNKNOWN', () => this.#client.send({ method: 'DELETE', key: this.#path(key), signal }))
  }

  async createUpload(key: string, { metadata, contentType, signal }: WriteOptions = {}): Promise<string> {
    const xml = await this.#client.sendForText({ method: 'POST', key: this.#path(key), query: { uploads: '' }, headers: writeHeaders(checkMetadata(metadata), contentType), signal })
    const uploadId = elementText(xml, 'UploadId')
    if (uploadId === undefined) throw new TidemarkError('STORAGE_FAILED', 'The storage gave an upload no id.')
    return uploadId
  }

  async putPart({ key, uploadId, number, bytes, signal }: PutPartRequest): Promise<UploadedPart> {
    checkPart(number, bytes.length, this.capabilities)
    const headers = await this.#ofUpload(() => this.#client.send({ method: 'PUT', key: this.#path(key), query: { partNumber: String(number), uploadId }, body: bytes, signal }))
    const etag = headers.get('etag')
    if (etag === null) throw new TidemarkError('STORAGE_FAILED', 'The storage gave a part no etag.')
    return { number, etag }
  }

  /** What the storage answers may lack the etag, so that the object is asked for (Ceph). */
  async completeUpload({ key, uploadId, parts, signal }: CompleteUploadRequest): Promise<StoredObject> {
    if (parts.length === 0 || parts.some(({ number }, index) => number !== index + 1)) throw new TidemarkError('UPLOAD_PARTS_INVALID', 'The parts of an upload must be given in order and without gaps.')
    const list = parts.map(({ number, etag }) => `<Part><PartNumber>${number}</PartNumber><ETag>${escapeXml(etag)}</ETag></Part>`).join('')
    const body = new TextEncoder().encode(`<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${list}</CompleteMultipartUpload>`)
    try {
      await this.#ofUpload(() => this.#client.sendForText({ method: 'POST', key: this.#path(key), query: { uploadId }, headers: { 'content-type': 'application/xml' }, body, signal }))
    } catch (error) {
      if (error instanceof TidemarkError && error.detail === 'InternalError') await this.#requireUpload({ key, uploadId }, signal)
      throw error
    }
    return this.#require(key, signal)
  }

  async abortUpload({ key, uploadId }: UploadRef, { signal }: AbortOptions = {}): Promise<void> {
    await this.#forgiving('UPLOAD_UNKNOWN', () => this.#ofUpload(() => this.#client.send({ method: 'DELETE', key: this.#path(key), query: { uploadId }, signal })))
  }

  /** Errors: `CONFIG_INVALID` for less than a second or more than seven days. */
  async presignGet(key: string, { expiresInMs, fileName, signal }: PresignRequest): Promise<string> {
    throwIfAborted(signal)
    if (!(expiresInMs >= 1_000 && expiresInMs <= MAX_EXPIRY_MS)) {
      throw new TidemarkError('CONFIG_INVALID', 'A signed URL can\'t last that long.', { issues: [{ path: 'expiresInMs', message: 'Must be from a second to seven days.' }] })
    }
    const expires = { 'X-Amz-Expires': String(Math.floor(expiresInMs / 1_000)) }
    return this.#client.presign(this.#path(key), { ...expires, ...(fileName === undefined ? {} : { 'response-content-disposition': contentDisposition(fileName) }) })
  }

  async #getRange(key: string, range: ByteRange, signal: AbortSignal | undefined): Promise<ObjectBody> {
    // A server reads ranges that are none in ways of its own; one without bytes it can't be asked for.
    resolveRange(range, Number.MAX_SAFE_INTEGER)
    if (range.end === range.start) return this.#emptyBody(key, range, signal)
    try {
      const { object, reader } = await this.#openRange(key, range, signal)
      return this.#body(object, reader, { ...resolveRange(range, object.bytes), signal })
    } catch (error) {
      if (!(error instanceof TidemarkError) || error.detail === undefined || !/^(InvalidRange|HTTP 416)$/.test(error.detail)) throw error
      return this.#emptyBody(key, range, signal)
    }
  }

  async #openRange(key: string, { start, end }: ByteRange, signal: AbortSignal | undefined): Promise<{ readonly object: StoredObject; readonly reader: AnswerReader }> {
    const { status, headers, reader } = await this.#client.open({ method: 'GET', key: this.#path(key), headers: { range: `bytes=${start}-${end === undefined ? '' : end - 1}` }, signal })
    const [, first, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(headers.get('content-range') ?? '') ?? []
    if (status === 206 && Number(first) === start && total !== undefined) return { object: toObject(key, headers, Number(total)), reader }
    await reader.cancel()
    throw new TidemarkError('STORAGE_FAILED', 'The storage gave another range than was asked for.')
  }

  /** One that is cut off is gone on with, as long as the object is the same. */
  #body(object: StoredObject, answer: AnswerReader | undefined, { start, end, signal }: { readonly start: number; readonly end: number; readonly signal: AbortSignal | undefined }): ObjectBody {
    const reopen = async ({ at, failures, error }: CutAnswer): Promise<AnswerReader> => {
      await this.#client.backOff(failures, error, { signal })
      const again = await this.#openRange(object.key, { start: at, end }, signal)
      if (again.object.etag === object.etag && again.object.bytes === object.bytes) return again.reader
      await again.reader.cancel()
      throw new TidemarkError('STORAGE_FAILED', 'The object was replaced while it was read.')
    }
    return new S3Body({ object, start, end, answer, reopen })
  }

  /** Errors: `CONFIG_INVALID` for a range that begins behind the object's end. */
  async #emptyBody(key: string, range: ByteRange, signal: AbortSignal | undefined): Promise<ObjectBody> {
    const object = await this.#require(key, signal)
    resolveRange(range, object.bytes)
    return this.#body(object, undefined, { start: 0, end: 0, signal })
  }

  async #require(key: string, signal: AbortSignal | undefined): Promise<StoredObject> {
    const object = await this.head(key, { signal })
    if (object === undefined) throw new TidemarkError('OBJECT_UNKNOWN', 'There is no object of this key.')
    return object
  }

  async #listUploads(prefix: string, signal: AbortSignal | undefined): Promise<readonly (UploadRef & { readonly createdAtMs: number })[]> {
    const found: (UploadRef & { readonly createdAtMs: number })[] = []
    for (let marker: Readonly<Record<string, string>> | undefined = {}; marker !== undefined;) {
      const xml: string = await this.#client.sendForText({ method: 'GET', key: '', query: { uploads: '', prefix: this.#prefix + prefix, ...marker }, signal })
      for (const entry of elements(xml, 'Upload')) {
        found.push({ key: (elementText(entry, 'Key') ?? '').slice(this.#prefix.length), uploadId: elementText(entry, 'UploadId') ?? '', createdAtMs: Date.parse(elementText(entry, 'Initiated') ?? '') })
      }
      marker = elementText(xml, 'IsTruncated') === 'true' ? { 'key-marker': elementText(xml, 'NextKeyMarker') ?? '', 'upload-id-marker': elementText(xml, 'NextUploadIdMarker') ?? '' } : undefined
    }
    return found
  }

  /**
   * Completing an upload that is gone is to Ceph one that is being completed by somebody else, for ever. Not every storage can be asked for an upload: whatever
   * else it says is no answer. Errors: `UPLOAD_UNKNOWN`.
   */
  async #requireUpload({ key, uploadId }: UploadRef, signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.#ofUpload(() => this.#client.sendForText({ method: 'GET', key: this.#path(key), query: { uploadId, 'max-parts': '1' }, signal }))
    } catch (error) {
      if (error instanceof TidemarkError && error.code === 'UPLOAD_UNKNOWN') throw error
    }
  }

  /** Of an upload, what is not there is the upload, whatever a server calls it. */
  async #ofUpload<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw error instanceof TidemarkError && error.code === 'OBJECT_UNKNOWN' ? new TidemarkError('UPLOAD_UNKNOWN', 'There is no such upload.', { detail: error.detail }) : error
    }
  }

  async #forgiving(code: 'OBJECT_UNKNOWN' | 'UPLOAD_UNKNOWN', work: () => Promise<unknown>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (!(error instanceof TidemarkError) || error.code !== code) throw error
    }
  }

  #path(key: string): string {
    checkKey(key)
    return this.#prefix + key
  }
}

function writeHeaders(metadata: Readonly<Record<string, string>>, contentType: string | undefined): Record<string, string> {
  const headers = Object.fromEntries(Object.entries(metadata).map(([name, value]) => [`${METADATA}${name}`, value]))
  return contentType === undefined ? headers : { ...headers, 'content-type': contentType }
}

function toObject(key: string, headers: Headers, bytes: number): StoredObject {
  const metadata: Record<string, string> = {}
  headers.forEach((value, name) => {
    if (name.startsWith(METADATA)) metadata[name.slice(METADATA.length)] = value
  })
  return { key, bytes, etag: headers.get('etag') ?? '', metadata, modifiedAtMs: Date.parse(headers.get('last-modified') ?? '') }
}

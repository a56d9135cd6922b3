import { TidemarkError } from '../errors/tidemark-error.ts'
import { throwIfAborted } from '../util/throw-if-aborted.ts'
import { checkKey } from './check-key.ts'
import { checkMetadata } from './check-metadata.ts'
import { checkPart, checkParts, type KeptPart } from './check-parts.ts'
import type {
  CompleteUploadRequest, GetOptions, ListRequest, ObjectBody, ObjectPage, ObjectStorage, PutOptions, PutPartRequest, StorageCapabilities, StoredObject, UploadedPart, UploadRef, WriteOptions,
} from './object-storage.ts'
import { resolveRange } from './resolve-range.ts'

interface KeptUpload {
  readonly key: string
  readonly metadata: Readonly<Record<string, string>>
  readonly createdAtMs: number
  readonly parts: Map<number, KeptPart & { readonly data: Uint8Array }>
}

/** What memory storages share when they stand for the processes of one bucket. */
export class MemoryObjects {
  readonly objects = new Map<string, { readonly object: StoredObject; readonly data: Uint8Array }>()
  readonly uploads = new Map<string, KeptUpload>()
  serial = 0
}

export interface StorageMoment {
  readonly operation: 'put' | 'head' | 'get' | 'list' | 'delete' | 'createUpload' | 'putPart' | 'completeUpload' | 'abortUpload'
  readonly key: string
  /** Of `putPart`. */
  readonly part: number | undefined
  /** `after`: it has taken effect, and the answer is on its way. */
  readonly moment: 'before' | 'after'
  /** Whether the operation changes what is stored. */
  readonly isEffect: boolean
}

export interface MemoryStorageOptions {
  /** Default: its own. */
  readonly state?: MemoryObjects | undefined
  /** Default 5 MiB. */
  readonly minPartBytes?: number | undefined
  /** Default 10,000. */
  readonly maxParts?: number | undefined
  /** Called around every operation; what it throws is what the operation throws. */
  readonly onMoment?: ((moment: StorageMoment) => void) | undefined
  /** Milliseconds since 1970. Default: the host's clock. */
  readonly now?: (() => number) | undefined
}

const EFFECTS: ReadonlySet<StorageMoment['operation']> = new Set(['put', 'delete', 'createUpload', 'putPart', 'completeUpload', 'abortUpload'])

/** Objects for as long as the process lives, by the rules of the strictest storage (R2): for tests, and for dumps that are small. */
export function memoryStorage(options: MemoryStorageOptions = {}): ObjectStorage {
  return new MemoryStorage(options)
}

class MemoryStorage implements ObjectStorage {
  readonly name = 'memory'
  readonly address = 'memory:'
  readonly capabilities: StorageCapabilities
  readonly #state: MemoryObjects
  readonly #options: MemoryStorageOptions

  constructor(options: MemoryStorageOptions) {
    this.#options = options
    this.#state = options.state ?? new MemoryObjects()
    this.capabilities = {
      equalParts: true, minPartBytes: options.minPartBytes ?? 5 * 1_048_576, maxPartBytes: 5 * 1_073_741_824, maxParts: options.maxParts ?? 10_000,
      conditionalPut: true, listsUploads: true, presigns: false,
    }
  }

  put(key: string, bytes: Uint8Array, { metadata, ifAbsent = false, signal }: PutOptions = {}): Promise<StoredObject> {
    return this.#perform({ operation: 'put', key, signal }, () => {
      if (ifAbsent && this.#state.objects.has(key)) throw new TidemarkError('OBJECT_EXISTS', 'An object of this key exists.')
      return this.#keep(key, bytes.slice(), checkMetadata(metadata))
    })
  }

  head(key: string, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<StoredObject | undefined> {
    return this.#perform({ operation: 'head', key, signal }, () => this.#state.objects.get(key)?.object)
  }

  get(key: string, { range, signal }: GetOptions = {}): Promise<ObjectBody> {
    return this.#perform({ operation: 'get', key, signal }, () => {
      const kept = this.#state.objects.get(key)
      if (kept === undefined) throw new TidemarkError('OBJECT_UNKNOWN', 'There is no object of this key.')
      const { start, end } = resolveRange(range, kept.data.length)
      return toBody(kept.object, kept.data.slice(start, end))
    })
  }

  list({ prefix, after, limit = 1_000, signal }: ListRequest): Promise<ObjectPage> {
    return this.#perform({ operation: 'list', key: prefix, signal, isPrefix: true }, () => {
      const keys = [...this.#state.objects.keys()].filter((key) => key.startsWith(prefix) && (after === undefined || key > after)).toSorted()
      const objects = keys.slice(0, limit).flatMap((key) => {
        const object = this.#state.objects.get(key)?.object
        return object === undefined ? [] : [{ ...object, metadata: {} }]
      })
      return { objects, next: keys.length > limit ? objects.at(-1)?.key : undefined }
    })
  }

  delete(key: string, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    return this.#perform({ operation: 'delete', key, signal }, () => void this.#state.objects.delete(key))
  }

  createUpload(key: string, { metadata, signal }: WriteOptions = {}): Promise<string> {
    return this.#perform({ operation: 'createUpload', key, signal }, () => {
      const id = `upload-${this.#next()}`
      this.#state.uploads.set(id, { key, metadata: checkMetadata(metadata), createdAtMs: this.#now(), parts: new Map() })
      return id
    })
  }

  putPart({ key, uploadId, number, bytes, signal }: PutPartRequest): Promise<UploadedPart> {
    return this.#perform({ operation: 'putPart', key, part: number, signal }, () => {
      checkPart(number, bytes.length, this.capabilities)
      const etag = `part-${this.#next()}`
      this.#upload({ key, uploadId }).parts.set(number, { bytes: bytes.length, etag, data: bytes.slice() })
      return { number, etag }
    })
  }

  completeUpload({ key, uploadId, parts, signal }: CompleteUploadRequest): Promise<StoredObject> {
    return this.#perform({ operation: 'completeUpload', key, signal }, () => {
      const upload = this.#upload({ key, uploadId })
      checkParts(parts, (number) => upload.parts.get(number), this.capabilities)
      this.#state.uploads.delete(uploadId)
      return this.#keep(key, join(parts.map(({ number }) => upload.parts.get(number)?.data ?? new Uint8Array(0))), upload.metadata)
    })
  }

  abortUpload({ key, uploadId }: UploadRef, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    return this.#perform({ operation: 'abortUpload', key, signal }, () => void this.#state.uploads.delete(uploadId))
  }

  listUploads(prefix: string, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<readonly (UploadRef & { readonly createdAtMs: number })[]> {
    return this.#perform({ operation: 'list', key: prefix, signal, isPrefix: true }, () => (
      [...this.#state.uploads].filter(([, { key }]) => key.startsWith(prefix)).map(([uploadId, { key, createdAtMs }]) => ({ key, uploadId, createdAtMs }))
    ))
  }

  async #perform<T>(given: Pick<StorageMoment, 'operation' | 'key'> & { readonly part?: number; readonly signal: AbortSignal | undefined; readonly isPrefix?: boolean }, work: () => T): Promise<T> {
    const { operation, key, part, signal, isPrefix = false } = given
    throwIfAborted(signal)
    if (!isPrefix) checkKey(key)
    const moment = { operation, key, part, isEffect: EFFECTS.has(operation) }
    await Promise.resolve()
    this.#options.onMoment?.({ ...moment, moment: 'before' })
    const result = work()
    this.#options.onMoment?.({ ...moment, moment: 'after' })
    return result
  }

  #upload({ key, uploadId }: UploadRef): KeptUpload {
    const upload = this.#state.uploads.get(uploadId)
    if (upload === undefined || upload.key !== key) throw new TidemarkError('UPLOAD_UNKNOWN', 'There is no such upload.')
    return upload
  }

  #keep(key: string, data: Uint8Array, metadata: Readonly<Record<string, string>>): StoredObject {
    const object = { key, bytes: data.length, etag: `object-${this.#next()}`, metadata, modifiedAtMs: this.#now() }
    this.#state.objects.set(key, { object, data })
    return object
  }

  #next(): number {
    this.#state.serial += 1
    return this.#state.serial
  }

  #now(): number {
    return this.#options.now?.() ?? Date.now()
  }
}

function toBody(object: StoredObject, data: Uint8Array): ObjectBody {
  return {
    object,
    async *[Symbol.asyncIterator]() {
      yield* [data]
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

import type { AbortOptions } from '../dialect/source.ts'

/** What a storage can do. Every field is required: an adapter answers, it never inherits a guess. */
export interface StorageCapabilities {
  /** Whether all parts of an upload but the last must have one size, and the last no more than that (R2). */
  readonly equalParts: boolean
  /** Least size of a part that is not the last, in bytes. */
  readonly minPartBytes: number
  readonly maxPartBytes: number
  /** Greatest number of parts in one upload. */
  readonly maxParts: number
  /** Whether `put` with `ifAbsent` refuses a key that exists. */
  readonly conditionalPut: boolean
  /** Whether `listUploads` exists. */
  readonly listsUploads: boolean
  /** Whether `presignGet` exists. */
  readonly presigns: boolean
}

/** An object as it is stored. */
export interface StoredObject {
  readonly key: string
  readonly bytes: number
  /** Says whether two reads saw the same object; opaque. */
  readonly etag: string
  /** As given to `put` or `createUpload`; names in lower case. Empty from `list`. */
  readonly metadata: Readonly<Record<string, string>>
  /** Milliseconds since 1970. */
  readonly modifiedAtMs: number
}

export interface WriteOptions extends AbortOptions {
  readonly contentType?: string | undefined
  /** Names and values of printable ASCII. */
  readonly metadata?: Readonly<Record<string, string>> | undefined
}

export interface PutOptions extends WriteOptions {
  /** Errors: `OBJECT_EXISTS`. Only where `capabilities.conditionalPut`. */
  readonly ifAbsent?: boolean | undefined
}

/** Bytes from `start` up to and not with `end`; without `end`, to the object's end. */
export interface ByteRange {
  readonly start: number
  readonly end?: number | undefined
}

export interface GetOptions extends AbortOptions {
  readonly range?: ByteRange | undefined
}

/** An object's bytes, once. Ending the iteration early, or disposing, frees the connection. */
export interface ObjectBody extends AsyncIterable<Uint8Array>, AsyncDisposable {
  /** The whole object, also where a range was asked for. */
  readonly object: StoredObject
}

export interface ListRequest extends AbortOptions {
  /** Keys that begin with this. */
  readonly prefix: string
  /** As the page before gave it in `next`. */
  readonly after?: string | undefined
  /** At most this many; default and greatest 1,000. */
  readonly limit?: number | undefined
}

export interface ObjectPage {
  /** In key order. */
  readonly objects: readonly StoredObject[]
  readonly next: string | undefined
}

/** A part in place. The token is the storage's own, and the last one given for a number is the one that counts. */
export interface UploadedPart {
  /** From 1. */
  readonly number: number
  readonly etag: string
}

export interface UploadRef {
  readonly key: string
  readonly uploadId: string
}

export interface PutPartRequest extends UploadRef, AbortOptions {
  readonly number: number
  readonly bytes: Uint8Array
}

export interface CompleteUploadRequest extends UploadRef, AbortOptions {
  /** In order of number, without gaps. */
  readonly parts: readonly UploadedPart[]
}

export interface PresignRequest extends AbortOptions {
  readonly expiresInMs: number
  /** What a browser saves it as. */
  readonly fileName?: string | undefined
}

/**
 * A place for objects: a folder, S3, R2. Keys are `/`-separated paths of printable characters without empty, `.` or `..` segments; anything else
 * is `CONFIG_INVALID`. Nothing can be read under a key before `put` or `completeUpload` has succeeded, and then all of it can.
 *
 * Safe for concurrent calls. Adapters retry what is safe to retry; what comes out has a code: `STORAGE_UNREACHABLE`, `STORAGE_BUSY`,
 * `STORAGE_AUTH_FAILED`, `STORAGE_FULL`, `BUCKET_UNKNOWN`, `STORAGE_FAILED`.
 */
export interface ObjectStorage {
  /** Kind, such as `fs`, `s3`, `r2`, `memory`. */
  readonly name: string
  /** Without credentials, for status and errors: `s3://bucket/prefix`. */
  readonly address: string
  readonly capabilities: StorageCapabilities
  /** Replaces what is there. */
  put(key: string, bytes: Uint8Array, options?: PutOptions): Promise<StoredObject>
  head(key: string, options?: AbortOptions): Promise<StoredObject | undefined>
  /** Errors: `OBJECT_UNKNOWN`; `CONFIG_INVALID` for a range that begins behind the end. */
  get(key: string, options?: GetOptions): Promise<ObjectBody>
  list(request: ListRequest): Promise<ObjectPage>
  /** A key that is not there is no error. */
  delete(key: string, options?: AbortOptions): Promise<void>
  /** Returns the upload's id. The only call that makes something new each time. */
  createUpload(key: string, options?: WriteOptions): Promise<string>
  /** Replaces the part of that number. The first comes first, the others in any order and at the same time. Errors: `UPLOAD_UNKNOWN`. */
  putPart(request: PutPartRequest): Promise<UploadedPart>
  /**
   * Errors: `UPLOAD_UNKNOWN` when it is not there, also because it has been completed already on storages that forget it;
   * `UPLOAD_PARTS_INVALID` when a part is missing, was replaced by another, or has a size that is not allowed.
   */
  completeUpload(request: CompleteUploadRequest): Promise<StoredObject>
  /** One that is not there is no error. */
  abortUpload(upload: UploadRef, options?: AbortOptions): Promise<void>
  /** Uploads that are neither completed nor aborted. Present exactly when `capabilities.listsUploads`. */
  listUploads?(prefix: string, options?: AbortOptions): Promise<readonly (UploadRef & { readonly createdAtMs: number })[]>
  /** A URL that reads the object without credentials until it expires. Present exactly when `capabilities.presigns`. */
  presignGet?(key: string, request: PresignRequest): Promise<string>
}

import type { ObjectStorage, StorageCapabilities } from '@tidemark/core/adapter'
import type { ConformanceSubject } from '../suite/conformance-case.ts'

/** What the storage is like and what its harness can stage. Every field is required. */
export interface StorageFacts {
  /** Size of a part that is used where its size does not matter: at least `minPartBytes`. */
  readonly partBytes: number
  /** Whether sizes of parts that are not allowed are told as such. A storage may call the upload unknown instead. */
  readonly tellsPartSizes: boolean
  /** Whether a key may be the beginning of another, up to a slash: a folder's can't. */
  readonly nestsKeys: boolean
  /** Whether `wrongSecret` exists. */
  readonly wrongSecret: boolean
  /** Whether `wrongBucket` exists. */
  readonly wrongBucket: boolean
}

export interface StorageTraits {
  readonly capabilities: StorageCapabilities
  readonly facts: StorageFacts
}

export interface StorageHarness extends AsyncDisposable {
  /** The adapter under test, on a place where nothing is. */
  readonly storage: ObjectStorage
  readonly facts: StorageFacts
  /** The adapter, with a secret that is not this storage's. */
  wrongSecret?(): ObjectStorage
  /** The adapter, on a bucket or folder that does not exist. */
  wrongBucket?(): ObjectStorage
  /** What a plain reader of URLs gets. */
  fetch?(url: string): Promise<{ readonly status: number; readonly text: string }>
}

export type StorageSubject = ConformanceSubject<StorageTraits, StorageHarness>
